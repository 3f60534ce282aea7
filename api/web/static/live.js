// Shows what others do, within a second and said once: an event is followed by one look at the page,
// and what changed in it is put in place, or waits until it is in nobody's way.
import { follower } from "./follow.js";
import { element, put } from "./nodes.js";
import { Ended, differs, fetchMain, main, showAll, showParts } from "./swap.js";

const GATHER_MS = 40; // events come in runs
const RESTS = 1; // after a look, so many times as long as it took, so that looks are never all one does
const TRY_MS = 250;
const MOST_FAILURES = 7; // half a minute between looks
const SAID_MS = 5000;

const note = element("div", "", "live-note");
const words = element("p");
const button = element("button", "Show", "button");
words.role = "status";
button.type = "button";
button.hidden = true;
note.append(words, button);
document.body.append(note);

const follow = follower(heard, () => end("Your session has ended: what others do is not shown any more. Sign in again to follow it."));
let news = []; // events that are not shown yet
let fresh = null; // the page with them, while some of it waits
let taken = 0; // the position of the page that was fetched last
let looking = false;
let planned = 0;
let rested = 0; // when the next look may be
let trying = 0;
let quiet = 0;
let failures = 0;

function say(text, { waits = false, stays = false } = {}) {
  clearTimeout(quiet);
  put(words, text);
  button.hidden = !waits;
  if (text && !waits && !stays) quiet = setTimeout(() => say(""), SAID_MS);
}

function end(text) {
  follow.stop();
  news = [];
  settled();
  say(text, { stays: true });
}

function concerns(event) {
  const [kind] = event.stream_id.split(":");
  return kind === "deal" && main.dataset.stream ? event.stream_id === main.dataset.stream : kind !== "forecast";
}

function heard(events) {
  const told = events.filter((event) => event.position > taken && concerns(event));
  if (!told.length) return;
  news.push(...told.map(({ position, stream_id }) => ({ position, stream_id })));
  plan(GATHER_MS);
}

function plan(ms) {
  if (looking || planned) return;
  planned = setTimeout(look, Math.max(ms, rested - performance.now()));
}

async function look() {
  looking = true;
  planned = 0;
  const [began, at] = [performance.now(), location.href];
  let rest = TRY_MS * 2 ** failures; // the views lag the log, or the server is away
  try {
    const found = await fetchMain(at);
    if (at === location.href && "live" in main.dataset) {
      if (take(found)) rest = RESTS * (performance.now() - began);
      failures = 0;
    }
  } catch (error) {
    failures = Math.min(failures + 1, MOST_FAILURES);
    if (error instanceof Ended) end(error.message);
  }
  looking = false;
  rested = performance.now() + rest;
  if (news.some((event) => event.position > taken)) plan(0);
}

// Gives whether the page has news in it; what came since then, the next look shows.
function take(found) {
  const position = Number(found.dataset.live);
  if (position < news.find((event) => event.position > taken)?.position) return false;
  taken = position;
  if (!differs(found)) {
    main.dataset.live = position;
    settled();
    return true;
  }
  fresh = found;
  const text = wordsOf(found);
  if (showParts(found)) {
    say(text, { waits: true });
    waitOn();
  } else {
    settled();
    say(text);
  }
  return true;
}

function waitOn() {
  clearInterval(trying);
  trying = setInterval(() => {
    if (showParts(fresh)) return;
    settled();
  }, TRY_MS);
}

// All that was fetched is shown; nothing is left to be said of it.
function settled() {
  clearInterval(trying);
  fresh = null;
  news = news.filter((event) => event.position > taken);
  if (!button.hidden) say("");
}

function wordsOf(found) {
  const count = (number, one) => `${number} ${one}${number === 1 ? "" : "s"}`;
  const told = news.filter((event) => event.position <= taken);
  if (main.dataset.stream) return count(told.length, "new event");
  const deals = [...new Set(told.map((event) => event.stream_id).filter((id) => id.startsWith("deal:")))];
  if (!deals.length) return "The rules or quotas changed";
  if (deals.length > 1) return `${deals.length} deals changed`;
  const link = found.querySelector(`a[href^="/deals/${deals[0].slice(5)}"]`);
  return `${link?.textContent ?? "1 deal"} changed`;
}

button.addEventListener("click", () => {
  showAll(fresh);
  settled();
  main.focus({ preventScroll: true });
});

// A page as of a moment in the past does not change; the scrubber leads to one and back.
function begin() {
  if (!("live" in main.dataset)) return follow.stop();
  taken = Number(main.dataset.live);
  follow.from(taken);
}

document.addEventListener("moved", () => {
  news = [];
  settled();
  begin();
});
begin();
