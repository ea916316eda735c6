// The console's page: forms without reloads, drafts that survive, fresh fragments when something changed. The
// server escapes every word of a fragment; nothing here makes markup of text.

import { live } from "./live.js";
import { login as toLogin, send } from "./session.js";
import { complain as complainIn, sheets } from "./sheet.js";

const $ = (id) => document.getElementById(id);
const { base, business, agent, at } = document.body.dataset;
const words = JSON.parse(document.body.dataset.words);
const here = at ? `${base}/c/${at}` : null;
// A note for colleagues and words to the customer are never each other's draft.
const purpose = () => ($("composer")?.dataset.mode === "write" ? "write" : "note");
const draftKey = () => (at ? `sara-draft-${business}-${agent}-${at}-${purpose()}` : null);
let known = null; // rows that wait, so that a new one can be heard; null until they were looked at
let waiting = { queue: 0, conversation: 0 };
let typedAt = 0;
let passing = false; // what is told passes by itself
let turned = false; // the conversation can be answered, and the field still holds a note

// --- drafts: what was typed stays in this browser until it was sent ---------------------------------------------

function keepDraft() {
  const text = $("text");
  if (!text || !draftKey()) return;
  if (text.value) localStorage.setItem(draftKey(), text.value);
  else localStorage.removeItem(draftKey());
}

function restoreDraft() {
  const text = $("text");
  if (text && draftKey() && !text.value) text.value = localStorage.getItem(draftKey()) || "";
}

// What is entered in the menus over the thread, until one of them was carried out.
const barFields = () => (at ? [...document.querySelectorAll("#bar textarea")] : []);
const barKey = (field) => `sara-draft-${business}-${agent}-${at}-${field.form.getAttribute("action").split("/").pop()}-${field.name}`;

function keepBarDraft(field) {
  if (field.value) localStorage.setItem(barKey(field), field.value);
  else localStorage.removeItem(barKey(field));
}

function restoreBarDrafts() {
  for (const field of barFields()) field.value ||= localStorage.getItem(barKey(field)) || "";
}

function dropBarDrafts(form) {
  if (form.querySelector("textarea")) for (const field of barFields()) localStorage.removeItem(barKey(field));
}

// The same words sent again soon after an answer that was lost are the same attempt, also after a reload. Other words
// are another one, and so are the same once the field held others or none: they are meant to be said again.
const TRIED_AGAIN = 600_000; // ms
const attemptKey = () => `${draftKey()}-attempt`;
const lastAttempt = () => JSON.parse(localStorage.getItem(attemptKey()) || "null");

function attempt(form, data) {
  const file = data.get("file");
  const text = data.get("text");
  const said = JSON.stringify([form.getAttribute("action"), text, data.get("name"), file?.name, file?.size]);
  const kept = lastAttempt();
  const same = kept?.said === said && Date.now() - kept.at < TRIED_AGAIN;
  const fresh = crypto.randomUUID ? crypto.randomUUID() : String(Date.now()) + String(Math.random()).slice(2);
  const number = same ? kept.number : fresh;
  const key = attemptKey();
  localStorage.setItem(key, JSON.stringify({ said, text, number, at: Date.now() }));
  return { key, number };
}

function forgetAttempt() {
  const kept = lastAttempt();
  // A template is no words of the field.
  if (typeof kept?.text === "string" && plain(kept.text) !== plain($("text").value)) localStorage.removeItem(attemptKey());
}
const plain = (text) => text.replaceAll("\r\n", "\n");

// Where no conversation is open there is no composer: the line above the queue tells it then. `passes`: it is no longer
// true once something was fetched again.
function complain(message, { login = false, passes = login } = {}) {
  const problem = $("problem") ?? $("line");
  passing = passes;
  if (problem.id === "problem") problem.hidden = !message;
  problem.textContent = (login && problem.id === "line" ? words.over : message) || "";
  if (login) problem.append(" ", toLogin());
}

// --- acts ---------------------------------------------------------------------------------------------------------

