// Leads the whole page of a deal through the instants at which it was told something. The server draws
// each; the address is that of the same page without script, and Back leads to where scrubbing began.
import { byId, put } from "./nodes.js";
import { fetchMain, showAll } from "./swap.js";

const SETTLED_MS = 100;
let slider;
let steps; // position and time of each event
let settling = 0;
let asking = null;
let shown = location.search;

function begin() {
  if (slider === byId("slider")) return;
  slider = byId("slider");
  steps = JSON.parse(byId("steps").textContent);
  slider.addEventListener("input", slid);
  byId("slide").hidden = false;
  name();
}

function name() {
  const step = Number(slider.value);
  const told = steps[step - 1];
  const text = told ? `event ${step} of ${steps.length}, ${told[1]}` : `all ${steps.length} events, now`;
  put(byId("slid"), text);
  slider.setAttribute("aria-valuetext", text);
}

function slid() {
  name();
  clearTimeout(settling);
  settling = setTimeout(() => {
    const url = new URL(location.href);
    const told = steps[slider.value - 1];
    url.hash = "";
    if (told) url.searchParams.set("as_of", `position:${told[0]}`);
    else url.searchParams.delete("as_of");
    go(url, true);
  }, SETTLED_MS);
}

async function go(url, scrubbed) {
  asking?.abort();
  const own = (asking = new AbortController());
  try {
    const fresh = await fetchMain(url, own.signal);
    if (scrubbed) history[history.state?.scrubbed ? "replaceState" : "pushState"]({ scrubbed }, "", url);
    shown = url.search;
    take(fresh, scrubbed);
  } catch (error) {
    if (!own.signal.aborted) put(byId("slid"), `cannot be shown now: ${error.message}`);
  }
}

// The slider stays, with its focus, and the rest of its form follows.
function take(fresh, scrubbed) {
  const { max, value } = fresh.querySelector("#slider");
  slider.max = max;
  if (!scrubbed || value === max) slider.value = value;
  for (const id of ["slide-marks", "at", "steps"]) byId(id).replaceWith(fresh.querySelector(`#${id}`));
  steps = JSON.parse(byId("steps").textContent);
  showAll(fresh, "scrubber");
  name();
  document.dispatchEvent(new Event("moved"));
}

begin();
document.addEventListener("shown", begin);
addEventListener("popstate", () => {
  if (location.search !== shown) go(new URL(location.href), false);
});
