// Points drawn on a map of the grids, written into a field; the server does the geometry.
"use strict";

document.addEventListener("DOMContentLoaded", async () => {
  for (const box of document.querySelectorAll("[data-draw]")) {
    const field = document.getElementById(box.dataset.draw);
    const map = await drawMap(box, { point: false });
    const line = L.polyline([], { color: INK.point, weight: 3 }).addTo(map);
    const show = () => {
      const pairs = field.value.split(";").map((pair) => pair.split(",").map(Number)).filter(([lon, lat]) => Number.isFinite(lon) && Number.isFinite(lat));
      line.setLatLngs(pairs.map(([lon, lat]) => [lat, lon]));
    };
    map.on("click", (event) => {
      const point = `${event.latlng.lng.toFixed(6)},${event.latlng.lat.toFixed(6)}`;
      field.value = field.value ? `${field.value};${point}` : point;
      show();
    });
    field.addEventListener("input", show);
    document.querySelector(`[data-clear="${box.dataset.draw}"]`)?.addEventListener("click", () => { field.value = ""; show(); });
    show();
  }
});
