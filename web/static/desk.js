// One ticket at a desk: drafts keep themselves, ready words go where the cursor was, an address may open a form.
"use strict";

const DRAFT_AFTER_MS = 800;
let lastField = null;
const waiting = new Map();

function draftOf(form) {
  const body = new FormData();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value) body.append(name, value);
  return body;
}

async function keep(form) {
  clearTimeout(waiting.get(form));
  waiting.delete(form);
  let note = form.querySelector(".draft-note");
  if (!note) {
    note = document.createElement("span");
    note.className = "hint draft-note";
    note.setAttribute("role", "status");
    form.append(note);
  }
  try {
    const answer = await fetch(form.dataset.draft, { method: "POST", body: draftOf(form), keepalive: true, headers: { Accept: "application/json" } });
    note.textContent = answer.ok ? "草稿已保存" : "草稿没有保存:请在另一个窗口重新登录,内容仍在本页";
  } catch (error) {
    note.textContent = "草稿没有保存:网络不通,内容仍在本页";
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form || !form.dataset.draft) return;
  clearTimeout(waiting.get(form));
  waiting.set(form, setTimeout(() => keep(form), DRAFT_AFTER_MS));
});
window.addEventListener("pagehide", () => { for (const form of [...waiting.keys()]) if (!form.dataset.sent) keep(form); });
document.addEventListener("submit", (event) => { clearTimeout(waiting.get(event.target)); waiting.delete(event.target); });

document.addEventListener("focusin", (event) => { if (event.target.matches("form[data-draft] textarea")) lastField = event.target; });
document.addEventListener("click", (event) => {
  const ready = event.target.closest("[data-insert]");
  if (!ready) return;
  const field = lastField || document.querySelector("details.action[open] textarea");
  if (!field) return;
  field.setRangeText(ready.dataset.insert, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});

// The event of an opened box comes late: whoever typed on meanwhile keeps the cursor.
function firstFieldOf(box) {
  if (box.contains(document.activeElement) && !document.activeElement.matches("summary")) return;
  const field = box.querySelector("input:not([type=hidden]):not(.behind), textarea, select");
  if (field) field.focus();
}

// A form that the page came with open takes no cursor unless something in it is wrong: the keys go on working.
const came = new Set([...document.querySelectorAll("details.action[open]")].filter((box) => !box.querySelector("[role=alert]")));
document.addEventListener("toggle", (event) => {
  if (event.target.matches("details.action") && event.target.open && !came.delete(event.target)) firstFieldOf(event.target);
}, true);

function openWanted() {
  const wanted = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  if (!wanted || !wanted.matches("details.action")) return;
  came.delete(wanted);
  wanted.open = true;
}
window.addEventListener("hashchange", openWanted);
openWanted();
