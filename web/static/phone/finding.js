// Help on the report form where there is a network: categories that the words mean, places by name or address.
"use strict";

(() => {
  const form = document.getElementById("report");
  if (!form || !window.isSecureContext) return;
  const byId = (id) => document.getElementById(id), PAUSE_MS = 500;

  function button(words, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "chip secondary outline";
    made.textContent = words;
    made.onclick = act;
    return made;
  }
  // Only the answer to what was typed last counts.
  function asks(input, ask, show) {
    let timer, latest = 0;
    input.addEventListener("input", () => {
      clearTimeout(timer);
      const words = input.value.trim(), number = latest += 1;
      if (words.length < 2 || !navigator.onLine) { show([]); return; }
      timer = setTimeout(async () => {
        const found = await ask(words).catch(() => []);
        if (number === latest) show(found);
      }, PAUSE_MS);
    });
  }

  async function categories(text) {
    await Sending.signIn();
    const { lon, lat } = form.elements, place = lat.value ? { lon: +lon.value, lat: +lat.value } : {};
    const answer = await Sending.call("/api/v1/suggest/categories", { method: "POST", body: JSON.stringify({ text, ...place }), headers: { "Content-Type": "application/json" } });
    return answer.ok ? (await answer.json()).categories : [];
  }
  function suggest(found) {
    const known = found.map((one) => [one, form.querySelector(`[name=category_code][value="${CSS.escape(one.code)}"]`)]).filter(([, radio]) => radio && !radio.checked).slice(0, 3);
    byId("suggested").hidden = !known.length;
    byId("suggested").replaceChildren("可能是:", ...known.map(([one, radio]) => button(one.name, () => {
      if (radio.closest("#all")) byId("all").open = true;
      radio.click();
      byId("suggested").hidden = true;
    })));
  }

  async function places(words) {
    const answer = await Sending.call(`/api/v1/suggest/places?q=${encodeURIComponent(words.slice(0, 40))}`);
    return answer.ok ? (await answer.json()).places : [];
  }
  function offer(found) {
    byId("places").replaceChildren(...found.slice(0, 6).map((one) => button(one.address ? `${one.name} · ${one.address}` : one.name, () => {
      Place.choose(one.lat, one.lon, one.name);
      byId("places").replaceChildren();
      byId("by-grid").open = false;
    })));
  }

  const search = byId("place-search");
  search.parentElement.hidden = false;
  asks(byId("text"), categories, suggest);
  asks(search, places, offer);
})();
