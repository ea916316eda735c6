// The customer's phone. Everything shown is built as DOM nodes from text, so nothing a message says can be markup.

import { el, words } from "./words.js";

const $ = (id) => document.getElementById(id);
const state = { businesses: [], customers: [], business: null, customer: null, name: null, atEnd: true };
const messages = new Map(); // wamid → message, in the order they came
const drafts = new Map(); // conversation → text not sent yet
let source = null;
let typingTimer = 0;
let recorder = null;

const OTHER = "other";
const TICKS = {
  sent: ["✓", "Sent"],
  delivered: ["✓✓", "Delivered"],
  read: ["✓✓", "Read"],
  played: ["✓✓", "Played"],
  failed: ["!", "Not delivered"],
};

async function api(path, options = {}) {
  const response = await fetch(`api/${path}`, options);
  if (!response.ok) {
    const detail = await response.json().then((body) => body.detail, () => null);
    throw new Error(typeof detail === "string" ? detail : `The simulator answered ${response.status}.`);
  }
  return response.json();
}

const post = (path, body) =>
  api(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

const query = (extra = {}) =>
  new URLSearchParams({ business: state.business, customer: state.customer, ...extra }).toString();

function complain(problem) {
  $("problem").textContent = problem ? problem.message || String(problem) : "";
  $("problem").hidden = !problem;
}

async function attempt(work) {
  try {
    complain(null);
    await work();
    return true;
  } catch (problem) {
    complain(problem);
    return false;
  }
}

// --- one message -----------------------------------------------------------------------------------------------

function bubble(message) {
  const mine = message.direction === "in";
  const time = new Date(message.at);
  const clock = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const meta = el("div", { className: "meta" }, el("time", { dateTime: message.at }, clock));
  if (mine || message.status === "failed") {
    const [sign, label] = TICKS[message.status];
    const tick = el("span", { className: `tick ${message.status}`, title: label }, sign);
    tick.setAttribute("role", "img");
    tick.setAttribute("aria-label", label);
    meta.append(tick);
  }
  const box = el("div", { className: "bubble" }, quote(message), attachment(message));
  if (message.text) box.append(el("div", { className: "body", dir: "auto" }, words(message.text)));
  if (message.footer) box.append(el("div", { className: "footer" }, message.footer));
  box.append(meta);
  const item = el("div", { className: `item ${mine ? "mine" : "theirs"}` }, box, choices(message));
  item.dataset.wamid = message.wamid;
  return item;
}

function quote(message) {
  const quoted = message.reply_to && messages.get(message.reply_to);
  return quoted ? el("div", { className: "quote" }, quoted.text || "Voice note") : null;
}

function attachment(message) {
  if (!message.media_id) return null;
  const src = `api/media/${encodeURIComponent(message.media_id)}`;
  if (message.type === "audio") {
    const player = el("audio", { controls: true, preload: "metadata", src });
    player.setAttribute("aria-label", "Voice note");
    return player;
  }
  return el("a", { className: "file", href: src, download: message.filename || "" }, message.filename || "File");
}

function choices(message) {
  if (!message.buttons.length && !message.rows.length) return null;
  const pressed = [...messages.values()].some((m) => m.direction === "in" && m.reply_to === message.wamid && m.type === "interactive");
  const box = el("div", { className: "choices" });
  for (const { id, title } of message.buttons) {
    const button = el("button", { type: "button", className: "choice", disabled: pressed }, title);
    button.addEventListener("click", () => press(id));
    box.append(button);
  }
  if (message.rows.length) {
    const opener = el("button", { type: "button", className: "choice", disabled: pressed }, message.opener);
    if (!/[\p{L}\p{N}]/u.test(message.opener)) opener.setAttribute("aria-label", "Open the list");
    opener.addEventListener("click", () => openList(message));
    box.append(opener);
  }
  return box;
}

function openList(message) {
  $("list-title").textContent = message.opener;
  $("rows").replaceChildren(
    ...message.rows.map(({ id, title, description }) => {
      const row = el("button", { type: "button", className: "row" }, title, description ? el("small", {}, description) : null);
      row.addEventListener("click", () => {
        $("list").close();
        press(id);
      });
      return row;
    }),
  );
  $("list").showModal();
}

const press = (button) =>
  attempt(() => post("button", { business: state.business, customer: state.customer, name: state.name, button }));

// --- the conversation --------------------------------------------------------------------------------------------

const toEnd = () => ($("thread").scrollTop = $("thread").scrollHeight);

// Whether the end is in view, as it was before anything grew or shrank.
function follow() {
  const thread = $("thread");
  state.atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 120;
}

function show(message, live = false) {
  const thread = $("thread");
  const known = messages.get(message.wamid);
  messages.set(message.wamid, message);
  if (known) {
    // Only the ticks change: replacing the whole bubble would stop a voice note that is playing.
    const old = thread.querySelector(`[data-wamid="${CSS.escape(message.wamid)}"] .meta`);
    old.replaceWith(bubble(message).querySelector(".meta"));
    return;
  }
  thread.querySelector(".empty")?.remove();
  separator(message);
  thread.append(bubble(message));
  if (message.direction === "in" && message.reply_to) disableChoices(message);
  if (live && message.direction === "out") {
    typing(0);
    seen();
  }
  if (state.atEnd || message.direction === "in") toEnd();
}

function disableChoices(message) {
  const offer = $("thread").querySelector(`[data-wamid="${CSS.escape(message.reply_to)}"] .choices`);
  if (offer && message.type === "interactive") offer.querySelectorAll("button").forEach((b) => (b.disabled = true));
}

function separator(message) {
  const day = new Date(message.at).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
  const days = $("thread").querySelectorAll(".day");
  if (days[days.length - 1]?.textContent !== day) $("thread").append(el("div", { className: "day" }, day));
}

async function refill() {
  const where = query();
  const thread = await api(`thread?${where}`);
  if (where !== query()) return; // another conversation was opened meanwhile
  messages.clear();
  $("thread").replaceChildren();
  if (!thread.length) $("thread").append(el("div", { className: "empty" }, "No messages yet. Write or record one."));
  thread.forEach((message) => show(message));
  seen();
  toEnd();
}

function seen() {
  if (document.visibilityState === "visible" && messages.size) {
    post("read", { business: state.business, customer: state.customer }).catch(complain);
  }
}

function typing(seconds) {
  clearTimeout(typingTimer);
  $("presence").textContent = seconds ? "typing…" : "";
  if (seconds) typingTimer = setTimeout(() => typing(0), seconds * 1000);
}

function connect() {
  source?.close();
  source = new EventSource(`api/stream?${query()}`);
  // `ready` comes after every (re)connection, so nothing sent meanwhile is missed.
  source.addEventListener("ready", () => attempt(refill));
  source.addEventListener("message", (event) => event.data && show(JSON.parse(event.data), true));
  source.addEventListener("typing", (event) => typing(JSON.parse(event.data).seconds));
}

// --- who writes to whom --------------------------------------------------------------------------------------------

function remember() {
  try {
    localStorage.setItem("phone", JSON.stringify({ business: state.business, customer: state.customer, name: state.name }));
  } catch {
    // Storage may be refused; the page then forgets the choice on reload.
  }
}

function recall() {
  const asked = new URLSearchParams(location.search);
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem("phone")) || {};
  } catch {
    kept = {};
  }
  return { business: asked.get("business") || kept.business, customer: digits(asked.get("customer") || "") || kept.customer, name: kept.name };
}

