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
