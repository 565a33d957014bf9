// The states of the parts of a page that renew themselves: at work, failed with a way to try again, and old.
"use strict";

const SLOW = 400; // milliseconds until a part says that it is being renewed: faster ones would only flicker
const working = new Map();

const partOf = (event) => {
  const target = event.detail?.ctx?.target;
  return target instanceof Element ? target : event.target;
};
const lineOf = (part) => document.getElementById(`failed-${part.id}`);
const byItself = (element) => element.id === "autosave"; // has its own line beside the button

document.addEventListener("htmx:before:request", (event) => {
  const part = partOf(event);
  clearTimeout(working.get(part.id));
  working.set(part.id, setTimeout(() => document.getElementById(part.id)?.setAttribute("aria-busy", "true"), SLOW));
});

document.addEventListener("htmx:finally:request", (event) => {
  const part = partOf(event);
  clearTimeout(working.get(part.id));
  document.getElementById(part.id)?.removeAttribute("aria-busy");
});

// What asked is asked again: a button by a press, a field or a form by what its typing would do.
const tryAgain = (source) => {
  if (source.matches("button")) source.click();
  else if (source.matches("[data-poll]")) location.reload();
  else source.dispatchEvent(new Event("input", { bubbles: true }));
};

// One line for each part, said once; only the number of the request changes while it goes on failing.
const failed = (event) => {
  const source = event.target;
  const form = document.getElementById("part-failed");
  if (!(source instanceof Element) || !form || byItself(source)) return;
  const number = event.detail?.ctx?.response?.headers?.get("X-Request-Id") ?? "";
  if (source.matches("[data-poll]") && !number) return; // it says itself how old its numbers are, and goes on trying
  const part = partOf(event);
  let line = lineOf(part);
  if (!line) {
    line = form.content.firstElementChild.cloneNode(true);
    line.id = `failed-${part.id}`;
    line.querySelector("button").addEventListener("click", () => tryAgain(document.getElementById(source.id) ?? source));
    part.after(line);
  }
  line.querySelector(".number").hidden = !number;
  line.querySelector("code").textContent = number;
};
document.addEventListener("htmx:error", failed);
document.addEventListener("htmx:response:error", failed);

// What works again takes its line away; whoever stood on its button stands on the part.
document.addEventListener("htmx:after:swap", (event) => {
  const part = partOf(event);
  const line = lineOf(part);
  const status = event.detail?.ctx?.response?.status ?? 0;
  if (!line || status >= 400) return; // htmx tells of a swap, too, where it swaps nothing
  const stoodThere = line.contains(document.activeElement);
  line.remove();
  const fresh = document.getElementById(part.id);
  if (!stoodThere || !fresh) return;
  fresh.setAttribute("tabindex", "-1");
  fresh.focus();
});
