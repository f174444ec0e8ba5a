// A place is picked by its name, by its grid or by a click on the map; the form hears of it as `place:chosen`.
"use strict";

(() => {
  const box = document.getElementById("map"), form = box && box.closest("form");
  if (!form || !window.L) return;
  const where = document.getElementById("where");
  let map, marker;

  function place(at) {
    form.elements.lon.value = at.lng.toFixed(7);
    form.elements.lat.value = at.lat.toFixed(7);
    form.elements.location_source.value = "map";
    where.textContent = "已在地图上选点";
    form.dispatchEvent(new Event("place:chosen"));
    if (marker) marker.setLatLng(at);
    else marker = L.circleMarker(at, { radius: 8, color: "#fff", weight: 2, fillColor: "#b23a06", fillOpacity: 1 }).addTo(map);
  }

  async function draw() {
    const code = document.getElementById("grid").value.trim();
    const url = new URL(box.dataset.areas, location);
    if (code) url.searchParams.set("code", code);
    box.dataset.areas = url;
    if (map) map.remove();
    marker = undefined;
    map = await drawMap(box);
    map.on("click", (event) => place(event.latlng));
    if (form.elements.lat.value) place(L.latLng(form.elements.lat.value, form.elements.lon.value));
  }

  document.addEventListener("click", (event) => {
    const same = event.target.closest("[data-same-place]");
    if (!same) return;
    const at = L.latLng(same.dataset.lat, same.dataset.lon);
    place(at);
    where.textContent = same.dataset.samePlace;
    map.setView(at, 16);
  });

  // Places by name: typed in one field, chosen by a button, shown on the map.
  const search = document.getElementById("place-search"), places = document.getElementById("places");
  let asked;
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const first = places.querySelector("button");
    if (first) first.click();
  });
  search.addEventListener("input", () => {
    clearTimeout(asked);
    asked = setTimeout(async () => {
      const words = search.value.trim();
      if (words.length < 2) { places.replaceChildren(); return; }
      const answer = await fetch(`${search.dataset.places}?q=${encodeURIComponent(words)}`);
      if (!answer.ok) return;
      const said = await answer.json();
      places.replaceChildren(...said.places.slice(0, 5).map((found) => {
        const item = document.createElement("li"), button = document.createElement("button");
        button.type = "button";
        button.className = "secondary compact";
        button.textContent = found.name;
        button.addEventListener("click", () => {
          const at = L.latLng(found.lat, found.lon);
          place(at);
          form.elements.location_source.value = "address";
          where.textContent = found.name + (found.address ? "," + found.address : "");
          map.setView(at, 16);
        });
        item.append(button, document.createTextNode(" " + (found.address || "")));
        return item;
      }));
      if (said.note) places.append(Object.assign(document.createElement("li"), { className: "hint", textContent: said.note }));
    }, 250);
  });

  document.getElementById("grid").addEventListener("change", () => {
    form.elements.lon.value = form.elements.lat.value = form.elements.location_source.value = "";
    where.textContent = "按所选网格登记;可在图上点选更准的位置";
    draw();
  });
  draw();
})();
