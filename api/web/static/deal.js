// Adds to the chart what needs script: one tab stop with arrow keys, and a tip for each mark.
import { byId, element } from "./nodes.js";
import { open } from "./opening.js";
import { docked, hasTip, hideTip, inSight, showTip } from "./tip.js";

const LANES = ["customer", "seller", "other"];
const MARK = "m-"; // before the id of its event
const HOVER_MS = 150;
let plot;
let texts; // what is told of each mark, asked for when somebody comes near one
let marks; // in order of time
let lanes;
let current;
let wanted = null;
let waiting = 0;

// Takes up the chart of the page; again when another page has come in its place.
function begin() {
  if (plot === byId("plot")) return;
  const [scroll, before] = [byId("scroll"), current?.id];
  plot = byId("plot");
  texts = null;
  marks = [...plot.querySelectorAll(".mark")];
  lanes = LANES.filter((lane) => marks.some(isIn(lane)));
  current = marks.find((mark) => mark.id === before) ?? marks[0];
  for (const mark of marks) mark.tabIndex = mark === current ? 0 : -1;
  for (const rest of plot.querySelectorAll(".rest")) rest.tabIndex = -1;
  if (!before) scroll.scrollLeft = scroll.scrollWidth;
  scroll.tabIndex = -1; // the marks in it take the focus and scroll it
  byId("keys").hidden = false;
  plot.addEventListener("keydown", pressed);
  plot.addEventListener("click", clicked);
  plot.addEventListener("focusin", focused);
  plot.addEventListener("pointerenter", load);
  plot.addEventListener("pointerover", pointed);
  plot.addEventListener("pointerleave", () => clearTimeout(waiting));
}

function go(mark) {
  if (!mark) return;
  current.tabIndex = -1;
  current = mark;
  mark.tabIndex = 0;
  mark.focus();
  mark.scrollIntoView({ inline: "nearest", block: "nearest" });
}

function isIn(lane) {
  return (mark) => mark.classList.contains(lane);
}

function across(step) {
  const lane = lanes[lanes.findIndex((one) => isIn(one)(current)) + step];
  const far = (mark) => Math.abs(parseFloat(mark.style.left) - parseFloat(current.style.left));
  return marks.filter(isIn(lane)).sort((a, b) => far(a) - far(b))[0];
}

function nextShaped() {
  const later = marks.slice(marks.indexOf(current) + 1);
  const shaped = (mark) => mark.classList.contains("hot");
  return later.find(shaped) ?? marks.find(shaped);
}

const keys = {
  ArrowRight: () => marks[marks.indexOf(current) + 1],
  ArrowLeft: () => marks[marks.indexOf(current) - 1],
  ArrowUp: () => across(-1),
  ArrowDown: () => across(1),
  Home: () => marks[0],
  End: () => marks.at(-1),
  p: nextShaped,
};

function load() {
  const { tips } = plot.dataset;
  texts ??= fetch(tips, { redirect: "manual" }).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
  return texts;
}

// What is told of a mark; what the chart itself says of it while the server is away, and of what is
// dated a little ahead, which is not yet true at the moment of the page.
async function textOf(mark) {
  const asked = load();
  const told = await asked;
  if (!told && texts === asked) texts = null;
  return told?.[mark.id.slice(MARK.length)] ?? { title: mark.getAttribute("aria-label"), when: "", lines: [], why: [], foot: "" };
}

// What is told in short, beside the mark; the way to all of it where it is docked out of sight.
async function show(mark) {
  if (hasTip(mark)) return;
  wanted = mark;
  const text = await textOf(mark);
  if (wanted !== mark || !mark.isConnected) return;
  const ways = [element("a", "Show in the ledger")];
  ways[0].href = mark.getAttribute("href");
  if (docked.matches) ways.push(wayToAll(mark));
  showTip(mark, [
    element("h3", text.title),
    element("p", text.when, "quiet"),
    ...text.lines.map((words) => element("p", words)),
    ...text.why.map((words) => element("p", words, "why")),
    element("p", text.foot, "quiet"),
    ...ways,
  ]);
}

function wayToAll(mark) {
  const way = element("a", "Facts and evidence");
  way.href = "#inspector";
  way.addEventListener("click", () => {
    hideTip();
    opened(mark);
  });
  return way;
}

function opened(mark) {
  open(mark.id.slice(MARK.length), mark);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !event.target.closest(".mark")) return;
  const target = keys[event.key]?.();
  if (!(event.key in keys)) return;
  event.preventDefault();
  go(target);
}

function clicked(event) {
  const mark = event.target.closest(".mark");
  if (!mark || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(mark);
  clearTimeout(waiting);
  wanted = null;
  opened(mark);
  if (!inSight()) show(mark);
}

function focused(event) {
  const mark = event.target.closest(".mark");
  if (mark) load();
  if (mark && mark !== current) {
    current.tabIndex = -1;
    current = mark;
    mark.tabIndex = 0;
  }
}

function pointed(event) {
  clearTimeout(waiting);
  const mark = event.target.closest(".mark");
  if (mark && event.pointerType === "mouse") waiting = setTimeout(() => show(mark), HOVER_MS);
}

begin();
document.addEventListener("shown", begin);
