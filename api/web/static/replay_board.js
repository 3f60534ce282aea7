// The board of a replay: a card for each deal, in the column and the order of the instant shown.
import { put } from "./nodes.js";
import { amount, dots, field, shapedText } from "./tape.js";

const GLIDE_MS = 260;
const MAX_GLIDING = 4; // at once; more are not followed by the eye, and cost frames

// Draws scenes on a board; `glides` says whether cards that change their column glide there.
export function boardOn(root, template, film, glides) {
  const columns = [...root.querySelectorAll(".column")].map((section) => ({ section, list: section.querySelector("ul"), count: section.querySelector("h2 span"), more: section.querySelector(".more") }));
  const cards = [];
  let gliding = 0; // to ask the document for its animations would have its style found anew
  for (const { list } of columns) list.replaceChildren();

  // One card a deal, made when it is first shown, and filled again when its version changes.
  function cardOf(deal) {
    if (!cards[deal]) {
      const element = template.content.firstElementChild.cloneNode(true);
      const [spans, fills] = [element.querySelectorAll(".pair > span"), element.querySelectorAll(".dots i")];
      cards[deal] = { element, anchor: element.firstElementChild, amount: spans[0], offer: spans[1], dots: spans[2], shaped: spans[3], fills, left: element.querySelector(".dots b"), seen: null, mark: 0 };
    }
    return cards[deal];
  }

  function fill(card, seen) {
    card.seen = seen;
    const [account, name] = film.tape.labels[seen[field.LABEL]];
    const { shown: counts, leftOut, said } = dots(seen);
    put(card.anchor, account);
    card.anchor.title = name;
    put(card.amount, amount(film, seen));
    put(card.offer, seen[field.OFFER] === null ? "" : `\u2212${film.tape.discounts[seen[field.OFFER]]}%`);
    counts.forEach((count, index) => card.fills[index].style.setProperty("--n", count));
    put(card.left, leftOut ? `+${leftOut}` : "");
    card.dots.ariaLabel = said;
    card.shaped.hidden = !seen[field.SHAPED];
    card.element.toggleAttribute("data-shaped", Boolean(seen[field.SHAPED]));
    card.shaped.ariaLabel = card.shaped.title = shapedText(seen[field.SHAPED]);
    put(card.shaped, String(seen[field.SHAPED]));
  }

  function urgency(scene) {
    const day = (deal) => scene.deals[deal][field.CLOSE] ?? Infinity;
    return (a, b) => (day(a) === day(b) ? a - b : day(a) - day(b));
  }

  function draw(scene, marks) {
    const inColumns = columns.map(() => []);
    scene.deals.forEach((seen, deal) => {
      if (seen) inColumns[seen[field.COLUMN]].push(deal);
    });
    const before = glides() ? movedCards(scene) : [];
    const order = urgency(scene);
    columns.forEach((column, index) => {
      const deals = inColumns[index].sort(order);
      put(column.count, String(deals.length));
      column.section.hidden = !deals.length && !film.tape.columns[index][3];
      const left = deals.length - film.limits.cards;
      column.more.hidden = left <= 0;
      put(column.more, `and ${left.toLocaleString("en")} more`);
      drawColumn(column, deals.slice(0, film.limits.cards), scene, marks);
    });
    glide(before);
  }

  function drawColumn(column, deals, scene, marks) {
    for (const [index, deal] of deals.entries()) {
      const card = cardOf(deal);
      if (card.seen !== scene.deals[deal]) fill(card, scene.deals[deal]);
      const mark = marks.get(deal) ?? 0;
      if (card.mark !== mark) {
        card.mark = mark;
        if (mark) card.element.dataset.mark = mark;
        else delete card.element.dataset.mark;
      }
      if (column.list.children[index] !== card.element) column.list.insertBefore(card.element, column.list.children[index] ?? null);
    }
    while (column.list.children.length > deals.length) column.list.lastElementChild.remove();
  }

  // The cards that are about to change their column, with where they are.
  function movedCards(scene) {
    const moved = [];
    scene.deals.forEach((seen, deal) => {
      const card = cards[deal];
      if (seen && card?.seen && card.element.isConnected && card.seen[field.COLUMN] !== seen[field.COLUMN]) moved.push(card.element);
    });
    return moved.length + gliding <= MAX_GLIDING ? moved.map((element) => [element, element.getBoundingClientRect()]) : [];
  }

  function glide(before) {
    const to = before.map(([element]) => element.getBoundingClientRect());
    before.forEach(([element, from], index) => {
      const [x, y] = [from.x - to[index].x, from.y - to[index].y];
      gliding += 1;
      const animation = element.animate([{ transform: `translate(${x}px,${y}px)` }, { transform: "none" }], { duration: GLIDE_MS, easing: "cubic-bezier(.2,.7,.2,1)" });
      animation.onfinish = () => {
        gliding -= 1;
      };
    });
  }

  // Addresses need not follow every frame.
  function link(addressOf) {
    cards.forEach((card, deal) => {
      if (card.element.isConnected) card.anchor.href = addressOf(deal);
    });
  }

  return { draw, link };
}
