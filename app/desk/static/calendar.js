// Drag a broadcast that waits to another day. The page that follows shows what stands against it; nothing is saved here.
"use strict";

const table = document.querySelector("table.calendar");
const day = (event) => event.target.closest?.("[data-day]");
let dragged = null;

for (const item of table?.querySelectorAll("[data-move]") ?? []) item.draggable = true;

table?.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-move]");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.move);
  table.classList.add("dragging");
});
table?.addEventListener("dragover", (event) => {
  if (!dragged || !day(event)) return;
  event.preventDefault();
  for (const one of table.querySelectorAll(".over")) one.classList.remove("over");
  day(event).classList.add("over");
});
table?.addEventListener("drop", (event) => {
  const cell = day(event);
  if (!dragged || !cell) return;
  event.preventDefault();
  const to = new URL(dragged.dataset.move, location.href);
  to.searchParams.set("day", cell.dataset.day);
  location.assign(to);
});
table?.addEventListener("dragend", () => {
  dragged = null;
  table.classList.remove("dragging");
  for (const one of table.querySelectorAll(".over")) one.classList.remove("over");
});
