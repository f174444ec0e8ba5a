// Points drawn and grids chosen on a map of the grids, written into the form's fields; the server does the geometry.
"use strict";

document.addEventListener("DOMContentLoaded", async () => {
  for (const box of document.querySelectorAll("[data-draw]")) {
    const field = document.getElementById(box.dataset.draw), list = document.getElementById(box.dataset.choose);
    const choosing = () => document.querySelector("[name=drawing]:checked")?.value === "grids";
    const map = await drawMap(box, { point: false });
    const line = L.polyline([], { color: INK.point, weight: 3 }).addTo(map);
    const corners = L.layerGroup().addTo(map);
    const show = () => {
      const pairs = field.value.split(";").map((pair) => pair.split(",").map(Number)).filter(([lon, lat]) => Number.isFinite(lon) && Number.isFinite(lat));
      const places = pairs.map(([lon, lat]) => [lat, lon]);
      line.setLatLngs(places);
      corners.clearLayers();
      for (const at of places) L.circleMarker(at, { radius: 4, color: INK.point, interactive: false }).addTo(corners);
    };
    const grids = new Map();
    map.eachLayer((layer) => { if (layer.feature) grids.set(layer.feature.properties.code, layer); });
    const mark = () => {
      const chosen = new Set([...list.selectedOptions].map((option) => option.value));
      for (const [code, layer] of grids) layer.setStyle(chosen.has(code) ? { color: INK.point, weight: 3, fillOpacity: 0.3 } : { color: INK.line, weight: 1, fillOpacity: 0.05 });
      for (const code of chosen) grids.get(code)?.bringToFront();
    };
    for (const [code, layer] of grids) layer.on("click", () => {
      if (!choosing()) return;
      const option = [...list.options].find((one) => one.value === code);
      if (option) option.selected = !option.selected;
      mark();
    });
    map.on("click", (event) => {
      if (choosing()) return;
      const point = `${event.latlng.lng.toFixed(6)},${event.latlng.lat.toFixed(6)}`;
      field.value = field.value ? `${field.value};${point}` : point;
      show();
    });
    field.addEventListener("input", show);
    list.addEventListener("change", mark);
    document.querySelector(`[data-clear="${box.dataset.draw}"]`)?.addEventListener("click", () => { field.value = ""; show(); });
    document.querySelector(`[data-undo="${box.dataset.draw}"]`)?.addEventListener("click", () => { field.value = field.value.split(";").slice(0, -1).join(";"); show(); });
    show();
    mark();
  }
});
