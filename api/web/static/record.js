// Makes the forms of events nicer: one that cannot be sent stays as it is, and what was typed outlives
// a reload. Without this they are plain forms; the server decides and says everything either way.
const DRAFT = "draft ";
const OF_PAGE = new Set(["form", "key", "seen"]); // the server's, and new with every page

function fieldsOf(form) {
  return [...form.elements].filter((one) => one.name && one.type !== "submit");
}

function typed(form) {
  const shown = fieldsOf(form).filter((one) => one.type !== "hidden");
  return shown.map((one) => (one.type === "checkbox" ? one.checked : one.value));
}

function keep(form, sent = null) {
  const before = kept(form);
  const values = typed(form);
  if (!sent && !before?.sent && JSON.stringify(values) === form.dataset.empty) return drop(form);
  const draft = { values, sent: sent ?? before?.sent ?? null };
  try {
    sessionStorage.setItem(DRAFT + form.dataset.draft, JSON.stringify(draft));
  } catch {
    // no room, or not allowed: the form works without
  }
}

function kept(form) {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFT + form.dataset.draft));
  } catch {
    return null;
  }
}

function drop(form) {
  try {
    sessionStorage.removeItem(DRAFT + form.dataset.draft);
  } catch {
    // not allowed, so that nothing is kept either
  }
}

function restore(form) {
  form.dataset.empty = JSON.stringify(typed(form));
  const draft = kept(form);
  if (!draft || "fresh" in form.dataset || form.querySelector(".problem, .found")) return;
  const shown = fieldsOf(form).filter((one) => one.type !== "hidden");
  if (shown.length !== draft.values.length) return drop(form);
  shown.forEach((one, place) => {
    if (one.type === "checkbox") one.checked = draft.values[place];
    else one.value = draft.values[place];
  });
  // What was on its way may have arrived: under its key it is recorded once.
  if (draft.sent) for (const [name, value] of Object.entries(draft.sent)) form.elements[name].value = value;
  form.prepend(noticeOf(form, draft.sent));
}

function noticeOf(form, sent) {
  const notice = document.createElement("div");
  notice.className = "draft";
  notice.setAttribute("role", "status");
  const words = document.createElement("span");
  words.textContent = sent
    ? "This was being sent and may have arrived. Sent again, it is recorded once."
    : "What you typed before is here again.";
  const discard = document.createElement("button");
  discard.type = "button";
  discard.className = "button";
  discard.textContent = "Discard it";
  discard.addEventListener("click", () => {
    drop(form);
    location.reload();
  });
  notice.append(words, discard);
  return notice;
}

function say(form, title, text, link = null) {
  form.querySelector(".problem")?.remove();
  const box = document.createElement("div");
  box.className = "problem";
  box.tabIndex = -1;
  box.setAttribute("role", "alert");
  const line = document.createElement("p");
  const bold = document.createElement("b");
  bold.textContent = title;
  line.append(bold, ` ${text} `);
  if (link) line.append(link);
  box.append(line);
  form.prepend(box);
  box.focus();
  form.querySelector("[type=submit]").textContent = "Send it again";
}

function signInLink() {
  const link = document.createElement("a");
  link.href = "/sign-in";
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = "Sign in on another page";
  return link;
}

async function send(form) {
  const button = form.querySelector("[type=submit]");
  const status = form.querySelector(".sending");
  const { key, seen } = form.elements;
  keep(form, { key: key.value, seen: seen.value });
  button.disabled = true;
  status.textContent = "Sending …";
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    await follow(form, answer);
  } catch {
    say(form, "Not sent.", "The server cannot be reached. What you typed is kept; it is recorded once, however often you send it.");
  } finally {
    button.disabled = false;
    status.textContent = "";
  }
}

async function follow(form, answer) {
  const target = new URL(answer.url);
  if (answer.redirected && target.pathname === "/sign-in") {
    say(form, "Not sent.", "You are signed out. What you typed is kept.", signInLink());
    return;
  }
  if (answer.redirected) {
    drop(form);
    const first = target.searchParams.get("recorded");
    if (first) target.hash = `e-${first}`;
    location.assign(target);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const refused = page.querySelector(".record-form");
  if (!refused) {
    const why = page.querySelector("main p")?.textContent ?? `The server answered ${answer.status}.`;
    say(form, "Not recorded.", `${why} What you typed is kept.`);
    return;
  }
  refused.dataset.empty = form.dataset.empty;
  const ledger = page.querySelector(".ledger tbody");
  if (ledger && refused.querySelector(".problem a[href^='#e-']")) document.querySelector(".ledger tbody")?.replaceWith(ledger);
  form.replaceWith(refused);
  drop(form); // nothing was recorded, so that nothing is on its way any more
  keep(refused);
  refused.querySelector("[autofocus]")?.focus();
}

for (const form of document.querySelectorAll(".record-form")) restore(form);
document.addEventListener("input", (event) => {
  const form = event.target.closest?.(".record-form");
  if (form) keep(form);
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".record-form")) return;
  event.preventDefault();
  send(event.target);
});
