// Scrubs the replay of a quarter: what is shown is a pure function of the instant, and of the instant
// A that it is compared with. Layout is read only while much moves, and before anything is written.
import { byId as $, put, retell } from "./nodes.js";
import { boardOn } from "./replay_board.js";
import { drawChanges, drawSpan, drawWaterfall } from "./replay_lists.js";
import { runnersOn } from "./replay_runners.js";
import { clock, figures, instantText, latestRows, micros, placeOf, prepare, rowsBetween, sceneAt } from "./tape.js";

const DAY = 86_400e6; // in microseconds, as all instants
const SECOND = 1e6;
const SETTLED_MS = 200;
// While it plays or is scrubbed the playhead moves with every frame; what is shown follows as fast as
// it is seen, the board and the lists beside it in frames of their own.
const BOARD_MS = 40;
const LISTS_MS = 120;
const PLAY = "M4 2.5v11L13 8z";
const PAUSE = "M3.5 2.5h3.4v11H3.5zM9.1 2.5h3.4v11H9.1z";
const root = $("replay");
const scrubber = $("second");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const figureParts = new Map([...document.querySelectorAll("[data-figure]")].map((part) => [part.dataset.figure, { part, told: $(`how-${part.dataset.figure}`).querySelector("dd.comes-to") }]));
const places = [...document.querySelectorAll("[data-place]")];
const link = new URL($("link").href); // of what is shown, once it has settled
const cut = link.searchParams.get("as_of"); // which only the link that is copied always names
if (!new URL(location.href).searchParams.get("as_of")) link.searchParams.delete("as_of");

const film = await load();
const lowest = Math.max(film.start, film.first);
const board = boardOn($("board"), $("card"), film, () => run && !calm.matches);
const runners = runnersOn(film);
let at = within(micros(link.searchParams.get("at")));
let pinned = link.searchParams.has("from") ? sceneAt(film, micros(link.searchParams.get("from"))) : null;
let opened = new URL(location.href).searchParams.get("cell");
let shown = null;
let drawnAgainst = null;
let run = null; // while it plays: from which instant, since when, and at how many days a second
let scrubbing = false;
let queued = false;
let settling = 0;
let drawn = 0; // when the scene was drawn last, and the lists beside the board
let listed = 0;
let rows = []; // the deals that changed since A
let behind = false; // whether the lists are of an earlier scene than the board

async function load() {
  const data = JSON.parse($("tape").textContent);
  for (let rest = data.rest; rest; ) {
    const query = new URLSearchParams({ as_of: rest.as_of, until: rest.until, hindsight: data.hindsight ? "1" : "0", skip: rest.skip });
    const part = await (await fetch(`${link.pathname}/tape?${query}`)).json();
    data.tape.deals.push(...part.deals);
    rest = part.next === null ? null : { ...rest, skip: part.next };
  }
  return prepare(data);
}

function within(instant) {
  return Math.max(lowest, Math.min(film.last, instant));
}

function addressOf(changes) {
  const url = new URL(link);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url.pathname + url.search;
}

function dealAddress(deal) {
  return `/deals/${film.tape.deals[deal][0]}?${new URLSearchParams({ [film.hindsight ? "effective_at" : "as_of"]: instantText(at) })}`;
}

// The two scenes that are told apart, the earlier one first.
function ends() {
  const other = pinned ?? sceneAt(film, film.first);
  const [first, last] = other.at <= shown.at ? [other, shown] : [shown, other];
  return { first, last, whole: !pinned };
}

// Whether it moves faster than all of it is worth drawing.
function hurried() {
  return Boolean(run) || scrubbing;
}

// Shows the instant: at rest all of it, else the playhead and what is due, of which one thing a frame.
function draw() {
  queued = false;
  const now = performance.now();
  if (!hurried()) drawInstant();
  else if (behind && now - listed >= LISTS_MS) drawLists();
  else if (shown.at !== at && now - drawn >= BOARD_MS) drawInstant();
  if (!run || calm.matches) drawPlace();
  if (scrubbing && (behind || shown.at !== at)) queue();
}

function drawInstant() {
  drawn = performance.now();
  board.show(hurried());
  const changed = shown?.place !== placeOf(film, at) || drawnAgainst !== pinned || board.short();
  shown = changed ? sceneAt(film, at) : { ...shown, at };
  if (changed) drawScene();
  drawPlace();
  drawFigures();
  drawSpan(ends());
  if (behind && !hurried()) drawLists();
  drawnAgainst = pinned;
  clearTimeout(settling);
  if (!run) settling = setTimeout(settle, SETTLED_MS);
}

function drawPlace() {
  mark("--x", at);
  scrubber.value = String(Math.floor((at - film.start) / SECOND));
  retell($("clock"), clock(at));
}

// Set where it is used: on an element above, it would have the style of every card found anew.
function mark(name, instant) {
  const percent = 100 * Math.min(1, Math.max(0, (instant - film.start) / (film.end - film.start)));
  for (const place of places) place.style.setProperty(name, String(percent));
}