async function act(form, submitter) {
  const data = new FormData(form);
  if (form.hasAttribute("data-take-text")) data.set("text", $("text")?.value || "");
  const tried = form.querySelector("[data-attempt]") ? attempt(form, data) : null;
  if (tried) data.set("attempt", tried.number);
  const typed = $("text")?.value;
  const file = form.querySelector("input[type=file]");
  const chosen = file?.files[0];
  const address = submitter?.getAttribute("formaction") || form.getAttribute("action");
  const buttons = [...form.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  const menu = form.closest("details.menu");
  // A menu lies over the composer, and its form would not survive the way to the login and back.
  const told = (message, login = false) => (menu ? complainIn(form, message, login) : complain(message, { login }));
  complain("");
  if (menu) told("");
  try {
    const answer = await send(address, data);
    const body = await answer.json().catch(() => ({}));
    if (answer.status === 401) return told(words.expired, true);
    if (!answer.ok) {
      if (answer.status === 409) refresh("conversation");
      return told(typeof body.detail === "string" ? body.detail : words.refused);
    }
    if (tried) localStorage.removeItem(tried.key);
    if (form.hasAttribute("data-clear")) {
      // Only what was sent: a slow line leaves time to type the next words.
      const now = $("text").value;
      $("text").value = now.startsWith(typed) ? now.slice(typed.length).trimStart() : now;
      keepDraft();
      if (file && file.files[0] === chosen) {
        file.value = "";
        file.closest(".attach").classList.remove("full");
      }
    }
    if (form.closest("#bar")) dropBarDrafts(form);
    if (menu) menu.open = false;
    show(body.html, true, Boolean(form.closest("#bar")));
    refresh("queue");
  } catch {
    told(words.offline);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-act]")) return;
  event.preventDefault();
  act(form, event.submitter);
});

// --- fragments ------------------------------------------------------------------------------------------------------

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

// What was just done stands at the end of the thread: whoever looked at earlier messages is led there, and stays.
function toTheEnd() {
  const now = new URL(location.href);
  if (!now.searchParams.has("before")) return;
  now.searchParams.delete("before");
  history.replaceState(null, "", now);
}

const busy = (region) => region && (region.contains(document.activeElement) && document.activeElement.matches("input, textarea, select") || region.querySelector("details.menu[open]"));

function show(html, own = false, bar = false) {
  const fresh = parsed(html);
  if (own) toTheEnd();
  const old = { thread: $("thread"), bar: $("bar"), composer: $("composer"), packet: $("packet") };
  if (!old.thread) return;
  mergeThread(old.thread, fresh.getElementById("thread"), own);
  if (bar || !busy(old.bar)) {
    old.bar.replaceWith(fresh.getElementById("bar"));
    restoreBarDrafts();
  }
  const composer = fresh.getElementById("composer");
  const writes = composer.dataset.mode === "write";
  if (composer.dataset.mode !== old.composer.dataset.mode && writes && $("text")?.value) {
    turned = true;
    complain(words.changed); // a note stays a note: the field is not turned into one that writes to the customer
  } else if (composer.dataset.mode !== old.composer.dataset.mode) {
    keepDraft();
    const typed = $("text")?.value;
    const focused = old.composer.contains(document.activeElement);
    const said = $("problem")?.textContent;
    old.composer.replaceWith(composer);
    restoreDraft();
    if (typed && $("text") && !writes) $("text").value = typed;
    turned = false;
    if (said) complain(said);
    if (focused) $("text")?.focus();
  }
  if (!busy(old.packet)) {
    const opened = $("known")?.open ?? true;
    const scrolled = old.packet.scrollTop;
    old.packet.replaceWith(fresh.getElementById("packet"));
    $("known").open = opened;
    $("packet").scrollTop = scrolled;
  }
}

// Items that did not change keep their node: a player goes on, an opened explanation stays open.
function mergeThread(old, fresh, own) {
  const atEnd = old.scrollHeight - old.scrollTop - old.clientHeight < 80;
  const kept = new Map([...old.children].filter((item) => item.id).map((item) => [item.id, item]));
  const items = [...fresh.children].map((item) => {
    const same = kept.get(item.id);
    if (item.id && !same) item.classList.add("fresh");
    return same && same.dataset.v === item.dataset.v ? same : item;
  });
  old.replaceChildren(...items);
  if (atEnd || own) old.scrollTop = old.scrollHeight;
}

