// Forms in a sheet over the page: what was entered stays until it was carried out, and what is wrong is told
// beside its field. The server renders both.

import { login as toLogin, send } from "./session.js";

const parsed = (html) => new DOMParser().parseFromString(html, "text/html").body.childNodes;
const id = () => (crypto.randomUUID ? crypto.randomUUID() : String(Date.now()) + String(Math.random()).slice(2));

export function stamp(form) {
  const attempt = form.querySelector("[data-attempt]");
  if (attempt && !attempt.value) attempt.value = id();
}

// `login`: with the way to the login, in another tab, so that the form stays as it is.
export function complain(form, message, login = false) {
  let told = form.querySelector("p.problem");
  if (!told) {
    told = document.createElement("p");
    told.className = "problem";
    told.setAttribute("role", "alert");
    form.prepend(told);
  }
  told.hidden = !message;
  told.textContent = message || "";
  if (login) told.append(" ", toLogin(true));
}

export function sheets(words, done) {
  const sheet = document.getElementById("sheet");

  function fill(html) {
    sheet.replaceChildren(...parsed(html));
    const form = sheet.querySelector("form");
    if (form) stamp(form);
    (sheet.querySelector("[aria-invalid]") || sheet.querySelector("select, input:not([type=hidden]), textarea"))?.focus();
  }

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-sheet]");
    if (link && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const where = new URL(link.href);
      where.searchParams.set("part", "form");
      const answer = await fetch(where).catch(() => null);
      if (!answer?.ok) return void (location.href = link.href);
      sheet.showModal();
      fill(await answer.text());
    }
    if (event.target.closest("[data-close]") && sheet.open) sheet.close();
  });

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-tool]") || !sheet.contains(form)) return;
    event.preventDefault();
    const data = new FormData(form);
    const pressed = event.submitter;
    if (pressed?.name) data.set(pressed.name, pressed.value);
    const buttons = [...form.querySelectorAll("button")];
    for (const button of buttons) button.disabled = true;
    try {
      const answer = await send(form.action, data);
      const body = await answer.json().catch(() => ({}));
      if (answer.status === 401) return complain(form, words.expired, true);
      if (body.form) return fill(body.form);
      if (!answer.ok) return complain(form, typeof body.detail === "string" ? body.detail : words.refused);
      sheet.close();
      done(body);
    } catch {
      complain(form, words.offline);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  });
}