const digits = (number) => number.replace(/\D/g, "").replace(/^00/, "");

function fillPickers() {
  $("business").replaceChildren(...state.businesses.map((b) => el("option", { value: b.phone_number_id }, b.business_name)));
  $("customer").replaceChildren(
    ...state.customers.map((c) => el("option", { value: c.wa_id }, c.name === c.wa_id ? `+${c.wa_id}` : `${c.name} · +${c.wa_id}`)),
    el("option", { value: OTHER }, "Another number…"),
  );
}

function open(business, customer, name) {
  if (state.customer) drafts.set(query(), $("text").value);
  if (!state.customers.some((c) => c.wa_id === customer)) state.customers.push({ wa_id: customer, name: name || customer });
  const chosen = state.customers.find((c) => c.wa_id === customer);
  Object.assign(state, { business, customer, name: chosen.name === customer ? null : chosen.name });
  fillPickers();
  $("business").value = business;
  $("customer").value = customer;
  $("other").hidden = true;
  const title = state.businesses.find((b) => b.phone_number_id === business).business_name;
  $("title").textContent = title;
  $("avatar").textContent = title.slice(0, 1).toUpperCase();
  $("text").value = drafts.get(query()) || "";
  resize();
  typing(0);
  messages.clear();
  $("thread").replaceChildren();
  remember();
  connect();
}