async function fetchPart(what) {
  const asked = location.search;
  const address = what === "queue" ? new URL(location.pathname === base ? location.href : `${base}${location.search}`, location.origin) : new URL(`${here}${location.search}`, location.origin);
  address.searchParams.set("part", what);
  if (what === "queue" && at) address.searchParams.set("at", at);
  const answer = await fetch(address);
  if (answer.status === 401) return complain(words.expired, { login: true });
  if (!answer.ok) return;
  const html = await answer.text();
  if (asked !== location.search) return refresh(what); // something was done meanwhile: this may be older
  if (passing) complain("");
  if (what === "queue") showQueue(html);
  else show(html);
}

function showQueue(html) {
  const list = $("queue");
  if (document.activeElement?.id === "search") {
    const fresh = parsed(html).getElementById("rows");
    $("rows").replaceWith(fresh);
  } else {
    const scrolled = $("rows")?.scrollTop || 0;
    const focused = document.activeElement?.dataset?.id;
    list.replaceChildren(...parsed(html).body.childNodes);
    $("rows").scrollTop = scrolled;
    if (focused) list.querySelector(`[data-id="${focused}"]`)?.focus();
  }
  heard();
}

function refresh(what) {
  if (what === "conversation" && !here) return;
  clearTimeout(waiting[what]);
  waiting[what] = setTimeout(() => fetchPart(what).catch(() => complain(words.offline, { passes: true })), 60);
}

live(business, base, {
  change: ({ c, k }) => {
    if (k !== "presence") refresh("queue");
    if (c === null || String(c) === at) refresh("conversation");
    if (k === "message" && String(c) === at && document.hidden) ring(words.wrote);
  },
  state: (on) => {
    const line = $("line");
    if (!on) line.textContent = words.offline;
    else if (line.textContent === words.offline) line.textContent = "";
  },
  over: () => complain(words.expired, { login: true }),
});

// What a tool did is told to the customer in their words: put into the field, to be changed or sent.
sheets(words, (body) => {
  if (body.html) show(body.html, true, true);
  if (body.say && $("text") && !$("text").value) insert(body.say);
  refresh("queue");
});

// --- presence -------------------------------------------------------------------------------------------------------

function present(doing) {
  if (!here) return;
  send(`${here}/presence`, new URLSearchParams({ doing }), { keepalive: doing === "gone" }).catch(() => {});
}
if (here) {
  present("looking");
  setInterval(() => { if (!document.hidden) present(Date.now() - typedAt < 10_000 ? "typing" : "looking"); }, 10_000);
  addEventListener("pagehide", () => present("gone"));
}

// --- what runs out without anything happening: the 24 hours, somebody's presence --------------------------------------

const AGES_MS = 60_000, THERE_MS = 300_000;
let thereAt = Date.now();
// Not "scroll": a page that puts a list back where it was scrolls too.
for (const sign of ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"]) {
  addEventListener(sign, () => {
    const away = Date.now() - thereAt > THERE_MS;
    thereAt = Date.now();
    if (away) age();
  }, { passive: true, capture: true });
}
// Looking at a customer is written down: a page that nobody sits at looks at nobody.
function age() {
  if (document.hidden || Date.now() - thereAt > THERE_MS) return;
  refresh("queue");
  refresh("conversation");
}
setInterval(age, AGES_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { thereAt = Date.now(); age(); } });

// --- sound and notifications, once the person asked for them ---------------------------------------------------------

const bell = $("bell");
let sound = null;
bell?.setAttribute("aria-pressed", String(localStorage.getItem("sara-bell") === "1"));
// Browsers give sound to a page only once somebody has touched it.
for (const touch of ["pointerdown", "keydown"]) {
  addEventListener(touch, () => { if (bell?.getAttribute("aria-pressed") === "true") sound ??= new AudioContext(); }, { once: true });
}

