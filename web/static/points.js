// Many points on a map of the borders: what a rehearsal would send elsewhere, what speaks for a proposal.
"use strict";

async function plotPoints() {
  for (const box of document.querySelectorAll("[data-points]:not(.leaflet-container)")) {
    const map = await drawMap(box, { point: false });
    const points = JSON.parse(box.dataset.points);
    const drawn = L.featureGroup(points.map(([lon, lat, code]) => {
      const dot = L.circleMarker([lat, lon], { radius: 5, color: "#fff", weight: 1, fillColor: INK.point, fillOpacity: 0.85 });
      return dot.bindTooltip(labelOf(code));
    })).addTo(map);
    if (points.length) map.fitBounds(drawn.getBounds(), { padding: [24, 24], maxZoom: 16 });
  }
}

document.addEventListener("DOMContentLoaded", plotPoints);
document.addEventListener("htmx:after:swap", plotPoints);
