// A file on its way with how much of it is sent, and an import that runs with how far it is. Without
// this, the browser sends the form itself and the page of an import is loaded again and again.
const LOOK_MS = 1000;
const main = document.getElementById("main");
const parsed = (text) => new DOMParser().parseFromString(text, "text/html");

function show(page, focus) {
  main.replaceChildren(...page.getElementById("main").childNodes);
  document.title = page.title;
  main.querySelector(focus)?.focus();
  begin();
}

function complain(form, text) {
  const field = form.elements.file;
  field.parentElement.querySelector(".error")?.remove();
  const error = document.createElement("p");
  error.className = "error";
  error.id = "file-error";
  error.setAttribute("role", "alert");
  error.textContent = text;
  field.after(error);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", error.id);
  field.focus();
}

function send(event) {
  const form = event.target;
  const file = form.elements.file.files[0];
  event.preventDefault();
  if (file && file.size > Number(form.dataset.most)) {
    complain(form, `${file.name} has more than the ${form.dataset.mostText} that are taken.`);
    return;
  }
  const body = new FormData(form, event.submitter);
  const request = new XMLHttpRequest();
  const [panel, said, bar, stop] = ["sending", "sent", "sent-share", "stop-sending"].map((id) => document.getElementById(id));
  const busy = (is) => {
    panel.hidden = !is;
    for (const button of form.querySelectorAll(".send-foot button")) button.disabled = is;
  };
  const over = (text) => {
    busy(false);
    if (text) complain(form, text);
  };
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = (100 * loaded) / total;
    said.textContent = loaded < total ? `Sent ${Math.floor(bar.value)}%` : "Sent; the server looks at it";
  });
  request.addEventListener("load", () => {
    if (request.status < 400 && new URL(request.responseURL).pathname !== form.getAttribute("action")) {
      location.assign(request.responseURL);
    } else if (request.getResponseHeader("content-type")?.startsWith("text/html")) {
      show(parsed(request.responseText), "[aria-invalid], #declared");
    } else {
      over("It was not taken. Try again shortly.");
    }
  });
  request.addEventListener("error", () => over("The connection was lost, and nothing was imported. Send it again."));
  request.addEventListener("abort", () => over(""));
  stop.addEventListener("click", () => request.abort(), { once: true });
  request.open("POST", form.getAttribute("action"));
  busy(true);
  bar.value = 0;
  said.textContent = "Sending";
  request.send(body);
}

async function look() {
  const progress = document.getElementById("progress");
  if (!progress?.hasAttribute("data-runs")) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href);
      const page = answer.ok ? parsed(await answer.text()) : null;
      const now = page?.getElementById("progress");
      if (now && !now.hasAttribute("data-runs")) {
        show(page, "#headline");
        return;
      }
      if (now) {
        progress.replaceWith(now);
        document.getElementById("headline").textContent = page.getElementById("headline").textContent;
      }
    } catch {
      // the server is away for a moment; what is shown stands
    }
  }
  setTimeout(look, LOOK_MS);
}

function begin() {
  document.getElementById("send")?.addEventListener("submit", send);
}

begin();
setTimeout(look, LOOK_MS);
