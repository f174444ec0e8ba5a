// What every page needs from JavaScript: the form token on htmx requests, and one submit per form.
"use strict";

document.addEventListener("htmx:config:request", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  event.detail.ctx.request.headers["X-CSRFToken"] = token;
});

// Opening a ticket counts as reading it, which is a change of one's own: the forms of this page follow.
document.addEventListener("ticket:version", (event) => {
  for (const field of document.getElementsByName("expected_version")) field.value = event.detail.version;
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (form.method.toLowerCase() !== "post") return;
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