function drawFigures() {
  for (const [key, [text, below]] of Object.entries(figures(film, shown, pinned))) {
    const { part, told } = figureParts.get(key);
    retell(part.firstElementChild, text);
    retell(part.lastElementChild, below);
    retell(told, text);
    part.classList.toggle("unknown", text.startsWith("unknown"));
  }
}

function drawScene() {
  const span = ends();
  rows = pinned ? rowsBetween(film, span.first, span.last) : [];
  behind = true;
  board.draw(shown, new Map(rows.map((row) => [row.deal, row.hot ? 2 : 1])));
}

function drawLists() {
  behind = false;
  listed = performance.now();
  const span = ends();
  const since = shown.at >= pinned?.at ? "since A" : "against A";
  drawChanges(film, span, pinned ? rows : latestRows(film, shown.place, film.limits.latest), pinned ? since : "", dealAddress);
  drawWaterfall(film, span, opened, addressOf);
}

// Addresses, and what assistive technology is told, follow when the instant stays.
function settle() {
  if (scrubbing) {
    rest();
    return;
  }
  link.searchParams.set("at", instantText(at));
  if (pinned) link.searchParams.set("from", instantText(pinned.at));
  else link.searchParams.delete("from");
  history.replaceState(null, "", addressOf({ cell: opened }));
  $("link").href = addressOf({ as_of: cut });
  scrubber.setAttribute("aria-valuetext", clock(at));
  for (const anchor of document.querySelectorAll("[data-hindsight]")) anchor.href = addressOf({ hindsight: anchor.dataset.hindsight });
  board.link(dealAddress);
  drawLists();
}

function seek(instant) {
  at = within(instant);
  queue();
}

function queue() {
  if (queued) return;
  queued = true;
  requestAnimationFrame(draw);
}

function step(by) {
  play(false);
  const place = placeOf(film, at);
  const before = film.instants[place] === at ? place - 1 : place;
  seek(film.instants[by > 0 ? place + 1 : before] ?? (by > 0 ? film.last : lowest));
}

function go(instant) {
  play(false);
  seek(instant);
}

function scrub() {
  scrubbing = true;
  go(film.start + Number(scrubber.value) * SECOND);
}

function rest() {
  scrubbing = false;
  queue();
}

function play(on) {
  if (on === Boolean(run)) return;
  const button = $("play");
  button.querySelector("path").setAttribute("d", on ? PAUSE : PLAY);
  button.ariaLabel = on ? "Pause" : "Play";
  button.title = `${button.ariaLabel} (space)`;
  if (on) {
    if (at >= film.last) at = lowest;
    run = {}; // the first frame says since when
    requestAnimationFrame(frame);
  } else {
    run = null;
    runners.stop();
    draw();
  }
}

function frame(now) {
  if (!run) return;
  const speed = Number($("speed").value);
  if (run.speed !== speed) begin({ from: at, since: now, speed });
  at = within(run.from + Math.round(((now - run.since) / 1000) * speed * DAY));
  draw();
  if (at >= film.last) play(false);
  else requestAnimationFrame(frame);
}

function begin(anew) {
  run = anew;
  if (!calm.matches) runners.go(run, pinned?.at);
}

// Where it runs along is another place since the frame before.
function turned() {
  if (run) run = {};
}

function pin() {
  pinned = pinned ? null : sceneAt(film, at);
  root.toggleAttribute("data-comparing", Boolean(pinned));
  if (pinned) mark("--a", at);
  put($("pin"), pinned ? "Stop comparing" : "Compare from here");
  turned();
  draw();
}

function toggle(cell) {
  opened = opened === cell ? null : cell;
  settle();
}

const links = { first: () => go(lowest), before: () => step(-1), after: () => step(1), pin };
const keys = { " ": () => play(!run), c: pin, ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => go(lowest), End: () => go(film.last) };

function clicked(event) {
  const anchor = event.target.closest("a");
  const cell = anchor?.parentElement.dataset.cell;
  const action = links[anchor?.id] ?? (cell && (() => toggle(cell)));
  if (!action || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  action();
}

// The addresses that wait until the instant stays are asked for.
function followed(event) {
  if (!event.target.closest("#board a, [data-hindsight], #link")) return;
  play(false);
  scrubbing = false;
  settle();
}

function pressed(event) {
  const { target, key } = event;
  const typing = target.closest("select, textarea, input:not([type=range])");
  const itsOwn = key === " " && target.closest("a, button, summary");
  const scrolls = key.startsWith("Arrow") && target.closest("#board");
  if (!keys[key] || typing || itsOwn || scrolls || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[key]();
}

draw();
for (const kind of ["click", "auxclick"]) document.addEventListener(kind, followed, true);
document.addEventListener("click", clicked);
document.addEventListener("keydown", pressed);
$("play").addEventListener("click", () => play(!run));
scrubber.addEventListener("input", scrub);
scrubber.addEventListener("change", rest);
addEventListener("resize", turned);
for (const added of [$("play"), ...document.querySelectorAll(".speed, .keys")]) added.hidden = false;
document.querySelector(".show").hidden = true;
root.dataset.ready = "";
