// <script src="…/inbox.js" data-list="NEWS" async></script> puts an inbox here. It sets no cookie: the browser keeps, for
// this site, a random address in a token, and only after the reader has agreed.
"use strict";
(() => {
  const me = document.currentScript;
  const { list, lang, heading = "2" } = me.dataset;
  if (!list) return console.warn("inbox.js: data-list is missing; it is the word of the list, such as NEWS.");
  const base = new URL(`in-app/${encodeURIComponent(list)}`, me.src);
  const spoken = (lang || document.documentElement.lang || navigator.language).slice(0, 2);
  const KEPT = `tidings:${base.origin}`;
  const EVERY = 60000; // milliseconds
  const STYLE = `
    :host { display: block; font: inherit; color: inherit; }
    section { border: 1px solid #7d8684; border-radius: .4rem; padding: 1rem; background: #fff; color: #1d2426; overflow-wrap: anywhere; }
    .title { margin: 0 0 .5rem; font-size: 1.25rem; font-weight: 600; }
    ul { margin: 0; padding: 0; list-style: none; }
    li { padding: .75rem 0; border-top: 1px solid #dcdad2; }
    blockquote { margin: 0 0 .5rem; padding: .6rem .8rem; border-left: 4px solid #0f5c5c; background: #fbfaf6; white-space: pre-wrap; }
    .text { margin: 0 0 .25rem; white-space: pre-wrap; }
    .media { margin: 0 0 .25rem; }
    .media img, .media video { max-width: 100%; height: auto; }
    .soft { color: #56605f; font-size: .9375em; }
    .new { font-weight: 600; color: #0f5c5c; }
    a { color: #0f5c5c; }
    button { min-height: 2.75rem; padding: .5rem 1rem; border: 0; border-radius: .4rem; background: #0f5c5c; color: #fff; font: inherit; font-weight: 600; cursor: pointer; }
    .key { display: inline-block; min-height: 1.75rem; padding: .5rem 1rem; border: 2px solid #0f5c5c; border-radius: .4rem; font-weight: 600; }
    li :is(button, .key) { margin: .25rem .5rem .25rem 0; }
    li button, .off { background: #fff; border: 2px solid #0f5c5c; color: #0f5c5c; }
    :focus-visible { outline: 3px solid #0f5c5c; outline-offset: 2px; }`;
  let facts = null;
  let status = null;

  const reader = () => JSON.parse(localStorage.getItem(KEPT) || "{}");

  function make(name, text = "", attributes = {}) {
    const element = document.createElement(name);
    element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  async function ask(act, body) {
    const answer = await fetch(`${base}/${act}?lang=${facts.language}`, {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...reader(), ...body }),
    });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.error);
    return found;
  }

  const say = (name) => (status.textContent = facts.said[name] ?? facts.said.failed);

  // Texts are shown as they are; only what is a web address becomes a link.
  function written(text) {
    const line = make("p", "", { class: "text", dir: "auto" });
    for (const part of text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)])/)) {
      const isLink = /^https?:\/\//.test(part);
      line.append(isLink ? make("a", part, { href: part, rel: "noopener" }) : part);
    }
    return line;
  }

  function button(text, act, name = "") {
    const made = make("button", text, { type: "button", class: name });
    made.addEventListener("click", async () => {
      made.disabled = true;
      try {
        await act();
      } catch (error) {
        say(error.message);
      }
      made.disabled = false;
      status.focus();
    });
    return made;
  }

  // A picture, sound or film is shown; a document is a link.
  function shown({ url, kind, alt, name }) {
    const part = make("p", "", { class: "media" });
    const names = { image: "img", audio: "audio", video: "video" };
    const file = make(names[kind] ?? "a", kind === "document" ? alt || name : "", kind === "document" ? { href: url } : { src: url });
    if (kind === "image") file.setAttribute("alt", alt);
    else if (kind !== "document") file.setAttribute("controls", "");
    if (kind !== "image" && alt) file.setAttribute("aria-label", alt);
    part.append(file);
    return part;
  }

  function message(one) {
    const item = make("li");
    const when = new Date(one.at).toLocaleString(facts.language, { dateStyle: "medium", timeStyle: "short" });
    const head = make("p", "", { class: "soft" });
    head.append(make("time", when, { datetime: one.at }));
    if (one.edited) head.append(" · ", make("span", facts.words.edited));
    if (!one.read) head.append(" · ", make("span", facts.words.unread, { class: "new" }));
    const text = written(one.text);
    text.id = `message-${one.id}`;
    item.append(head, ...(one.media ? [shown(one.media)] : []), text);
    item.append(...(one.buttons ?? []).map((key) => pressable(key, text.id)));
    if (!one.read) {
      const mark = button(facts.words.read, async () => {
        draw(await ask("read", { ids: [one.id] }));
        say("marked");
      });
      mark.setAttribute("aria-describedby", text.id);
      item.append(mark);
    }
    return item;
  }

  // A button of a message: a link opens its page, an answer comes to us, and a second press changes nothing.
  function pressable({ kind, label, value }, below) {
    if (kind === "link") return make("a", label, { class: "key", href: value, rel: "noopener", dir: "auto" });
    const made = button(label, async () => {
      draw(await ask("button", { id: crypto.randomUUID(), button: value, label }));
      say("answered");
    });
    made.setAttribute("aria-describedby", below);
    made.dir = "auto";
    return made;
  }

  async function turnOn() {
    say("working");
    const press = { id: crypto.randomUUID(), shown: facts.shown, page: location.href };
    const found = await ask("join", press).catch(async (error) => {
      if (error.message === "changed") await load();
      throw error;
    });
    localStorage.setItem(KEPT, JSON.stringify({ to: found.to, proof: found.proof }));
    draw(found);
    say("turned_on");
    setTimeout(look, 2000);
  }

  async function turnOff() {
    say("working");
    draw(await ask("stop", { id: crypto.randomUUID() }));
    say("turned_off");
    setTimeout(look, 2000);
  }

  function agreement() {
    const part = make("div");
    const { purpose, frequency, stop, agree, no_condition, button: label } = facts.statements;
    const links = make("p", "", { class: "soft" });
    links.append(make("a", facts.words.terms, { href: facts.links.terms }), " · ");
    links.append(make("a", facts.words.privacy, { href: facts.links.privacy }));
    part.append(make("p", purpose), make("p", `${frequency} ${stop}`), make("p", `${agree} ${no_condition}`));
    part.append(make("p", facts.words.notice), make("blockquote", facts.notice, { dir: "auto" }));
    part.append(make("p", facts.words.version, { class: "soft" }), button(label, turnOn), links);
    return part;
  }

  const box = make("div", "", { class: "tidings-inbox" });
  const shadow = box.attachShadow({ mode: "open" });
  const body = make("div");

  function draw({ on, messages }) {
    const items = make("ul");
    items.append(...messages.map(message));
    const parts = messages.length || !on ? [items] : [make("p", facts.words.empty)];
    if (!messages.length && !on) parts.length = 0;
    const end = on ? [make("p", facts.words.is_on), button(facts.words.turn_off, turnOff, "off")] : [agreement()];
    body.replaceChildren(...parts, ...end);
  }

  async function look() {
    if (!document.hidden && reader().to) draw(await ask("messages", {}));
  }

  async function load() {
    const answer = await fetch(`${base}?lang=${spoken}`, { credentials: "omit" }).catch(() => {
      throw new Error(`no answer; perhaps the sender of this list does not name the origin ${location.origin}.`);
    });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    facts = await answer.json();
  }

  async function begin() {
    await load();
    const sheet = new CSSStyleSheet(); // no inline style: the site's own policy holds here, too
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];
    const section = make("section", "", { "aria-labelledby": "title", lang: facts.language });
    const title = make("p", facts.words.title, { id: "title", class: "title", role: "heading", "aria-level": heading });
    status = make("p", "", { role: "status", tabindex: "-1" });
    section.append(title, status, body);
    shadow.append(section);
    draw({ on: false, messages: [] });
    me.after(box);
    await look().catch((error) => error.message === "not_yours" && localStorage.removeItem(KEPT));
    setInterval(() => look().catch(() => null), EVERY);
    document.addEventListener("visibilitychange", () => look().catch(() => null));
  }

  begin().catch((error) => console.warn(`inbox.js: ${error.message}`));
})();
