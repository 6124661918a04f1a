// Lists whose rows are acted on: the choice outlives each update of the list, and what is sent is what is seen chosen;
// forms are sent in place and told of.
(() => {
  const chosen = new Set();
  const boxes = () => [...document.querySelectorAll("input[name=item]")];
  const seen = () => boxes().filter((box) => box.checked);
  const tell = () => {
    const place = document.querySelector("[data-chosen]");
    if (place) place.textContent = place.dataset.chosen.replace("{}", seen().length);
    const all = document.querySelector("input[data-all]");
    if (all) all.checked = boxes().length > 0 && boxes().every((box) => box.checked);
  };
  const keep = (box) => (box.checked ? chosen.add(box.value) : chosen.delete(box.value));
  const restore = () => {
    for (const box of boxes()) {
      if (box.hidden) chosen.add(box.value);
      if (box.checked !== chosen.has(box.value)) box.checked = chosen.has(box.value);
    }
    tell();
  };
  document.addEventListener("change", ({ target }) => {
    if (target.matches("input[data-all]")) boxes().forEach((box) => { box.checked = target.checked; keep(box); });
    else if (target.matches("input[name=item]")) keep(target);
    else return;
    tell();
  });

  let focused = "";
  document.addEventListener("focusin", ({ target }) => { focused = target.id || ""; });
  new MutationObserver((changes) => {
    const of = ({ addedNodes, removedNodes }) => [...addedNodes, ...removedNodes];
    if (!changes.flatMap(of).some((node) => node.querySelector?.("input[name=item], table, .none"))) return;
    restore();
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
  }).observe(document.documentElement, { childList: true, subtree: true });

  const line = (text, kind, parent) => parent.appendChild(Object.assign(document.createElement(kind), { textContent: text }));
  const show = (told) => {
    const place = document.querySelector("[data-said]");
    place.replaceChildren();
    line(told.said, "strong", place);
    if (told.print) Object.assign(line(told.print_word, "a", place), { href: told.print, target: "_blank", className: "plain" });
    const list = place.appendChild(document.createElement("ul"));
    for (const row of told.rows ?? []) {
      const entry = line(`${row.done ? "✓" : "▲"} ${row.key.replace(/^\w+:/, "")}: ${row.said}${row.detail ? ` (${row.detail})` : ""}`, "li", list);
      entry.className = row.done ? "state-good" : "state-bad";
    }
  };
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-deed]")) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    seen().forEach((box) => body.append("item", box.value));
    const button = form.querySelector("button");
    button.disabled = true;
    const { away, refused } = document.querySelector(".tools[data-away]").dataset;
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      const json = answer.headers.get("content-type")?.includes("json");
      show(json ? await answer.json() : { said: `${answer.status} ${answer.status < 500 ? refused : away}` });
      if (answer.ok) {
        form.reset();
        form.closest("details")?.removeAttribute("open");
        if (!document.querySelector("input[name=item][hidden]")) chosen.clear();
        restore();
      }
    } catch {
      show({ said: away });
    }
    button.disabled = false;
  });
  document.addEventListener("click", ({ target }) => { if (target.closest("[data-print]")) window.print(); });
  restore();
})();
