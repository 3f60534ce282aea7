// Lets a card be dragged to another column: it fills in and sends the card's own form.
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

begin();
document.addEventListener("shown", begin);
