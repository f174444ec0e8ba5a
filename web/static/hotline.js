// The operator's form: how the call ends, what is known of the caller, and who has already reported this.
"use strict";

// A category or a place may show that somebody has already reported this.
function askAgain() {
  const text = document.getElementById("text");
  if (text.value.trim()) text.dispatchEvent(new Event("again"));
}

(() => {
  const call = document.getElementById("call");
  if (!call) return;

  function show() {
    const ending = call.elements.ending.value;
    for (const part of call.querySelectorAll("[data-ending]")) part.hidden = part.dataset.ending !== ending;
  }
  function end(how) { call.elements.ending.value = how; show(); }
  call.addEventListener("change", (event) => {
    if (event.target.name === "ending") show();
    if (event.target.name === "category_code") askAgain();
    if (event.target.name === "reason_code") call.elements.refusal.value = event.target.selectedOptions[0].dataset.sentence || "";
  });
  document.addEventListener("click", (event) => {
    const category = event.target.closest("[data-category]"), answer = event.target.closest("[data-answer]");
    if (category) { call.elements.category_code.value = category.dataset.category; call.elements.category_code.dispatchEvent(new Event("change", { bubbles: true })); document.getElementById("place-search").focus(); }
    if (answer) {
      call.elements.answer.value = answer.dataset.answer;
      call.elements.entry.value = answer.dataset.entry;
      if (!call.elements.nature.value) call.elements.nature.value = "consult";
      end("answer");
    }
  });
  // What is known of the caller is filled in once, and never over what the operator typed.
  document.addEventListener("htmx:after:swap", () => {
    const known = document.querySelector("[data-known-name]");
    if (known && !call.elements.reporter_name.value) call.elements.reporter_name.value = known.dataset.knownName;
  });
  call.addEventListener("place:chosen", askAgain);
  show();
})();
