// Whose session the page belongs to. It may end while a form is being filled in, and the same person may log in again
// in another tab: the new session's token is fetched then, and the form goes out after all.

const { base, agent } = document.body.dataset;
let { csrf } = document.body.dataset;
const words = JSON.parse(document.body.dataset.words);

export const token = () => csrf;

// "same", "other" or "over": who is logged in by now. Rejects where that cannot be asked.
export async function standing() {
  const answer = await fetch("/console/me/session", { headers: { Accept: "application/json" } });
  if (answer.status === 401) return "over";
  if (!answer.ok) throw new Error(`${answer.status}`);
  const now = await answer.json();
  if (String(now.agent) !== agent) return "other";
  csrf = now.csrf;
  for (const field of document.querySelectorAll("input[name=csrf]")) field.value = csrf;
  return "same";
}

// Sends a form as the page's script does.
export async function send(address, body, options = {}) {
  const post = () => fetch(address, {
    method: "POST", body, headers: { Accept: "application/json", "X-CSRF-Token": csrf }, ...options,
  });
  const answer = await post();
  if (answer.status !== 403) return answer;
  const { error } = await answer.clone().json().catch(() => ({}));
  return error === "ForeignForm" && (await standing()) === "same" ? post() : answer;
}

// To the login: and back here, or in another tab, where what was entered would not survive the way.
export function login(elsewhere = false) {
  const link = document.createElement("a");
  const back = elsewhere ? base : location.pathname + location.search;
  link.href = `/console/login?next=${encodeURIComponent(back)}`;
  link.textContent = words.login;
  if (elsewhere) {
    link.target = "_blank";
    link.rel = "noopener";
  }
  return link;
}
