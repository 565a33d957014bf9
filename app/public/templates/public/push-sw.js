// Shows the messages that come for this browser, and tells the server STOP. It keeps and sends nothing else.
"use strict";

const BRAND = {{ settings.brand|tojson }};
const LOST = {{ lost|tojson }};
const PRESS_LOST = {{ press_lost|tojson }};
const ICON = {{ icon|tojson }};
const PAGE = "/push-me";
const WAITS = [0, 2000, 10000]; // milliseconds before each try

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(show(event.data ? event.data.text() : "")));

// The first line is for us, what follows is the text as it was written.
async function show(raw) {
  const cut = raw.indexOf("\n");
  const body = raw.slice(cut + 1);
  const line = JSON.parse(raw.slice(0, cut));
  await self.registration.showNotification(BRAND, {
    body,
    icon: ICON,
    tag: line.ref,
    image: line.image,
    data: { line, body },
    actions: [...actionsOf(line), { action: "stop", title: "STOP" }],
  });
  await tell(line, { event: "delivered" });
}

// The buttons of the message, as many as browsers show beside STOP: kind, label, and the id or the address.
const actionsOf = ({ buttons = [] }) => buttons.map(([, title], place) => ({ action: `button-${place}`, title }));

self.addEventListener("notificationclick", (event) => {
  const { line, body } = event.notification.data ?? {};
  event.notification.close();
  const pressed = (line?.buttons ?? [])[event.action.replace("button-", "")];
  if (event.action === "stop") return event.waitUntil(stop(line));
  event.waitUntil(pressed ? press(line, pressed) : open(body ?? ""));
});

async function press(line, [kind, label, value]) {
  if (kind === "link") return self.clients.openWindow(value);
  const heard = await tell(line, { event: "message", text: label, payload: value, id: crypto.randomUUID() });
  if (!heard) await self.registration.showNotification(BRAND, { body: PRESS_LOST, tag: "press-lost" });
}

async function stop(line) {
  const heard = await tell(line, { event: "message", text: "STOP", id: crypto.randomUUID() });
  if (!heard) await self.registration.showNotification(BRAND, { body: LOST, tag: "stop-lost" });
}

async function open(body) {
  const link = body.match(/https?:\/\/[^\s<>"]+/);
  if (link) await self.clients.openWindow(link[0].replace(/[.,;:!?)]+$/, ""));
}

// A repeat changes nothing on the server, so that a try may be made again.
async function tell({ to, ref = "", hook, proof }, what) {
  for (const wait of WAITS) {
    await new Promise((done) => setTimeout(done, wait));
    const answer = await post(hook, { to, ref, ...what }, { "X-Tidings-Proof": proof });
    if (answer && answer.status < 500) return answer.ok;
  }
  return false;
}

function post(url, body, headers = {}) {
  const request = { method: "POST", credentials: "omit", body: JSON.stringify(body) };
  return fetch(url, { ...request, headers: { "Content-Type": "application/json", ...headers } }).catch(() => null);
}

// The browser changed its subscription, or gave it up, by itself.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(move(event)));

async function move(event) {
  const cache = await caches.open("tidings");
  const me = await (await cache.match(PAGE))?.json();
  const old = event.oldSubscription ? keysOf(event.oldSubscription) : me;
  if (!old) return;
  const fresh = event.newSubscription ?? (await again(event.oldSubscription));
  if (fresh) {
    await post("/push-change", { ...old, subscription: fresh.toJSON() });
    await cache.put(PAGE, new Response(JSON.stringify({ ...me, ...keysOf(fresh) })));
  } else if (me) {
    await tell(me, { event: "left", id: crypto.randomUUID() });
  }
}

const again = (old) => (old ? self.registration.pushManager.subscribe(old.options).catch(() => null) : null);

function keysOf(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  return { endpoint, auth: keys.auth };
}
