// The theme button, and links to a moment that are copied. What the first chooses is kept in a cookie,
// so that the server draws the page in it at once.
const root = document.documentElement;
const button = document.getElementById("theme");
const system = matchMedia("(prefers-color-scheme: dark)");
const SUN = '<circle cx="8" cy="8" r="3"/><path d="M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9"/>';
const MOON = '<path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z"/>';
const COPIED_MS = 1600;

function shown() {
  return root.dataset.theme ?? (system.matches ? "dark" : "light");
}

function name() {
  const dark = shown() === "dark";
  button.ariaLabel = button.title = dark ? "Light theme" : "Dark theme";
  button.innerHTML = `<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${dark ? SUN : MOON}</svg>`;
}

button.hidden = false;
name();
system.addEventListener("change", name);
button.addEventListener("click", () => {
  root.dataset.theme = shown() === "dark" ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
  name();
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("[data-copy]");
  if (!link || !navigator.clipboard || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(link.href);
  } catch {
    location.assign(link.href); // not allowed to copy: the address bar then has it
    return;
  }
  const before = link.ariaLabel;
  link.ariaLabel = link.title = "Copied";
  link.dataset.copied = "";
  setTimeout(() => {
    link.ariaLabel = link.title = before;
    delete link.dataset.copied;
  }, COPIED_MS);
});
