// Puts a page that was fetched in the place of the one that is shown, without moving or taking away
// what a person points at, has focused, selected or opened, or is typing in.
import { byId } from "./nodes.js";

export const main = byId("main");
const canHover = matchMedia("(hover: hover)");
const seen = new Map(); // what each part said when it came from the server
const held = new Map(); // by its tag each part that has one, as it came: the server need not send it again

// What no later look would mend: the reader is signed out, or may not see the page any more.
export class Ended extends Error {}

// Gives the main part of a page, whole, with its title.
export async function fetchMain(url, signal) {
  const answer = await fetch(url, { signal, headers: { "Dealtrail-Held": [...held.keys()].join() }, redirect: "manual", cache: "no-store" });
  if (answer.type === "opaqueredirect") throw new Ended("You are signed out. Sign in again to see what others do.");
  if (answer.status < 500 && answer.status >= 400 && answer.status !== 429) throw new Ended("This page cannot be shown any more.");
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("main");
  fresh.dataset.title = page.title;
  for (const place of fresh.querySelectorAll("[data-held]")) {
    const part = held.get(place.dataset.held);
    if (!part) throw new Error("a part was replaced meanwhile");
    place.replaceWith(part.cloneNode(true));
  }
  return fresh;
}

function partsOf(root) {
  const parts = [...root.querySelectorAll("[data-part]")];
  return parts.length ? parts : [root];
}

// What a part says, apart from the moment that it was asked at, and what its forms carry of it.
function said(part) {
  if (part.dataset.tag) return part.dataset.tag;
  const copy = part.cloneNode(true);
  for (const moment of copy.querySelectorAll("[data-moment], input[type=hidden]")) moment.remove();
  return copy.innerHTML;
}

function note(part) {
  held.delete(seen.get(part.dataset.part));
  seen.set(part.dataset.part, said(part));
  if (part.dataset.tag) held.set(part.dataset.tag, part.cloneNode(true));
}

function remember(root) {
  seen.clear();
  held.clear();
  partsOf(root).forEach(note);
}

function isChanged(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
  const given = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
  return field.value !== given?.value;
}

function filledIn(root) {
  return [...root.querySelectorAll("form")].filter((form) => [...form.querySelectorAll("input:not([type=range]), select, textarea")].some(isChanged));
}

// Several forms lead to one address, and tell there what they are.
function nameOf(form) {
  return [form.id, form.getAttribute("action"), form.elements.namedItem("form")?.value].join(" ");
}

function inUse(part) {
  const focused = document.activeElement;
  const selection = getSelection();
  return (
    (part !== focused && part.contains(focused)) ||
    (!selection.isCollapsed && part.contains(selection.anchorNode)) ||
    Boolean(part.querySelector(":popover-open, .held")) ||
    (canHover.matches && (part === main ? main.querySelector(":scope > * :hover") !== null : part.matches(":hover"))) ||
    filledIn(part).length > 0
  );
}

// Keeps at its height what is pointed at, or else what is read: the first thing in the window.
function anchored(change, at) {
  const inWindow = (one) => one.getClientRects().length && one.getBoundingClientRect().top >= 0;
  const read = scrollY ? [...main.querySelectorAll("[id]")].find(inWindow) : null;
  const anchors = [at, [...main.querySelectorAll(":hover")].at(-1), read].filter(Boolean);
  const tops = anchors.map((one) => one.getBoundingClientRect().top);
  change();
  const now = anchors.map((one) => (one.isConnected ? one : one.id ? byId(one.id) : null));
  const place = now.findIndex(Boolean);
  if (place >= 0) scrollBy({ top: now[place].getBoundingClientRect().top - tops[place], behavior: "instant" });
}

// Takes over what a person has opened, scrolled and filled in, by its place and by its form, and
// what a script has filled and looks after itself.
function carry(old, fresh, kept) {
  for (const kind of ["details", ".scroll, .wide-table, .columns"]) {
    const [before, after] = [old, fresh].map((root) => [...root.querySelectorAll(kind)]);
    if (before.length !== after.length) continue;
    before.forEach((one, place) => {
      if (one.open) after[place].open = true;
      if (one.scrollLeft) after[place].dataset.scrolled = one.scrollLeft;
    });
  }
  for (const form of filledIn(old)) {
    if (kept && form.id === kept) continue;
    const same = [...fresh.querySelectorAll("form")].find((one) => nameOf(one) === nameOf(form));
    same?.replaceWith(form);
  }
  for (const one of old.querySelectorAll("[data-stays]")) {
    if (one.scrollTop) one.dataset.scrolledDown = one.scrollTop;
    fresh.querySelector(`#${one.id}`)?.replaceWith(one);
  }
}

