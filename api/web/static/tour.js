// Ends the tour in place, by its button or by Esc where nothing else is open; the cookie remembers it.
import { byId } from "./nodes.js";

const tour = byId("tour");

function end() {
  document.cookie = "tour=done; path=/; max-age=31536000; samesite=lax";
  const had = tour.contains(document.activeElement);
  tour.remove();
  if (had) byId("main").focus({ preventScroll: true });
}

byId("tour-end").addEventListener("click", (event) => {
  event.preventDefault();
  end();
});
document.addEventListener("keydown", (event) => {
  const itsOwn = event.target.closest?.("input, select, textarea, dialog") || document.querySelector(":popover-open");
  if (event.key === "Escape" && !itsOwn && tour.isConnected) end();
});
