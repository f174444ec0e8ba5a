// Maps drawn from the grid polygons themselves; tiles only where the service has an address for them.
"use strict";

const INK = { line: "#0f5c66", own: "#0b6fa4", point: "#b23a06" };

// Leaflet takes text as HTML: names go in as nodes.
function labelOf(name) {
  const label = document.createElement("span");
  label.textContent = name;
  return label;
}

// Where WGS-84 lies on tiles drawn in GCJ-02, as the map services of the mainland draw them.
function toGcj({ lat, lng }) {
  const x = lng - 105, y = lat - 35, { sin, sqrt, abs, PI, cos } = Math, A = 6378245, EE = 0.00669342162296594323;
  const waves = (of, ...pairs) => pairs.reduce((sum, [size, by]) => sum + size * sin(of * by * PI), 0) * 2 / 3;
  const common = (20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2 / 3;
  const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + common + waves(y, [20, 1], [40, 1 / 3], [160, 1 / 12], [320, 1 / 30]);
  const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + common + waves(x, [20, 1], [40, 1 / 3], [150, 1 / 12], [300, 1 / 30]);
  const turn = lat * PI / 180, magic = 1 - EE * sin(turn) ** 2;
  return L.latLng(lat + north * 180 / (A * (1 - EE) / (magic * sqrt(magic)) * PI), lng + east * 180 / (A / sqrt(magic) * cos(turn) * PI));
}

// Tiles in a frame of their own are moved under the borders, never the borders over the tiles.
function addTiles(map) {
  const { tiles, tileFrame } = document.documentElement.dataset;
  if (!tiles) return;
  const layer = L.tileLayer(tiles);
  if (tileFrame === "gcj02") {
    const { _getTiledPixelBounds: bounds, _setZoomTransform: transform } = layer;
    layer._getTiledPixelBounds = function (centre) { return bounds.call(this, toGcj(centre)); };
    layer._setZoomTransform = function (level, centre, zoom) { return transform.call(this, level, toGcj(centre), zoom); };
  }
  layer.addTo(map);
}

// Leaflet names its buttons in English.
L.Control.Zoom.mergeOptions({ zoomInTitle: "放大", zoomOutTitle: "缩小" });

async function drawMap(box, { point = true } = {}) {
  const map = L.map(box, { attributionControl: false, zoomSnap: 0.5 });
  const lon = parseFloat(box.dataset.lon), lat = parseFloat(box.dataset.lat);
  const hasPoint = Number.isFinite(lon) && Number.isFinite(lat);
  if (hasPoint) map.setView([lat, lon], 16);
  else map.setView([0, 0], 2);
  addTiles(map);
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
