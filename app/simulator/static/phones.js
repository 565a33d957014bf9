// Keeps the phones live: asks each second what is new, and sends forms without leaving the page.
"use strict";

const page = document.body;
const phones = [...document.querySelectorAll(".phone")];
const offline = document.querySelector("[data-offline]");
const PAUSE = 1000;
let version = Number(page.dataset.version);
let asking = null;

function toEnd(log) {
  log.scrollTop = log.scrollHeight;
}

function addBubbles(phone, html) {
  if (!html) return;
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const fresh = [...parsed.querySelectorAll(".bubble")].filter((each) => !document.getElementById(each.id));
  phone.querySelector(".bubbles").append(...fresh);
  if (fresh.length) toEnd(phone.querySelector(".log"));
}

function showBlock(phone, blockedSenders) {
  const button = phone.querySelector(".block");
  if (!button) return;
  const blocked = blockedSenders.includes(phone.querySelector("[name=to]").value);
  const state = blocked ? "yes" : "no";
  if (button.dataset.blocked === state) return;
  button.dataset.blocked = state;
  button.textContent = blocked ? button.dataset.unblock : button.dataset.block;
  phone.querySelector(".blocked").textContent = blocked ? page.dataset.blockedText : "";
}

function isWriting() {
  return phones.some((phone) => phone.querySelector("[name=body]")?.value);
}

function show(news) {
  if (news.edition !== page.dataset.edition) {
    if (!isWriting()) location.reload();
    return;
  }
  version = Math.max(version, news.version);
  for (const field of document.querySelectorAll("[data-count]")) {
    const count = news.counts[field.dataset.count];
    if (field.textContent !== count) field.textContent = count;
  }
  for (const phone of phones) {
    addBubbles(phone, news.phones[phone.dataset.key].html);
    showBlock(phone, news.phones[phone.dataset.key].blocked);
    phone.querySelector(".on").textContent = news.phones[phone.dataset.key].on;
  }
}

async function fetchNews() {
  const query = new URLSearchParams({ after: version, lang: page.dataset.language });
  try {
    const reply = await fetch(`/phones/news?${query}`);
    if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
    show(await reply.json());
    offline.textContent = "";
  } catch {
    offline.textContent = offline.dataset.text;
  }
}

function ask() {
  asking ??= fetchNews().finally(() => { asking = null; });
  return asking;
}

async function watch() {
  if (!document.hidden) await ask();
  setTimeout(watch, PAUSE);
}

async function send(event) {
  event.preventDefault();
  const form = event.target;
  const button = event.submitter;
  const data = new URLSearchParams(new FormData(form, button));
  const typed = form.elements.body;
  const text = typed?.value;
  const isTyped = typed && !button?.name && !button?.hasAttribute("formaction");
  if (isTyped) typed.value = "";
  try {
    const address = button?.hasAttribute("formaction") ? button.formAction : form.action;
    const reply = await fetch(address, { method: "POST", body: data, headers: { Accept: "application/json" } });
    if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
  } catch {
    if (isTyped && !typed.value) typed.value = text;
    offline.textContent = offline.dataset.text;
    return;
  }
  if (asking) await asking;
  await ask();
}

for (const phone of phones) {
  toEnd(phone.querySelector(".log"));
  phone.addEventListener("submit", send); // also of buttons below messages that are still to come
  phone.querySelector("select")?.addEventListener("change", ask);
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
watch();
