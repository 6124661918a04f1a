"use strict";
// A workbook goes up as it is, since a form would hold it twice; all else on these pages is plain forms.
document.addEventListener("change", async ({ target }) => {
  const place = target.closest("#import-upload"), chosen = target.files?.[0];
  if (!place || !chosen) return;
  const told = document.getElementById("import-told"), { dataset } = place;
  const say = (text) => { told.textContent = text; target.disabled = false; target.value = ""; };
  if (chosen.size > Number(dataset.largest)) return say(dataset.large);
  told.textContent = dataset.working;
  target.disabled = true;
  const headers = { "x-csrf": dataset.csrf, "content-type": "application/octet-stream" };
  const answer = await fetch(`/imports/file?name=${encodeURIComponent(chosen.name)}`, { method: "POST", headers, body: chosen }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  if (said?.next) location.assign(said.next); else say(said?.said ?? dataset.away);
});
