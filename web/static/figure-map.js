// The map of figures: shades come from the table below it; points gather into one circle where they are close.
"use strict";

const SHADES = ["#f1f3f4", "#d6e6f2", "#9ec9e2", "#5a9ec7", "#22699e", "#0b3c66"];
const NEAR_PX = 40;

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
  const dots = L.layerGroup().addTo(map);
  const slider = document.getElementById("day");
  const days = slider.dataset.days.split(",").filter(Boolean);
  function draw() {
    const until = days[slider.value] || "9999";
    document.querySelector("output[for=day]").textContent = days.length ? until : "";
    dots.clearLayers();
    for (const cell of gather(map, found.points.filter((point) => point[3] <= until))) {
      const at = [cell.lat / cell.number, cell.lon / cell.number];
      const dot = L.circleMarker(at, { radius: Math.min(5 + Math.sqrt(cell.number) * 2, 22), color: "#fff", weight: 1, fillColor: "#d55e00", fillOpacity: 0.85 });
      dot.bindTooltip(textNode(`${cell.number} 件`));
      dot.on("click", () => { if (cell.number === 1) location.href = box.dataset.ticket.replace("CODE", cell.code); else map.setView(at, map.getZoom() + 2); });
      dot.addTo(dots);
    }
  }
  slider.addEventListener("input", draw);
  map.on("zoomend", draw);
  draw();
});
