// Lists that stay fresh by themselves and are walked by keys: j and k move, Enter opens.
"use strict";

// A list says which answer it holds; an unchanged one comes back as 304 and is left alone.
document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement, request } = event.detail.ctx;
  if (sourceElement.dataset.held) request.headers["If-None-Match"] = sourceElement.dataset.held;
});
document.addEventListener("htmx:after:request", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  const held = response.headers.get("ETag");
  if (held) sourceElement.dataset.held = held;
});

function isTyping(target) {
  return target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]") !== null;
}

function walk(step) {
  const links = [...document.querySelectorAll(".tickets a")];
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : here + step;
  const link = links[Math.min(Math.max(next, 0), links.length - 1)];
  link.focus();
  link.scrollIntoView({ block: "nearest" });
}

// Signing from the list: one form outside it (its token would make every answer a new one) takes the row's address.
function sign(link) {
  const form = document.getElementById("sign");
  form.action = link.dataset.sign;
  form.elements.expected_version.value = link.dataset.version;
  form.requestSubmit();
}

// What a key does to the row that has the focus: tick it, sign it, open it at a form.
function onRow(key) {
  const link = document.activeElement.closest(".tickets a");
  if (!link) return false;
  const row = link.closest("li"), tick = row.querySelector("[name=code]");
  if (key === "x" && tick) tick.click();
  else if (key === "s" && link.dataset.sign) sign(link);
  else if (key === "r") location.assign(link.href + "#do-object");
  else if (key === "h") location.assign(link.href + "#do-handle");
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isTyping(event.target)) { event.target.blur(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
  if (event.key === "j") walk(1);
  else if (event.key === "k") walk(-1);
  else if (event.key === "?" && document.getElementById("keys")) document.getElementById("keys").showModal();
  else if (onRow(event.key)) event.preventDefault();
  else {
    const wanted = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!wanted) return;
    event.preventDefault();
    // A field in a folded box cannot take the focus.
    if (!wanted.matches("summary")) for (let box = wanted.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    // A form that is folded opens, and the next key is already for its first field.
    if (wanted.matches("summary")) {
      wanted.parentElement.open = true;
      const field = wanted.parentElement.querySelector("input:not([type=hidden]):not(.behind), textarea, select, button");
      if (field) { field.focus(); return; }
    }
    wanted.focus();
    if (!wanted.matches("input:not([type=radio]):not([type=checkbox]), textarea, select")) wanted.click();
  }
});

// Sending a form from within its words.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.form) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});
