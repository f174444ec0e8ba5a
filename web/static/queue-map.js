// The tickets of this page on a map beside the list; a click leads to the row, a focused row stands out on the map.
"use strict";

(async () => {
  const box = document.getElementById("queue-map");
  if (!box || !window.L || getComputedStyle(box.parentElement).display === "none") return;
  const first = document.querySelector(".tickets li[data-lon]");
  if (first) { box.dataset.lon = first.dataset.lon; box.dataset.lat = first.dataset.lat; }
  const url = new URL(box.dataset.areas, location);
  if (first) { url.searchParams.set("lon", first.dataset.lon); url.searchParams.set("lat", first.dataset.lat); }
  box.dataset.areas = url;
  const map = await drawMap(box, { point: false });
  const points = L.featureGroup().addTo(map);

  function plot() {
    points.clearLayers();
    for (const row of document.querySelectorAll(".tickets li[data-lon]")) {
      const link = row.querySelector("a");
      const late = row.querySelector(".clock.late");
      const point = L.circleMarker([row.dataset.lat, row.dataset.lon], { radius: late ? 8 : 6, color: "#fff", weight: 2, fillColor: late ? "#b23a06" : "#0b6fa4", fillOpacity: 1 });
      point.bindTooltip(labelOf(link.querySelector(".title").textContent.trim() + " " + link.id));
      point.on("click", () => { link.focus(); link.scrollIntoView({ block: "center" }); });
      points.addLayer(point);
      point.row = row.id;
    }
  }
  // A click beside the tickets is the point that others may be near to.
  const near = document.querySelector(".filter-form [name=near]"), within = document.querySelector(".filter-form [name=within]");
  if (near) map.on("click", (event) => {
    near.value = `${event.latlng.lng.toFixed(6)},${event.latlng.lat.toFixed(6)}`;
    if (!within.value) within.value = "500";
    near.closest("details").open = true;
    within.focus();
  });
  plot();
  if (points.getLayers().length) map.fitBounds(points.getBounds().pad(0.2), { maxZoom: 16 });
  document.addEventListener("htmx:after:swap", plot);
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest(".tickets li[data-lon]");
    for (const point of points.getLayers()) point.setStyle({ color: row && point.row === row.id ? "#17262b" : "#fff", weight: row && point.row === row.id ? 4 : 2 });
  });
})();
