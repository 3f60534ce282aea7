// The theme button: what it chooses is kept in a cookie, so the server draws the page in it at once.
const root = document.documentElement;
const button = document.getElementById("theme");
const system = matchMedia("(prefers-color-scheme: dark)");

function shown() {
  return root.dataset.theme ?? (system.matches ? "dark" : "light");
}

function name() {
  button.textContent = shown() === "dark" ? "Light theme" : "Dark theme";
}

button.hidden = false;
name();
system.addEventListener("change", name);
button.addEventListener("click", () => {
  root.dataset.theme = shown() === "dark" ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
  name();
});
