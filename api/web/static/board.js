// Lets a card be dragged to another column: it fills in and sends the card's own form. A form that
// cannot be sent stays as it is; sent again, it is recorded once, under the key that it has.
import { element } from "./nodes.js";

let held = null;

function optionFor(card, column) {
  const select = card?.querySelector(".move select");
  const found = select && [...select.options].find((one) => one.value === column.dataset.stage);
  return found ? { select, value: found.value } : null;
}

function takeUpCard(card) {
  card.draggable = true;
  card.querySelector("a").draggable = false; // or the link would be dragged and not the card
  card.addEventListener("dragstart", (event) => {
    held = card;
    card.classList.add("held");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.querySelector("a").textContent);
  });
  card.addEventListener("dragend", () => {
    held = null;
    card.classList.remove("held");
    for (const column of document.querySelectorAll(".column")) column.classList.remove("under");
  });
}

function takeUpColumn(column) {
  column.dataset.drops = "";
  column.addEventListener("dragover", (event) => {
    if (!held || !(optionFor(held, column) || column.dataset.closed)) return;
    event.preventDefault();
    column.classList.add("under");
  });
  column.addEventListener("dragleave", (event) => {
    if (!column.contains(event.relatedTarget)) column.classList.remove("under");
  });
  column.addEventListener("drop", (event) => {
    event.preventDefault();
    const target = optionFor(held, column);
    if (target) {
      target.select.value = target.value;
      target.select.form.requestSubmit();
    } else if (held && column.dataset.closed) {
      // how it closed is asked on the page of the deal
      location.assign(`${held.querySelector("a").pathname}?record=deal_${column.dataset.closed}#record`);
    }
  });
}

// Again for the columns that have come in the place of others.
function begin() {
  for (const card of document.querySelectorAll(".card:has(.move):not([draggable])")) takeUpCard(card);
  for (const column of document.querySelectorAll(".column:not([data-drops])")) takeUpColumn(column);
}

function say(form, text) {
  form.querySelector(".unsent")?.remove();
  const note = element("p", text, "unsent error");
  note.setAttribute("role", "alert");
  form.append(note);
  form.closest("details").open = true;
}

async function send(form) {
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.redirected) return form.submit(); // the server says on a page of its own why not
    const target = new URL(answer.url);
    target.hash = new URL(form.elements.back.value, location.href).hash;
    location.assign(target);
  } catch {
    say(form, "Not moved: the server cannot be reached. Move it again shortly.");
  } finally {
    button.disabled = false;
  }
}

begin();
document.addEventListener("shown", begin);
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".move form")) return;
  event.preventDefault();
  send(event.target);
});
