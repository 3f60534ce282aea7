// What stands beside the board of a replay: what changed, and the waterfall with its events.
import { byId as $, element, retell } from "./nodes.js";
import { field, momentText, whenText } from "./tape.js";
import { partAmount, waterfall } from "./waterfall.js";

function anchorTo(href, text) {
  const anchor = element("a", text);
  anchor.href = href;
  return anchor;
}

function accountOf(film, deal, first, last) {
  const seen = last.deals[deal] ?? first.deals[deal];
  return seen ? film.tape.labels[seen[field.LABEL]][0] : "";
}

// What changed between two scenes; `since` is empty for the latest changes.
export function drawChanges(film, { first, last }, rows, since, addressOf) {
  const count = rows.length.toLocaleString("en");
  retell($("changes-head"), since ? `${count} ${rows.length === 1 ? "deal" : "deals"} changed ${since}` : "Latest changes");
  const kept = rows.slice(0, film.limits.rows);
  const list = $("changes");
  while (list.children.length > kept.length) list.lastElementChild.remove();
  while (list.children.length < kept.length) list.append(changeItem());
  kept.forEach((row, index) => {
    const item = list.children[index];
    const [anchor, when, text] = item.children;
    anchor.href = addressOf(row.deal);
    retell(anchor, accountOf(film, row.deal, first, last));
    retell(when, since ? "" : whenText(film, row.since));
    retell(text, row.text);
    item.classList.toggle("hot", row.hot);
  });
  $("changes-more").hidden = rows.length <= kept.length;
  retell($("changes-more"), `and ${(rows.length - kept.length).toLocaleString("en")} more`);
}

function changeItem() {
  const item = element("li");
  item.append(element("a"), element("small"), element("p"));
  return item;
}

// The cells between two scenes, the one that is opened with its events.
export function drawWaterfall(film, { first, last }, opened, addressOf) {
  const list = $("waterfall");
  const known = new Map([...list.children].map((item) => [item.dataset.cell, item]));
  const items = waterfall(film, first, last).map((cell) => fillCell(known.get(cell.key) ?? cellItem(cell), cell, opened === cell.key && partsOf(film, cell, first, last), addressOf));
  for (const item of [...list.children]) if (!items.includes(item)) item.remove();
  items.forEach((item, index) => {
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
}

// The instants themselves are told even where nothing else changes between them.
export function drawSpan({ first, last, whole }) {
  retell($("waterfall-span"), `From ${whole ? "the beginning of the quarter" : momentText(first.at)} to ${momentText(last.at)}`);
}

function cellItem(cell) {
  const item = element("li");
  Object.assign(item.dataset, { cell: cell.key, sign: cell.sign });
  item.id = `cell-${cell.key}`;
  const bar = element("span", "", "bar");
  bar.ariaHidden = "true";
  bar.append(element("i"));
  item.append(element("a", cell.name), element("span", "", "number"), element("span", "", "number"), bar);
  return item;
}

function fillCell(item, cell, parts, addressOf) {
  const [anchor, deals, amounts, bar] = item.children;
  const href = `${addressOf({ cell: parts ? null : cell.key })}#cell-${cell.key}`;
  if (anchor.getAttribute("href") !== href) anchor.href = href;
  anchor.ariaExpanded = String(Boolean(parts));
  retell(deals, String(cell.deals));
  retell(amounts, cell.amount);
  Object.assign(bar.firstElementChild.style, { left: `${cell.left}%`, width: `${cell.width}%` });
  item.querySelector(".parts")?.remove();
  if (parts) item.append(parts);
  return item;
}

function partsOf(film, cell, first, last) {
  const list = element("ol", "", "parts");
  list.append(...cell.parts.map((part) => {
    const item = element("li");
    const anchor = anchorTo(`/replay/events/${part.position}`, accountOf(film, part.deal, first, last));
    item.append(anchor, " ", element("span", partAmount(film, part), "number"), element("span", part.what));
    return item;
  }));
  return list;
}
