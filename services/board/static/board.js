// Remembers what the reader chose: light or dark.
const apply = () => document.body.classList.toggle("light", localStorage.getItem("ioc-theme") === "light");
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  localStorage.setItem("ioc-theme", document.body.classList.contains("light") ? "dark" : "light");
  apply();
});
apply();

// The language that was clicked stays.
const language = new URLSearchParams(location.search).get("lang");
if (language) document.cookie = `ioc_lang=${language === "en" ? "en" : "vi"}; path=/; max-age=31536000; samesite=lax`;

// Keys: 1-8 open a system, 0 the wall, / the search field, ? the list of keys. In a field they are what they are.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea, [contenteditable]")) return;
  const systems = ["procedures", "economy", "education", "health", "gis", "security", "field", "social"];
  if (/^[1-8]$/.test(event.key)) location.href = `/system/${systems[event.key - 1]}`;
  else if (event.key === "0") location.href = "/";
  else if (event.key === "/") document.querySelector("input[type=search]")?.focus();
  else if (event.key === "?") document.getElementById("keys")?.showModal();
  else return;
  event.preventDefault();
});
