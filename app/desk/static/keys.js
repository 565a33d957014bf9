// Keys for those who would rather not reach for the mouse. The page has this file only where the account has them on.
"use strict";

const dialog = document.getElementById("keys");
const PATIENCE = 1500; // milliseconds between "g" and the letter of the page
let wentAt = 0;

const typing = (element) =>
  element.isContentEditable ||
  element.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=submit], [type=button])");

const shown = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

// Ctrl+S and Ctrl+Enter press the button that names them, also while somebody types.
const press = (event, name) => {
  const button = [...document.querySelectorAll(`[data-key="${name}"]`)].find(shown);
  if (!button || dialog?.open) return;
  event.preventDefault();
  if (!event.repeat) button.click();
};

const search = () => {
  const field = [...document.querySelectorAll("input[type=search]")].find(shown);
  if (field) field.focus();
  else location.assign(dialog.dataset.search);
};

const content = dialog?.querySelector("template").content;

// The table stands in the page only once it is asked for.
const show = () => {
  if (!dialog.querySelector("article")) dialog.append(content.cloneNode(true));
  dialog.showModal();
};

const goTo = (letter) => {
  const link = content.querySelector(`[data-go="${letter}"]`);
  if (link) location.assign(link.getAttribute("href"));
  return Boolean(link);
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    if (event.key === "Enter") press(event, "next");
    else if (event.key.toLowerCase() === "s") press(event, "save");
    return;
  }
  // With Alt, Ctrl or a press that repeats it is no key of ours; Shift is part of typing "?" and "/".
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (!dialog || dialog.open || !(event.target instanceof Element) || typing(event.target)) return;
  const since = event.timeStamp - wentAt;
  wentAt = 0;
  if (since < PATIENCE && goTo(event.key.toLowerCase())) event.preventDefault();
  else if (event.key === "g") wentAt = event.timeStamp;
  else if (event.key === "?") show();
  else if (event.key === "/") search();
  else return;
  event.preventDefault();
});

// A click beside the box closes it, as Escape and its button do.
dialog?.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

// What led here by "/" shall find the cursor in the field.
if (location.hash === "#q") document.getElementById("q")?.focus();
