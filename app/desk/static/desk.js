// What a page does better with JavaScript; every page works without this file.
"use strict";

const polls = (event) => event.target instanceof Element && event.target.matches("[data-poll]");

// A page that nobody sees asks for nothing.
document.addEventListener("htmx:config:request", (event) => {
  if (document.hidden && polls(event)) event.preventDefault();
});

// Old numbers say that they are old. The next answer replaces the whole part, and with it this line.
const stale = (event) => {
  if (polls(event)) event.target.querySelector(".stale")?.removeAttribute("hidden");
};
document.addEventListener("htmx:error", stale);
document.addEventListener("htmx:response:error", stale);

// A placeholder goes where the cursor is. Without this, the button posts the form and it goes to the end.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-insert]");
  const field = button?.form?.elements.text;
  if (!field) return;
  event.preventDefault();
  field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});

// Choosing a day or an hour means "at a time", unless it repeats or goes by everybody's own clock.
document.addEventListener("input", (event) => {
  const at = event.target.closest?.(".at") && document.querySelector("input[name=choice][value=at]");
  if (at && document.querySelector("input[name=choice][value=now]:checked")) at.checked = true;
});

// What a page saves by itself changes the number that a save by hand must name, so the latter waits for it.
document.addEventListener("submit", (event) => {
  const auto = event.target.querySelector("#autosave.htmx-request");
  if (!auto) return;
  event.preventDefault();
  const submit = () => setTimeout(() => event.target.requestSubmit(event.submitter));
  auto.addEventListener("htmx:finally:request", submit, { once: true });
});

// Where nobody could save, the line beside the button says so in place of "Saved".
const unsaved = (event) => {
  const line = event.target.id === "autosave" && document.getElementById("saved");
  if (line) line.textContent = line.dataset.failed;
};
document.addEventListener("htmx:error", unsaved);
document.addEventListener("htmx:response:error", unsaved);

// A new draft that the page saved by itself gets its address, so that a reload shows it.
document.addEventListener("htmx:finally:request", (event) => {
  const address = event.target.id === "autosave" && document.getElementById("draft")?.dataset.address;
  if (address && address !== location.pathname) history.replaceState(null, "", address);
});

// On the line of a live event, Ctrl+Enter sends as Enter does.
document.addEventListener("keydown", (event) => {
  const form = event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest?.("form.ticker");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("[name=act]"));
});

// After a form came back with errors, reading goes on at the errors.
(document.querySelector("[data-focus]") ?? document.querySelector("#main [aria-invalid=true]"))?.focus();

// The account menu closes by Escape and by a click elsewhere.
const menu = document.querySelector("details.menu");
document.addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu?.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
