// Where a deal's page tells of an event: docked beside the ledger, or in a sheet beside what it is of.
import { byId } from "./nodes.js";

export const docked = matchMedia("(min-width: 1001px)");
const PEEKS = 80; // pixels
let at = null;

// Whether what is opened is seen without scrolling.
export function inSight() {
  return !docked.matches || byId("inspector").getBoundingClientRect().top < innerHeight - PEEKS;
}

export function hasTip(one) {
  return at === one && byId("tip").matches(":popover-open");
}

export function hideTip() {
  const tip = byId("tip");
  if (tip.matches(":popover-open")) tip.hidePopover();
}

function place(tip) {
  const box = at.getBoundingClientRect();
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const left = Math.max(8, Math.min(room, box.left + box.width / 2 - tip.offsetWidth / 2));
  const [above, lowest] = [box.top - tip.offsetHeight - 8, innerHeight - tip.offsetHeight - 8];
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${(above > 8 ? above : Math.max(8, Math.min(box.bottom + 8, lowest))) + scrollY}px`;
}

// Tells something beside one element; what was told beside it before is replaced where it stands.
export function showTip(one, parts) {
  const tip = byId("tip");
  const within = tip.contains(document.activeElement);
  if (!hasTip(one)) hideTip();
  tip.replaceChildren(...parts);
  delete at?.dataset.open;
  at = one;
  at.dataset.open = "";
  if (!tip.matches(":popover-open")) tip.showPopover({ source: at });
  tip.scrollTop = 0;
  place(tip);
  if (within) tip.focus({ preventScroll: true });
}

function closed(event) {
  if (event.target.id === "tip" && event.newState === "closed" && !event.target.matches(":popover-open")) delete at?.dataset.open;
}

document.addEventListener("toggle", closed, true);
