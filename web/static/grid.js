// What every page needs from JavaScript: the form token on htmx requests, and one submit per form.
"use strict";

document.addEventListener("htmx:config:request", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  event.detail.ctx.request.headers["X-CSRFToken"] = token;
});

// Opening a ticket counts as reading it, which is a change of one's own: the forms of this page follow.
document.addEventListener("ticket:version", (event) => {
  for (const field of document.getElementsByName("expected_version")) field.value = event.detail.version;
  const stage = document.querySelector(".ticket-head .state");
  if (stage && event.detail.stage) stage.textContent = event.detail.stage;
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (form.method.toLowerCase() !== "post" || event.submitter?.hasAttribute("data-download")) return;
  form.dataset.sent = "yes";
  const button = event.submitter || form.querySelector("[type=submit]");
  if (button) button.setAttribute("aria-busy", "true");
});

// A page shown again from the browser's memory may be sent again: the server knows a repeated form by its key.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
});

// What the browser itself finds missing is said in the page's language; the next touch of the form asks anew.
document.addEventListener("invalid", (event) => {
  const field = event.target, state = field.validity;
  // Of a group of radio buttons the first one speaks; the browser complains of each that it cannot bring into view.
  const group = field.type === "radio" && field.form ? [...field.form.elements].filter((one) => one.name === field.name) : [field];
  if (group[0] !== field) { event.preventDefault(); return; }
  for (let box = field.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  const missing = field.type === "file" ? "请选择照片或文件"
    : field.type === "radio" || field.tagName === "SELECT" ? "请选择一项"
      : field.type === "checkbox" ? "请先勾选" : "请填写这一项";
  if (state.customError && !field.dataset.told) return;
  field.setCustomValidity(state.valueMissing ? missing
    : state.tooShort ? `请至少填写 ${field.minLength} 个字` : "填写的格式不对,请核对");
  field.dataset.told = "yes";
}, true);
for (const touch of ["click", "input", "change"]) {
  document.addEventListener(touch, (event) => {
    const form = event.target.closest("form");
    for (const field of form ? form.querySelectorAll("[data-told]") : []) {
      field.setCustomValidity("");
      delete field.dataset.told;
    }
  }, true);
}
