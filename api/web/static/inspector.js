// Docks the event that was opened last beside the ledger, as the server tells of it. Where there is
// one column, the sheet beside what was opened tells it instead.
import { byId, element, put } from "./nodes.js";
import { docked, showTip } from "./tip.js";

const panel = byId("inspector");
const empty = byId("inspected").firstElementChild;
const styled = dressed();
const GONE = 404;
let opened = ""; // the id of the event
let opener = null;
let asking = null;
let due = null; // what is being opened, while it is asked for

// Loads the style of what is told, which a page without it need not carry.
function dressed() {
  const style = element("link");
  style.rel = "stylesheet";
  style.href = new URL("./inspector.css", import.meta.url);
  document.head.append(style);
  return new Promise((done) => (style.onload = style.onerror = done));
}

// Gives what is told of an event; words in its place where that cannot be had.
async function toldOf(id, signal) {
  const { events, query } = byId("opened-in").dataset;
  const answer = await fetch(`${events}${id}${query}`, { signal, redirect: "manual" });
  if (answer.status === GONE) return element("p", "Nothing is told of this event as of this moment.", "empty");
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return document.adoptNode(page.querySelector(".inspected"));
}

async function asked(id, otherwise) {
  asking?.abort();
  const { signal } = (asking = new AbortController());
  const [told] = await Promise.all([toldOf(id, signal).catch(() => otherwise), styled]);
  return signal.aborted ? null : told;
}

// Opens an event, from the mark, the row or the link that named it.
export async function inspect(id, from, { silent = false } = {}) {
  due = [id, from, { silent }];
  const told = await asked(id, element("p", "This event cannot be shown now.", "empty"));
  if (!told) return;
  due = null;
  if (!docked.matches) return showTip(from.isConnected ? from : byId("plot"), [told]);
  opened = id;
  if (!panel.contains(from)) opener = from;
  fill(told);
  panel.scrollTop = 0;
  if (!silent) put(byId("inspected-said"), `Opened: ${told.querySelector("h3")?.textContent ?? told.textContent}`);
}

function fill(told) {
  byId("inspected").replaceChildren(told);
  byId("inspected-ways").hidden = false;
  for (const button of panel.querySelectorAll("[data-to]:not([data-to=''])")) {
    button.ariaDisabled = String(!told.dataset[button.dataset.to]);
  }
  select();
}

// Marks in the chart and in the ledger which event is open.
function select() {
  for (const one of document.querySelectorAll("#plot [aria-current], .ledger tr[aria-current]")) one.removeAttribute("aria-current");
  if (!opened) return;
  byId(`m-${opened}`)?.setAttribute("aria-current", "true");
  byId(`e-${opened}`)?.setAttribute("aria-current", "true");
}

function close() {
  const within = panel.contains(document.activeElement);
  const back = opener?.isConnected ? opener : byId(`m-${opened}`);
  asking?.abort();
  due = null;
  opened = "";
  byId("inspected").replaceChildren(empty);
  byId("inspected-ways").hidden = true;
  put(byId("inspected-said"), "");
  select();
  if (within) back?.focus();
}

function step(to) {
  const id = byId("inspected").firstElementChild.dataset[to];
  if (id) inspect(id, panel);
}

// After another page came in its place: what is open is told anew, as of the moment of that page.
async function again() {
  select();
  if (due) return inspect(...due);
  if (!opened) return;
  const told = await asked(opened, null);
  if (!told) return;
  const [before, after] = [panel, told].map((root) => [...root.querySelectorAll("details")]);
  if (before.length === after.length) before.forEach((one, place) => (after[place].open = one.open));
  fill(told);
}

function clicked(event) {
  const { to } = event.target.closest("[data-to]")?.dataset ?? {};
  if (to) step(to);
  else if (to === "") close();
}

const keys = { ArrowLeft: "previous", ArrowRight: "following" };

function pressed(event) {
  if (!opened || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  if (event.key === "Escape" && !document.querySelector(":popover-open")) close();
  else if (event.key in keys && panel.contains(event.target)) {
    event.preventDefault();
    step(keys[event.key]);
  }
}

panel.addEventListener("click", clicked);
document.addEventListener("keydown", pressed);
document.addEventListener("shown", again);
