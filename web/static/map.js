// Maps drawn from the grid polygons themselves; tiles only where the service has an address for them.
"use strict";

const INK = { line: "#0f5c66", own: "#0b6fa4", point: "#b23a06" };

// Leaflet takes text as HTML: names go in as nodes.
function labelOf(name) {
  const label = document.createElement("span");
  label.textContent = name;
  return label;
}

async function drawMap(box, { point = true } = {}) {
  const map = L.map(box, { attributionControl: false, zoomSnap: 0.5 });
  const lon = parseFloat(box.dataset.lon), lat = parseFloat(box.dataset.lat);
  const hasPoint = Number.isFinite(lon) && Number.isFinite(lat);
  if (hasPoint) map.setView([lat, lon], 16);
  else map.setView([0, 0], 2);
  const tiles = document.documentElement.dataset.tiles;
  if (tiles) L.tileLayer(tiles).addTo(map);
  try {
    const answer = await fetch(box.dataset.areas, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const areas = L.geoJSON(await answer.json(), {
        style: (area) => ({
          color: area.properties.own ? INK.own : INK.line,
          weight: area.properties.own ? 3 : 1,
          fillOpacity: area.properties.own ? 0.14 : 0.05,
        }),
        onEachFeature: (area, layer) => layer.bindTooltip(labelOf(area.properties.name)),
        interactive: true,
      }).addTo(map);
      const own = areas.getLayers().filter((layer) => layer.feature.properties.own);
      if (!hasPoint && areas.getLayers().length) {
        map.fitBounds(own.length ? L.featureGroup(own).getBounds() : areas.getBounds(), { padding: [12, 12] });
      }
    }
  } catch (error) { /* without borders the point alone is shown */ }
  if (hasPoint && point) {
    L.circleMarker([lat, lon], { radius: 7, color: "#fff", weight: 2, fillColor: INK.point, fillOpacity: 1 }).addTo(map);
    const accuracy = parseFloat(box.dataset.accuracy);
    if (accuracy > 0) L.circle([lat, lon], { radius: accuracy, color: INK.point, weight: 1, fillOpacity: 0.08 }).addTo(map);
  }
  return map;
}

document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll("[data-map]")) drawMap(box);
});