bell?.addEventListener("click", async () => {
  const on = bell.getAttribute("aria-pressed") === "true";
  localStorage.setItem("sara-bell", on ? "" : "1");
  bell.setAttribute("aria-pressed", String(!on));
  if (on) return;
  sound ??= new AudioContext();
  beep();
  if ("Notification" in self) await Notification.requestPermission();
  $("line").textContent = notify(words.on) ? words.on : words.denied;
});

function beep() {
  if (!sound) return;
  const tone = sound.createOscillator();
  const volume = sound.createGain();
  volume.gain.value = 0.08;
  tone.connect(volume).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.15);
}

// Whether it could be shown. Safari on iPhones has no notifications for a page; Chrome on Android has the constructor
// and throws when it is called, whatever was allowed.
function notify(title, body = "") {
  if (!("Notification" in self) || Notification.permission !== "granted") return false;
  try {
    new Notification(title, { body, tag: "sara" });
    return true;
  } catch {
    return false;
  }
}

function ring(title, body = "") {
  if (bell?.getAttribute("aria-pressed") !== "true") return;
  beep();
  if (document.hidden && !notify(title, body)) $("line").textContent ||= words.denied;
}

function heard() {
  const rows = [...document.querySelectorAll("#rows .row:not(.u4)")];
  const fresh = rows.filter((row) => !known?.has(row.dataset.id));
  const first = known === null;
  known = new Set(rows.map((row) => row.dataset.id));
  if (!first && fresh.length) ring(words.arrived, fresh[0].querySelector(".name").textContent);
}

// --- the page --------------------------------------------------------------------------------------------------------

document.addEventListener("input", (event) => {
  if (event.target.id === "text") {
    keepDraft();
    forgetAttempt();
    if (turned && !event.target.value) refresh("conversation");
    if (Date.now() - typedAt > 8000) present("typing");
    typedAt = Date.now();
  }
  if (at && event.target.matches("#bar textarea")) keepBarDraft(event.target);
  if (event.target.type === "file") event.target.closest(".attach").classList.toggle("full", event.target.files.length > 0);
});

document.addEventListener("change", (event) => {
  if (event.target.id === "canned" && event.target.value) {
    insert(event.target.value);
    event.target.value = "";
  }
  if (event.target.name === "queue") event.target.form.requestSubmit();
});

function insert(added) {
  const text = $("text");
  text.value = text.value ? `${text.value.trimEnd()}\n${added}` : added;
  keepDraft();
  text.focus();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-draft]")) insert($("draft").textContent);
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("toggle", async (event) => {
  const why = event.target.closest?.("details[data-why]");
  if (!why || !why.open || why.dataset.loaded) return;
  why.dataset.loaded = "1";
  const answer = await fetch(why.dataset.why);
  if (answer.ok) why.querySelector("div").replaceChildren(...parsed(await answer.text()).body.childNodes);
}, true);

const keys = {
  j: () => step(1), k: () => step(-1), r: () => $("text")?.focus(), "/": () => $("search")?.focus(),
  c: () => press("c"), d: () => press("d"), n: () => press("n"), b: () => press("b"),
};

function press(key) {
  const target = document.querySelector(`[data-key="${key}"]`);
  if (target?.matches("details")) {
    target.open = true;
    target.querySelector("textarea")?.focus();
  } else target?.click();
}

function step(by) {
  const rows = [...document.querySelectorAll("#rows .row")];
  const now = rows.findIndex((row) => row.dataset.id === at);
  const next = rows[now < 0 ? (by > 0 ? 0 : rows.length - 1) : now + by];
  if (next) location.href = next.href;
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.id === "text") {
    event.preventDefault();
    $("answer").requestSubmit($("answer").querySelector("[data-send]"));
    return;
  }
  if (event.key === "Escape") document.activeElement?.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select, [contenteditable]")) return;
  const done = keys[event.key.toLowerCase()];
  if (done) {
    event.preventDefault();
    done();
  }
});

restoreDraft();
restoreBarDrafts();
heard();
if ($("thread")) $("thread").scrollTop = $("thread").scrollHeight;
if (matchMedia("(max-width: 820px)").matches && $("known")) $("known").open = false;