function scrollBack(root) {
  for (const one of root.querySelectorAll("[data-scrolled]")) {
    one.scrollLeft = one.dataset.scrolled;
    delete one.dataset.scrolled;
  }
  for (const one of root.querySelectorAll("[data-scrolled-down]")) {
    one.scrollTop = one.dataset.scrolledDown;
    delete one.dataset.scrolledDown;
  }
}

// Around one child that stays, and keeps the focus that it may have.
function replaceChildren(fresh, kept) {
  const [stays, goes] = [main, fresh].map((root) => (kept ? root.querySelector(`:scope > #${kept}`) : null));
  if (!stays || !goes) return main.replaceChildren(...fresh.childNodes);
  while (main.firstChild !== stays) main.firstChild.remove();
  while (stays.nextSibling) stays.nextSibling.remove();
  while (fresh.firstChild !== goes) main.insertBefore(fresh.firstChild, stays);
  while (goes.nextSibling) main.append(goes.nextSibling);
}

function shown(fresh) {
  for (const name of ["live", "stream"]) {
    if (name in fresh.dataset) main.dataset[name] = fresh.dataset[name];
    else delete main.dataset[name];
  }
  document.title = fresh.dataset.title;
  scrollBack(main);
  document.dispatchEvent(new Event("shown"));
}

// Shows all of another page; of this one stays the child named, where it is.
export function showAll(fresh, kept) {
  remember(fresh);
  anchored(
    () => {
      carry(main, fresh, kept);
      replaceChildren(fresh, kept);
    },
    kept && byId(kept),
  );
  shown(fresh);
}

// Cards that are in one of these parts before and in another after: both wait for each other.
function movedBetween(pairs) {
  const ids = (root) => [...root.querySelectorAll("[data-deal]")].map((card) => card.dataset.deal);
  const before = new Map(pairs.flatMap(([old], place) => ids(old).map((id) => [id, place])));
  return pairs.flatMap(([, fresh], place) => ids(fresh).flatMap((id) => (before.get(id) !== undefined && before.get(id) !== place ? [[before.get(id), place]] : [])));
}

function waitingOf(changed) {
  const waits = changed.map(([old]) => inUse(old));
  const moves = movedBetween(changed);
  for (let again = true; again; ) {
    again = false;
    for (const [one, other] of moves) {
      if (waits[one] === waits[other]) continue;
      waits[one] = waits[other] = again = true;
    }
  }
  return waits;
}

// Whether a page says something else than what is shown.
export function differs(fresh) {
  const parts = partsOf(fresh);
  return parts.length !== seen.size || parts.some((part) => seen.get(part.dataset.part) !== said(part));
}

function markFresh(old, part) {
  const before = new Map([...old.querySelectorAll("[data-deal]")].map((card) => [card.dataset.deal, card.textContent]));
  for (const card of part.querySelectorAll("[data-deal]")) {
    if (before.get(card.dataset.deal) !== card.textContent) card.dataset.fresh = "";
  }
}

// Shows what changed, part by part; gives whether some of it waits, because it is in use.
export function showParts(fresh) {
  const [old, next] = [partsOf(main), partsOf(fresh)];
  const key = (part) => part.dataset.part ?? "";
  if (old[0] === main || old.map(key).join() !== next.map(key).join()) {
    if (inUse(main)) return true;
    showAll(fresh);
    return false;
  }
  const changed = old.map((part, place) => [part, next[place]]).filter(([, part]) => seen.get(key(part)) !== said(part));
  const waits = waitingOf(changed);
  const free = changed.filter((_, place) => !waits[place]);
  anchored(() => {
    for (const [before, part] of free) {
      note(part);
      const copy = part.cloneNode(true); // of what is fetched the rest may have to wait
      carry(before, copy);
      markFresh(before, copy);
      before.replaceWith(copy);
    }
  });
  if (free.length) shown(fresh);
  return waits.includes(true);
}

remember(main);