// --- the composer ----------------------------------------------------------------------------------------------------

function resize() {
  const text = $("text");
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, 128)}px`;
  const empty = !text.value.trim();
  $("send").hidden = empty && !recorder;
  $("mic").hidden = !empty || Boolean(recorder);
}

async function sendText() {
  const text = $("text").value;
  if (!text.trim()) return;
  $("text").value = "";
  resize();
  const sent = await attempt(() => post("text", { business: state.business, customer: state.customer, name: state.name, text }));
  if (!sent && !$("text").value) {
    $("text").value = text;
    resize();
  }
}

const TYPES = { ogg: "audio/ogg", opus: "audio/ogg", oga: "audio/ogg", m4a: "audio/mp4", mp3: "audio/mpeg", wav: "audio/wav", webm: "audio/webm" };

function sendAudio(blob, type, where = query(state.name ? { name: state.name } : {})) {
  return attempt(() => api(`audio?${where}`, { method: "POST", headers: { "Content-Type": type }, body: blob }));
}

function sendFile() {
  const [file] = $("file").files;
  if (!file) return;
  const known = TYPES[file.name.split(".").pop().toLowerCase()];
  sendAudio(file, file.type || known || "application/octet-stream");
  $("file").value = "";
}

async function record() {
  if (!navigator.mediaDevices || !window.MediaRecorder) {
    complain("This browser cannot record here: open the page on localhost or over https, or send an audio file.");
    return;
  }
  const granted = await attempt(async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    startRecorder(stream);
  });
  if (granted) resize();
}

function startRecorder(stream) {
  const chunks = [];
  const where = query(state.name ? { name: state.name } : {}); // the note goes to whom it was begun for
  const started = Date.now();
  const clock = setInterval(() => {
    const seconds = Math.floor((Date.now() - started) / 1000);
    $("elapsed").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }, 250);
  recorder = new MediaRecorder(stream);
  recorder.cancelled = false;
  recorder.addEventListener("dataavailable", (event) => event.data.size && chunks.push(event.data));
  recorder.addEventListener("stop", (event) => {
    const { mimeType, cancelled } = event.target;
    clearInterval(clock);
    stream.getTracks().forEach((track) => track.stop());
    recorder = null;
    showRecording(false);
    if (!cancelled && chunks.length) sendAudio(new Blob(chunks, { type: mimeType }), mimeType, where);
  });
  recorder.start();
  showRecording(true);
}

function showRecording(on) {
  $("recording").hidden = !on;
  $("text").hidden = $("attach").hidden = on;
  $("elapsed").textContent = "0:00";
  resize();
}

function stopRecording(cancelled) {
  if (!recorder) return;
  recorder.cancelled = cancelled;
  recorder.stop();
}

// --- wiring ------------------------------------------------------------------------------------------------------------

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (recorder) stopRecording(false);
  else sendText();
});
$("text").addEventListener("input", resize);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    sendText();
  }
});
$("attach").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", sendFile);
$("mic").addEventListener("click", record);
$("cancel").addEventListener("click", () => stopRecording(true));
$("business").addEventListener("change", (event) => open(event.target.value, state.customer, state.name));
$("customer").addEventListener("change", (event) => {
  $("other").hidden = event.target.value !== OTHER;
  if (event.target.value === OTHER) $("number").focus();
  else open(state.business, event.target.value);
});
$("other").addEventListener("submit", (event) => {
  event.preventDefault();
  const number = digits($("number").value);
  const valid = /^[1-9]\d{5,14}$/.test(number);
  $("number-problem").hidden = valid;
  $("number-problem").textContent = valid ? "" : "Write the number with its country code: 6 to 15 digits.";
  if (valid) open(state.business, number, $("name").value.trim());
});
document.addEventListener("visibilitychange", seen);
$("thread").addEventListener("scroll", follow, { passive: true });
new ResizeObserver(() => state.atEnd && toEnd()).observe($("thread"));

attempt(async () => {
  const { businesses, customers } = await api("directory");
  Object.assign(state, { businesses, customers });
  if (!businesses.length) throw new Error("No business is configured.");
  const { business, customer, name } = recall();
  const known = businesses.some((b) => b.phone_number_id === business);
  const valid = /^[1-9]\d{5,14}$/.test(customer || "");
  open(known ? business : businesses[0].phone_number_id, valid ? customer : customers[0].wa_id, valid ? name : null);
});
