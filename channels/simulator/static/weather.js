// What WhatsApp does wrong, what Meta decides, what befalls a conversation. Shares are all or nothing here;
// tests set them finer.

import { el } from "./words.js";

const $ = (id) => document.getElementById(id);
const business = () => $("business").value;
const customer = () => $("customer").value;

async function ask(path, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(`api/${path}`, options);
  const answer = await response.json();
  $("told").textContent = response.ok ? (body ? "Done." : "") : String(answer.detail);
  return response.ok ? answer : null;
}

// --- faults and limits -----------------------------------------------------------------------------------------

function showFaults(weather) {
  if (!weather) return;
  for (const box of document.querySelectorAll("#weather [data-fault]")) {
    box.checked = Boolean(weather.faults[box.dataset.fault]);
  }
  for (const control of document.querySelectorAll("#weather [data-limit]")) {
    const value = weather[control.dataset.limit];
    if (control.type === "checkbox") control.checked = value;
    else control.value = [...control.options].some((o) => o.value === String(value)) ? String(value) : "0";
  }
}

for (const box of document.querySelectorAll("#weather [data-fault]")) {
  box.addEventListener("change", async () => {
    const { fault, on } = box.dataset;
    const sure = fault === "token_expired" ? box.checked : box.checked ? Number(on || 1) : 0;
    showFaults(await ask("faults", { faults: { [fault]: sure } }));
  });
}
for (const control of document.querySelectorAll("#weather [data-limit]")) {
  control.addEventListener("change", async () => {
    const value = control.type === "checkbox" ? control.checked : Number(control.value);
    showFaults(await ask("faults", { [control.dataset.limit]: value }));
  });
}
$("refuse").addEventListener("change", async (event) => {
  if (event.target.value) await ask("faults", { refuse: [Number(event.target.value)] });
  event.target.value = "";
});
$("weather").addEventListener("toggle", async () => $("weather").open && showFaults(await ask("faults")));

// --- the account -----------------------------------------------------------------------------------------------

function showAccount(account) {
  if (!account) return;
  for (const control of document.querySelectorAll("select[data-news]")) {
    control.value = account[control.dataset.news];
  }
  $("templates").replaceChildren(...account.templates.map(template));
}

function template({ name, language, status }) {
  const choices = ["PENDING", "APPROVED", "REJECTED", "PAUSED", "DISABLED"].map((value) =>
    el("option", { value, selected: value === status }, value.toLowerCase()),
  );
  const select = el("select", {}, ...choices);
  select.addEventListener("change", () => decide({ template: name, language, approval: select.value }));
  return el("label", {}, `Template ${name} (${language})`, select);
}

const decide = async (news) => showAccount(await ask("account", { business: business(), ...news }));

for (const control of document.querySelectorAll("[data-news]")) {
  control.addEventListener("change", () =>
    decide({ [control.dataset.news]: control.type === "checkbox" ? control.checked : control.value }),
  );
}
const readAccount = async () => {
  if ($("account").open) showAccount(await ask(`account?${new URLSearchParams({ business: business() })}`));
};
$("account").addEventListener("toggle", readAccount);
$("business").addEventListener("change", readAccount);

// --- one conversation ------------------------------------------------------------------------------------------

const befalls = (what) => ask("befalls", { business: business(), customer: customer(), ...what });

for (const button of document.querySelectorAll("[data-befalls]")) {
  button.addEventListener("click", () => befalls({ [button.dataset.befalls]: button.dataset.value }));
}
$("status").addEventListener("change", async (event) => {
  const status = event.target.value;
  if (status) await befalls({ status, ...(status === "failed" ? { code: 131026 } : {}) });
  event.target.value = "";
});
