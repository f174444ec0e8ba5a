// The operator's form: choosing a grid moves the map, a click on the map is the place.
"use strict";

(() => {
  const form = document.getElementById("call"), box = document.getElementById("map");
  if (!form || !window.L) return;
  const where = document.getElementById("where");
  let map, marker;

  function place(at) {
    form.elements.lon.value = at.lng.toFixed(7);
    form.elements.lat.value = at.lat.toFixed(7);
    form.elements.location_source.value = "map";
    where.textContent = "已在地图上选点";
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

  document.getElementById("grid").addEventListener("change", () => {
    form.elements.lon.value = form.elements.lat.value = form.elements.location_source.value = "";
    where.textContent = "按所选网格登记;可在图上点选更准的位置";
    draw();
  });
  draw();
})();
