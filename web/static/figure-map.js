// The map of figures: shades come from the table below it; points gather into one circle where they are close.
"use strict";

const SHADES = ["#f1f3f4", "#d6e6f2", "#9ec9e2", "#5a9ec7", "#22699e", "#0b3c66"];
const NEAR_PX = 40, SIGN_PX = 13, LINE_PX = 17;

function textNode(words) {
  const label = document.createElement("span");
  label.textContent = words;
  return label;
}

function gather(map, points) {
  const cells = new Map();
  for (const [lon, lat, code] of points) {
    const at = map.project([lat, lon]);
    const key = `${Math.floor(at.x / NEAR_PX)}:${Math.floor(at.y / NEAR_PX)}`;
    const cell = cells.get(key) || { number: 0, lon: 0, lat: 0, code };
    cell.number += 1; cell.lon += lon; cell.lat += lat;
    cells.set(key, cell);
  }
  return [...cells.values()];
}

// A sign that stands on the map as text: what it says, and the box that it needs.
function sign(at, lines, look, [wide, high]) {
  const words = document.createElement("div");
  for (const line of lines) words.append(Object.assign(document.createElement("div"), { textContent: line }));
  return L.marker(at, { interactive: false, keyboard: false, icon: L.divIcon({ className: look, html: words, iconSize: [wide, high] }) });
}

// Names and numbers where an area has room for them at this zoom; else the number, else nothing.
function nameAreas(map, areas, rows, labels) {
  labels.clearLayers();
  areas.eachLayer((layer) => {
    const { code, name, at } = layer.feature.properties;
    const bounds = layer.getBounds();
    const [one, other] = [map.project(bounds.getSouthWest()), map.project(bounds.getNorthEast())];
    const room = [Math.abs(other.x - one.x) * 0.8, Math.abs(other.y - one.y) * 0.7];
    const row = rows.get(code);
    const number = row?.cells[1].textContent.trim() || "0";
    const look = `map-label${(row?.dataset.step || 0) > 3 ? " light" : ""}`;
    for (const lines of [[name, number], [number]]) {
      const needs = [Math.max(...lines.map((line) => line.length * (/[^\x00-\xff]/.test(line) ? SIGN_PX : SIGN_PX * 0.6))), lines.length * LINE_PX];
      if (needs[0] > room[0] || needs[1] > room[1]) continue;
      sign([at[1], at[0]], lines, look, [needs[0] + 4, needs[1]]).addTo(labels);
      return;
    }
  });
}

function drawPoints(map, dots, points, ticket) {
  dots.clearLayers();
  for (const cell of gather(map, points)) {
    const at = [cell.lat / cell.number, cell.lon / cell.number];
    const size = Math.min(5 + Math.sqrt(cell.number) * 2, 22);
    const dot = L.circleMarker(at, { radius: cell.number > 1 ? Math.max(size, 9) : size, color: "#fff", weight: 1, fillColor: "#a63f00", fillOpacity: 0.9 }).addTo(dots);
    if (cell.number > 1) {
      sign(at, [cell.number], "map-count", [36, 16]).addTo(dots);
      dot.on("click", () => map.setView(at, map.getZoom() + 2));
    } else if (cell.code) {
      dot.bindTooltip(textNode(cell.code));
      dot.on("click", () => { location.href = ticket.replace("CODE", cell.code); });
    } else dot.bindTooltip(textNode("1 件,您的岗位不能打开"));
  }
}

document.addEventListener("DOMContentLoaded", async () => {
  const box = document.getElementById("figure-map");
  const map = L.map(box, { attributionControl: false, zoomSnap: 0.5, preferCanvas: true }).setView([0, 0], 2);
  addTiles(map);
  const rows = new Map([...document.querySelectorAll("#areas tbody tr")].map((row) => [row.dataset.code, row]));
  const answer = await fetch(box.dataset.shapes, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const found = await answer.json();
  const areas = L.geoJSON(found, {
    style: (area) => ({ color: "#33474d", weight: 1, fillOpacity: 0.85, fillColor: SHADES[rows.get(area.properties.code)?.dataset.step || 0] }),
    onEachFeature: (area, layer) => {
      const row = rows.get(area.properties.code);
      layer.bindTooltip(textNode(`${area.properties.name} ${row ? row.cells[1].textContent.trim() : ""}`));
      layer.on("click", () => { const link = row?.querySelector("a"); if (link) location.href = link.href; });
    },
  }).addTo(map);
  if (areas.getLayers().length) map.fitBounds(areas.getBounds(), { padding: [8, 8] });
  const dots = L.layerGroup().addTo(map), labels = L.layerGroup().addTo(map);
  const slider = document.getElementById("day");
  const days = slider.dataset.days.split(",").filter(Boolean);
  function draw() {
    const until = days[slider.value] || "9999";
    document.querySelector("output[for=day]").textContent = days.length ? until : "";
    drawPoints(map, dots, found.points.filter((point) => point[3] <= until), box.dataset.ticket);
    nameAreas(map, areas, rows, labels);
  }
  slider.addEventListener("input", draw);
  map.on("zoomend", draw);
  draw();
});
