// The board of a replay: a card for each deal, in the column and the order of the instant shown.
import { retell } from "./nodes.js";
import { amount, dots, field, shapedText } from "./tape.js";

const { AMOUNT, CLOSE, COLUMN, CURRENCY, DUE, EVIDENCED, HOLLOW, LABEL, OFFER, SHAPED } = field;
const GLIDE_MS = 260;
const MAX_GLIDING = 4; // at once; more are not followed by the eye, and cost frames
const LOWEST_CARD = 64; // pixels, with a name of one line
const SPARE_ROWS = 2;

// Draws scenes on a board; `glides` says whether cards that change their column glide there.
export function boardOn(root, template, film, glides) {
  const columns = [...root.querySelectorAll(".column")].map((section) => ({ section, list: section.querySelector("ul"), count: section.querySelector("h2 span"), more: section.querySelector(".more"), shown: [] }));
  const cards = [];
  let gliding = 0; // to ask the document for its animations would have its style found anew
  let rows = film.limits.cards; // of a column, that are to be drawn, and that were
  let drawnRows = rows;
  for (const { list } of columns) list.replaceChildren();

  // One card a deal, made when it is first shown, and filled again where its version differs.
  function cardOf(deal) {
    if (!cards[deal]) {
      const element = template.content.firstElementChild.cloneNode(true);
      const [spans, fills] = [element.querySelectorAll(".pair > span"), element.querySelectorAll(".dots i")];
      cards[deal] = { element, anchor: element.firstElementChild, amount: spans[0], offer: spans[1], dots: spans[2], shaped: spans[3], fills, left: element.querySelector(".dots b"), seen: null, mark: 0, column: null };
    }
    return cards[deal];
  }

  function fill(card, seen) {
    const was = card.seen ?? [];
    const differs = (...fields) => fields.some((one) => was[one] !== seen[one]);
    card.seen = seen;
    if (differs(LABEL)) [card.anchor.textContent, card.anchor.title] = film.tape.labels[seen[LABEL]];
    if (differs(AMOUNT, CURRENCY)) retell(card.amount, amount(film, seen));
    if (differs(OFFER)) retell(card.offer, seen[OFFER] === null ? "" : `\u2212${film.tape.discounts[seen[OFFER]]}%`);
    if (differs(EVIDENCED, HOLLOW, DUE)) fillDots(card, dots(seen));
    if (differs(SHAPED)) fillShaped(card, seen[SHAPED]);
  }

  function fillDots(card, { shown, leftOut, said }) {
    shown.forEach((count, index) => card.fills[index].style.setProperty("--n", count));
    retell(card.left, leftOut ? `+${leftOut}` : "");
    card.dots.ariaLabel = said;
  }

  function fillShaped(card, count) {
    card.shaped.hidden = !count;
    card.element.toggleAttribute("data-shaped", Boolean(count));
    card.shaped.ariaLabel = card.shaped.title = shapedText(count);
    retell(card.shaped, String(count));
  }

  function urgency(scene) {
    const day = (deal) => scene.deals[deal][CLOSE] ?? Infinity;
    return (a, b) => (day(a) === day(b) ? a - b : day(a) - day(b));
  }

  function draw(scene, marks) {
    const inColumns = columns.map(() => []);
    scene.deals.forEach((seen, deal) => {
      if (seen) inColumns[seen[COLUMN]].push(deal);
    });
    const before = glides() ? movedCards(scene) : [];
    const order = urgency(scene);
    columns.forEach((column, index) => {
      const deals = inColumns[index].sort(order);
      retell(column.count, String(deals.length));
      column.section.hidden = !deals.length && !film.tape.columns[index][3];
      const left = deals.length - film.limits.cards;
      column.more.hidden = left <= 0;
      if (left > 0) retell(column.more, `and ${left.toLocaleString("en")} more`);
      drawColumn(column, deals.slice(0, rows), scene, marks);
    });
    drawnRows = rows;
    glide(before);
  }

  // Cards that stay where they are among the others are not touched.
  function drawColumn(column, deals, scene, marks) {
    leave(column, new Set(deals));
    let next = column.list.firstElementChild;
    for (const deal of deals) {
      const { element } = dressed(cardOf(deal), scene.deals[deal], marks.get(deal) ?? 0);
      cards[deal].column = column;
      if (next && element === next.nextElementSibling) next.remove(); // it comes further down
      else if (element !== next) column.list.insertBefore(element, next);
      next = element.nextElementSibling;
    }
  }

  function leave(column, staying) {
    for (const deal of column.shown) {
      if (staying.has(deal) || cards[deal].column !== column) continue;
      cards[deal].element.remove();
      cards[deal].column = null;
    }
    column.shown = [...staying];
  }

  function dressed(card, seen, mark) {
    if (card.seen !== seen) fill(card, seen);
    if (card.mark !== mark) {
      card.mark = mark;
      if (mark) card.element.dataset.mark = mark;
      else delete card.element.dataset.mark;
    }
    return card;
  }

  // The cards that are about to change their column, with where they are.
  function movedCards(scene) {
    const moved = [];
    scene.deals.forEach((seen, deal) => {
      const card = cards[deal];
      if (seen && card?.column && card.seen[COLUMN] !== seen[COLUMN]) moved.push(card.element);
    });
    return moved.length + gliding <= MAX_GLIDING ? moved.map((element) => [element, element.getBoundingClientRect()]) : [];
  }

  function glide(before) {
    const there = before.filter(([element]) => element.isConnected);
    const to = there.map(([element]) => element.getBoundingClientRect());
    there.forEach(([element, from], index) => {
      const [x, y] = [from.x - to[index].x, from.y - to[index].y];
      gliding += 1;
      const animation = element.animate([{ transform: `translate(${x}px,${y}px)` }, { transform: "none" }], { duration: GLIDE_MS, easing: "cubic-bezier(.2,.7,.2,1)" });
      animation.onfinish = () => {
        gliding -= 1;
      };
    });
  }

  // While much moves, the rows are drawn that the window shows, and the board keeps its height for
  // what stands below it; at rest all of them are.
  function show(hurried) {
    if (!hurried && rows === film.limits.cards) return;
    const { top, height } = root.getBoundingClientRect();
    const seen = Math.max(0, Math.ceil((innerHeight - top) / LOWEST_CARD)) + SPARE_ROWS;
    rows = hurried ? Math.min(film.limits.cards, seen) : film.limits.cards;
    root.style.minHeight = hurried ? root.style.minHeight || `${height}px` : "";
  }

  // Addresses need not follow every frame.
  function link(addressOf) {
    cards.forEach((card, deal) => {
      if (card.column) card.anchor.href = addressOf(deal);
    });
  }

  return { draw, link, short: () => rows !== drawnRows, show };
}
