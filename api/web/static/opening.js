// Opens the event that a link of a deal's page names. What tells of it is loaded with the first one.
import { byId } from "./nodes.js";
import { docked, hideTip } from "./tip.js";

const ROW = "#e-"; // before the id of an event
const LINKS = "main a[href*='#e-']:not(.mark, .rest, [data-copy])";
const STAY = ".opens, #inspector .event-id, #tip .event-id"; // and do not lead to the row

export async function open(id, from, how) {
  const { inspect } = await import("./inspector.js");
  inspect(id, from, how);
}

function clicked(event) {
  const link = event.target.closest(LINKS);
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const id = link.hash.slice(ROW.length);
  const tip = link.closest("#tip");
  if (link.matches(STAY)) {
    event.preventDefault();
    open(id, tip ? document.querySelector("[data-open]") : link);
  } else {
    if (tip) hideTip();
    if (docked.matches && link.getAttribute("href").startsWith("#")) open(id, link);
  }
}

document.addEventListener("click", clicked);
const named = location.hash.startsWith(ROW) && byId(location.hash.slice(1));
if (named && docked.matches && !named.matches(".new")) open(named.id.slice(ROW.length - 1), named.querySelector(".opens"), { silent: true });
