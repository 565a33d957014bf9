// Turns the notifications of one list on and off: after a click, and never before.
"use strict";

const box = document.querySelector("#push");
const off = document.querySelector("#off");
const on = document.querySelector("#on");
const said = document.querySelector("#said");
let standing = null; // who we are to the server: to, proof, hook

function say(name) {
  said.textContent = document.querySelector("#words").content.querySelector(`[data-name=${name}]`).textContent;
}

function show(isOn) {
  on.hidden = !isOn;
  off.hidden = isOn;
}

async function post(url, body, headers = {}) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await nameOf(answer));
  return answer;
}

async function nameOf(answer) {
  if (answer.status === 429) return "too_often";
  const found = await answer.json().catch(() => ({}));
  return ["too_old", "changed"].includes(found.error) ? found.error : "failed";
}

const keysOf = (subscription) => {
  const { endpoint, keys } = subscription.toJSON();
  return { endpoint, auth: keys.auth };
};

// The worker needs it when the browser changes the subscription without telling what it was.
async function remember(subscription) {
  const cache = await caches.open("tidings");
  await cache.put("/push-me", new Response(JSON.stringify({ ...keysOf(subscription), ...standing })));
}

const worker = () => navigator.serviceWorker.register(box.dataset.worker, { scope: "/push/" });

async function subscribe() {
  await worker();
  const registration = await navigator.serviceWorker.ready;
  const there = await registration.pushManager.getSubscription();
  if (there && base64url(there.options.applicationServerKey) === box.dataset.key) return there;
  await there?.unsubscribe(); // made for another key of the sender, and good for nothing now
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: box.dataset.key });
}

function base64url(buffer) {
  const letters = btoa(String.fromCharCode(...new Uint8Array(buffer ?? [])));
  return letters.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function turnOn() {
  say("working");
  if ((await Notification.requestPermission()) !== "granted") return say("denied");
  const subscription = await subscribe();
  const { join, shown, token } = box.dataset;
  const press = { id: crypto.randomUUID(), shown, subscription: subscription.toJSON() };
  standing = await (await post(join, press, { "X-CSRFToken": token })).json();
  await remember(subscription);
  show(true);
  say("turned_on");
}

async function turnOff() {
  say("working");
  const { to, proof, hook } = standing;
  const stop = { to, ref: "", event: "message", text: `STOP ${box.dataset.word}`, payload: box.dataset.stop };
  await post(hook, { ...stop, id: crypto.randomUUID() }, { "X-Tidings-Proof": proof });
  show(false);
  say("turned_off");
}

function onClick(button, act) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      say(document.querySelector("#words").content.querySelector(`[data-name="${error.message}"]`) ? error.message : "failed");
    }
    button.disabled = false;
    said.focus();
  });
}

// Looks who we are; asks the person nothing.
async function look() {
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  if (!subscription) return false;
  const found = await (await post(box.dataset.state, keysOf(subscription))).json();
  if (found.to) standing = found;
  return found.on;
}

async function begin() {
  document.querySelector("#no-script").hidden = true;
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return say("unsupported");
  onClick(document.querySelector("#turn-on"), turnOn);
  onClick(document.querySelector("#turn-off"), turnOff);
  show(await look().catch(() => false));
  if (Notification.permission === "denied") say("denied");
}

begin();
