// Rank a story by dragging it, or with Alt and an arrow key. The buttons beside it do the same without this file.
"use strict";

const stories = () => [...document.querySelectorAll("#day [data-place]")];
const storyOf = (event) => event.target.closest?.("#day [data-place]");
const said = document.querySelector("#moved");
let last = Promise.resolve();
let dragged = null;

function ready() {
  for (const story of stories()) {
    story.draggable = true;
    story.tabIndex = 0;
  }
  for (const hint of document.querySelectorAll("#day [data-scripted]")) hint.hidden = false;
}

// `placed` tells the new place from the present one, when the moves before it are done. Then the day is as the server sees it.
async function put(id, placed) {
  const story = document.getElementById(id);
  if (!story) return;
  const form = { csrf_token: document.querySelector("[name=csrf_token]").value, place: placed(stories().indexOf(story) + 1) };
  const answer = await fetch(story.dataset.place, { method: "POST", body: new URLSearchParams(form) });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const day = page.querySelector("#day");
  if (!answer.ok || !day) return location.reload();
  document.querySelector("#day").replaceWith(day);
  ready();
  const now = document.getElementById(id);
  now?.focus();
  said.textContent = page.querySelector("main > .note.bad")?.textContent ?? now?.dataset.said ?? "";
}

function move(id, placed) {
  last = last.then(() => put(id, placed)).catch(() => location.reload());
}

document.addEventListener("keydown", (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const story = storyOf(event);
  if (!step || !event.altKey || !story || event.target.matches("input")) return;
  event.preventDefault();
  move(story.id, (place) => Math.max(1, place + step));
});

document.addEventListener("dragstart", (event) => {
  dragged = storyOf(event);
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.said);
});
document.addEventListener("dragover", (event) => {
  const over = storyOf(event);
  if (!dragged || !over) return;
  event.preventDefault();
  for (const one of stories()) one.classList.toggle("over", one === over);
});
document.addEventListener("drop", (event) => {
  const over = storyOf(event);
  if (!dragged || !over) return;
  event.preventDefault();
  const place = stories().indexOf(over) + 1;
  move(dragged.id, () => place);
});
document.addEventListener("dragend", () => {
  dragged = null;
  for (const one of stories()) one.classList.remove("over");
});

ready();
