// Adds to the chart what needs script: one tab stop with arrow keys, and a tip for each mark.
import { byId } from "./nodes.js";

const LANES = ["customer", "seller", "other"];
const MARK = "m-"; // before the id of its event
const HOVER_MS = 150;
let tip;
let texts; // what is told of each mark, asked for when somebody comes near one
let marks; // in order of time
let lanes;
let current;
let opened = null;
let wanted = null;
let waiting = 0;

// Takes up the chart of the page; again when another page has come in its place.
function begin() {
  if (tip === byId("tip")) return;
  const [plot, scroll, before] = [byId("plot"), byId("scroll"), current?.id];
  tip = byId("tip");
  texts = null;
  marks = [...plot.querySelectorAll(".mark")];
  lanes = LANES.filter((lane) => marks.some(isIn(lane)));
  current = marks.find((mark) => mark.id === before) ?? marks[0];
  for (const mark of marks) mark.tabIndex = mark === current ? 0 : -1;
  for (const rest of plot.querySelectorAll(".rest")) rest.tabIndex = -1;
  if (!before) scroll.scrollLeft = scroll.scrollWidth;
  scroll.tabIndex = -1; // the marks in it take the focus and scroll it
  byId("keys").hidden = false;
  tip.addEventListener("toggle", closed);
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

function line(tag, text, kind = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = kind;
  return element;
}

function load() {
  const { tips } = byId("plot").dataset;
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

function fill(mark, text) {
  const link = line("a", "Show in the ledger");
  link.href = mark.getAttribute("href");
  tip.replaceChildren(
    line("h3", text.title),
    line("p", text.when, "quiet"),
    ...text.lines.map((words) => line("p", words)),
    ...text.why.map((words) => line("p", words, "why")),
    line("p", text.foot, "quiet"),
    link,
  );
}

function place(mark) {
  const at = mark.getBoundingClientRect();
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const left = Math.max(8, Math.min(room, at.left + at.width / 2 - tip.offsetWidth / 2));
  const above = at.top - tip.offsetHeight - 8;
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${(above > 8 ? above : at.bottom + 8) + scrollY}px`;
}

async function show(mark) {
  if (opened === mark && tip.matches(":popover-open")) return;
  wanted = mark;
  const text = await textOf(mark);
  if (wanted !== mark || !mark.isConnected) return;
  if (tip.matches(":popover-open")) tip.hidePopover();
  fill(mark, text);
  tip.showPopover();
  place(mark);
  if (opened) delete opened.dataset.open;
  opened = mark;
  mark.dataset.open = "";
}

function closed(event) {
  if (event.newState === "closed" && !tip.matches(":popover-open") && opened) delete opened.dataset.open;
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
  show(mark);
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
