// The report form on a phone: position with its accuracy, a map to correct it, categories at hand.
"use strict";

(() => {
  const form = document.getElementById("report");
  if (!form) return;
  const field = (name) => form.elements[name];
  const where = document.getElementById("where"), box = document.getElementById("map");
  let map, marker, circle;

  function place(lat, lon, accuracy, source) {
    field("lat").value = lat.toFixed(7);
    field("lon").value = lon.toFixed(7);
    field("accuracy_m").value = accuracy ? Math.round(accuracy * 10) / 10 : "";
    field("location_source").value = source;
    where.textContent = source === "map" ? "位置:已在地图上修正" : `位置:已定位,精度约 ${Math.round(accuracy)} 米(可拖动标记修正)`;
    show(lat, lon, accuracy);
  }

  async function show(lat, lon, accuracy) {
    if (!window.L) return;
    const point = [lat, lon];
    if (!map) {
      box.hidden = false;
      box.dataset.lon = lon; box.dataset.lat = lat;
      const url = new URL(box.dataset.areas, location);
      url.searchParams.set("lon", lon); url.searchParams.set("lat", lat);
      box.dataset.areas = url;
      map = "drawing";
      map = await drawMap(box, { point: false });
      map.setView(point, 17);
      marker = L.marker(point, { draggable: true, alt: "上报位置", keyboard: true, icon: pin() }).addTo(map);
      circle = L.circle(point, { radius: accuracy || 0, weight: 1, color: "#b23a06", fillOpacity: 0.08 }).addTo(map);
      marker.on("dragend", () => { const at = marker.getLatLng(); place(at.lat, at.lng, 0, "map"); });
      map.on("click", (event) => place(event.latlng.lat, event.latlng.lng, 0, "map"));
      return;
    }
    if (map === "drawing") return;
    marker.setLatLng(point);
    circle.setLatLng(point).setRadius(accuracy || 0);
    if (!map.getBounds().contains(point)) map.panTo(point);
  }

  function pin() {
    const folder = document.querySelector('script[src*="leaflet.js"]').src.replace(/leaflet\.js.*/, "images/");
    return L.icon({ iconUrl: folder + "marker-icon.png", iconRetinaUrl: folder + "marker-icon-2x.png", shadowUrl: folder + "marker-shadow.png", iconSize: [25, 41], iconAnchor: [12, 41], shadowSize: [41, 41] });
  }

  if (field("lat").value) show(parseFloat(field("lat").value), parseFloat(field("lon").value), parseFloat(field("accuracy_m").value) || 0);
  if (navigator.geolocation) {
    where.textContent = "位置:正在定位…";
    const watch = navigator.geolocation.watchPosition((found) => {
      if (field("location_source").value === "map") { navigator.geolocation.clearWatch(watch); return; }
      const before = parseFloat(field("accuracy_m").value) || Infinity, accuracy = found.coords.accuracy;
      if (accuracy <= before) place(found.coords.latitude, found.coords.longitude, accuracy, "browser");
      if (accuracy < 15) navigator.geolocation.clearWatch(watch);
    }, () => {
      if (field("lat").value) return;
      where.textContent = "位置:没有取到手机定位,请打开定位权限,或在下面选择网格";
      document.getElementById("by-grid").open = true;
    }, { enableHighAccuracy: true, maximumAge: 10000, timeout: 20000 });
  }

  form.addEventListener("photo:taken", () => {
    if (!field("captured_at").value) field("captured_at").value = new Date().toISOString();
  });

  // Categories: search in the tree, and what the chosen one asks for.
  const find = document.getElementById("find");
  find.hidden = false;
  find.addEventListener("input", () => {
    const words = find.value.trim();
    for (const group of document.querySelectorAll("#all .class")) {
      let any = false;
      for (const chip of group.querySelectorAll(".chip")) {
        chip.hidden = Boolean(words) && !chip.dataset.words.includes(words);
        any = any || !chip.hidden;
      }
      group.hidden = !any;
    }
  });
  function asked() {
    const chosen = form.querySelector("[name=category_code]:checked");
    const mode = form.querySelector("[name=mode]:checked");
    if (!chosen) return;
    const wanted = chosen.dataset.text === "1";
    document.getElementById("text").required = wanted;
    document.getElementById("text-hint").textContent = wanted ? "这类问题请写一句" : "可不填";
    const remind = form.querySelector("[name=mode][value=remind]");
    remind.disabled = chosen.dataset.urgent === "1";
    if (remind.disabled && mode === remind) form.querySelector("[name=mode][value=report]").checked = true;
  }
  form.addEventListener("change", (event) => { if (event.target.name === "category_code") asked(); });
  asked();
})();
