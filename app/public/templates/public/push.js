// <script src="…/push.js" data-list="NEWS" async></script> puts a link here that leads to the list's page.
"use strict";
(() => {
  const words = {{ words|tojson }};
  const me = document.currentScript;
  const list = me.dataset.list;
  if (!list) return console.warn("push.js: data-list is missing; it is the word of the list, such as NEWS.");
  const spoken = (me.dataset.lang || document.documentElement.lang || navigator.language).slice(0, 2);
  const language = spoken in words ? spoken : "en";
  const link = document.createElement("a");
  link.href = `${new URL(`push/${encodeURIComponent(list)}`, me.src)}?lang=${language}`;
  link.lang = language;
  link.className = "tidings-push";
  link.textContent = me.dataset.text || words[language];
  me.after(link);
})();
