// Contacts, calendar, knowledge, settings: forms in a sheet, uploads with their progress, menus that close.

import { complain, sheets, stamp } from "./sheet.js";

const { csrf } = document.body.dataset;
const words = JSON.parse(document.body.dataset.words);

for (const form of document.querySelectorAll("form")) stamp(form);
sheets(csrf, words, ({ go }) => { if (go) location.href = go; else location.reload(); });

document.addEventListener("change", (event) => {
  if (event.target.closest("[data-now]")) event.target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// An upload tells how far it is: fetch cannot, so the older interface does it.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-upload]")) return;
  event.preventDefault();
  const bar = form.querySelector("progress");
  const told = form.querySelector("[data-told]");
  const request = new XMLHttpRequest();
  const button = form.querySelector("button");
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRF-Token", csrf);
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
    complain(form, request.status === 401 ? words.expired : typeof body.detail === "string" ? body.detail : words.refused);
  };
  complain(form, "");
  button.disabled = true;
  request.send(new FormData(form));
});
