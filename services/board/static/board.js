// Remembers what the reader chose, light or dark, where the board sees it too: its log-in has no script.
const light = () => /(^|; )ioc_theme=light/.test(document.cookie);
const apply = () => document.body.classList.toggle("light", light());
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  document.cookie = `ioc_theme=${light() ? "dark" : "light"}; path=/; max-age=31536000; samesite=lax`;
  apply();
});
apply();

// The language that was clicked stays.
const language = new URLSearchParams(location.search).get("lang");
if (language) document.cookie = `ioc_lang=${language === "en" ? "en" : "vi"}; path=/; max-age=31536000; samesite=lax`;

// A group of pages that is open closes when the reader goes elsewhere.
const fold = (except) => document.querySelectorAll(".ways[open]").forEach((group) => { if (group !== except) group.open = false; });
document.addEventListener("click", ({ target }) => fold(target.closest(".ways")));
document.addEventListener("keydown", ({ key }) => { if (key === "Escape") fold(); });

// Screens that nobody touches go from page to page: `?rotate=30` begins it, so many seconds a page, and r ends and begins it.
const ROTATED = ["/", "/map", "/worklist", "/changes", "/quality"];
const LEAST_SECONDS = 5, USUAL_SECONDS = 30;
let turning;
const rotate = (seconds) => {
  clearTimeout(turning);
  document.body.classList.toggle("rotates", seconds > 0);
  if (!seconds) return sessionStorage.removeItem("rotate");
  sessionStorage.rotate = Math.max(seconds, LEAST_SECONDS);
  const pages = ROTATED.filter((path) => document.querySelector(`nav a[href^="${path}"]`));
  const next = pages[(pages.indexOf(location.pathname) + 1) % pages.length];
  turning = setTimeout(() => { location.href = next; }, sessionStorage.rotate * 1000);
};
const begun = Number(new URLSearchParams(location.search).get("rotate") ?? sessionStorage.rotate);
if (begun > 0 && ROTATED.includes(location.pathname)) rotate(begun);

// Keys: 1-8 open a system, 0 the wall, / the search field, r turns the pages, ? the list of keys. In a field they are what they are.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea, [contenteditable]")) return;
  const systems = ["procedures", "economy", "education", "health", "gis", "security", "field", "social"];
  const asked = new URLSearchParams(location.search);  // the period that was chosen goes along
  const period = new URLSearchParams(["span", "month", "first", "last", "as_of"].flatMap((name) => asked.get(name) ? [[name, asked.get(name)]] : []));
  const go = (path) => { location.href = `${path}${period.size ? `?${period}` : ""}`; };
  if (/^[1-8]$/.test(event.key)) go(`/system/${systems[event.key - 1]}`);
  else if (event.key === "0") go("/");
  else if (event.key === "/") document.querySelector("[data-finder]")?.focus();
  else if (event.key === "r") rotate(document.body.classList.contains("rotates") ? 0 : USUAL_SECONDS);
  else if (event.key === "?") document.getElementById("keys")?.showModal();
  else return;
  event.preventDefault();
});

// What is brought up to date under the keyboard keeps its place: the same link has the focus again. A click gives it up.
let held = null;
const same = (one) => one.textContent === held.text && one.getAttribute("href") === held.href;
document.addEventListener("focusin", ({ target }) => { held = { tag: target.localName, text: target.textContent, href: target.getAttribute("href") }; });
document.addEventListener("pointerdown", () => { held = null; }, true);
new MutationObserver(() => {
  if (held && document.activeElement === document.body) [...document.querySelectorAll(`main ${held.tag}`)].find(same)?.focus({ preventScroll: true });
}).observe(document.documentElement, { childList: true, subtree: true });
