// Contacts, calendar, knowledge, settings: forms in a sheet, uploads with their progress, menus that close.

import { standing, token } from "./session.js";
import { complain, sheets, stamp } from "./sheet.js";

const words = JSON.parse(document.body.dataset.words);

for (const form of document.querySelectorAll("form")) stamp(form);
sheets(words, ({ go }) => { if (go) location.href = go; else location.reload(); });

document.addEventListener("change", (event) => {
  if (event.target.closest("[data-now]")) event.target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// A form that the browser itself sends, or that goes with a file, would be gone with a session that is over: whether
// it still stands is asked before.
async function stands(form) {
  const now = await standing().catch(() => "offline");
  const why = { over: words.expired, other: words.foreign, offline: words.offline }[now];
  complain(form, why, now === "over");
  return !why;
}

const asking = new WeakSet();
const allowed = new WeakSet();
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || form.closest("#sheet") || form.matches("[data-upload]")) return;
  if (allowed.delete(form)) return;
  event.preventDefault();
  if (asking.has(form)) return;
  asking.add(form);
  const pressed = event.submitter;
  if ((await stands(form)) || form.matches("[action='/console/logout']")) {
    allowed.add(form);
    form.requestSubmit(pressed);
  }
  asking.delete(form);
});

// An upload tells how far it is: fetch cannot, so the older interface does it.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-upload]")) return;
  event.preventDefault();
  const bar = form.querySelector("progress");
  const told = form.querySelector("[data-told]");
  const request = new XMLHttpRequest();
  const button = form.querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  if (!(await stands(form))) {
    button.disabled = false;
    return;
  }
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRF-Token", token());
  request.upload.onprogress = ({ loaded, total }) => {
    bar.hidden = false;
    bar.max = total;
    bar.value = loaded;
    told.textContent = loaded < total ? `${words.uploading} ${Math.round((100 * loaded) / total)} %` : `${words.reading}…`;
    if (loaded >= total) bar.removeAttribute("value");
  };
  request.onerror = () => { complain(form, words.offline); bar.hidden = true; button.disabled = false; };
  request.onload = () => {
    let body = {};
    try { body = JSON.parse(request.responseText); } catch { /* no JSON: refused below */ }
    if (request.status < 300) return void (location.href = body.go || location.href);
    bar.hidden = true;
    told.textContent = "";
    button.disabled = false;
    complain(form, request.status === 401 ? words.expired : typeof body.detail === "string" ? body.detail : words.refused, request.status === 401);
  };
  request.send(new FormData(form));
});
