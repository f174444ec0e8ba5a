// Where the report is: the phone's position with its accuracy, and a map to correct it, loaded only when it is shown.
"use strict";

const Place = (() => {
  let form, where, box, map, marker, circle, position;
  const field = (name) => form.elements[name];

  function load(kind, address) {
    return new Promise((done, failed) => {
      const part = document.createElement(kind);
      if (kind === "link") { part.rel = "stylesheet"; part.href = address; } else part.src = address;
      part.onload = done;
      part.onerror = failed;
      document.head.append(part);
    });
  }

  // Leaflet weighs more than the rest of the page: it comes when a map is wanted.
  async function leaflet(its) {
    if (window.L && window.drawMap) return true;
    try {
      await Promise.all([load("link", its.dataset.leafletCss), load("script", its.dataset.leaflet)]);
      await load("script", its.dataset.draw);
      return true;
    } catch (error) {
      return false;
    }
  }

  function put(lat, lon, accuracy, source, name = "") {
    position = { lat, lon, accuracy_m: accuracy || null };
    field("lat").value = lat.toFixed(7);
    field("lon").value = lon.toFixed(7);
    field("accuracy_m").value = accuracy ? Math.round(accuracy * 10) / 10 : "";
    field("location_source").value = source;
    where.classList.remove("doubtful");
    where.textContent = source === "map" ? "位置:已在地图上修正" : name ? `位置:${name}(按地址)` : `位置:已定位,精度约 ${Math.round(accuracy)} 米(可在地图上修正)`;
    move(lat, lon, accuracy);
    form.dispatchEvent(new CustomEvent("place:known"));
  }

  function tell(words, doubtful) {
    where.textContent = `${where.textContent.split(" · ")[0]} · ${words}`;
    where.classList.toggle("doubtful", doubtful);
  }

  function metres(one, other) {
    const east = (one.lon - other.lon) * Math.cos(one.lat * Math.PI / 180), north = one.lat - other.lat;
    return Math.hypot(east, north) * 111320;
  }

  function move(lat, lon, accuracy) {
    if (!marker) return;
    marker.setLatLng([lat, lon]);
    circle.setLatLng([lat, lon]).setRadius(accuracy || 0);
    if (!map.getBounds().contains([lat, lon])) map.panTo([lat, lon]);
  }

  async function show() {
    if (map || !field("lat").value) return;
    map = "drawing";
    if (!(await leaflet(box))) { map = undefined; where.textContent += ";现在取不到地图,可按网格上报"; return; }
    const lat = parseFloat(field("lat").value), lon = parseFloat(field("lon").value);
    box.hidden = false;
    box.dataset.lon = lon;
    box.dataset.lat = lat;
    const url = new URL(box.dataset.areas, location);
    url.searchParams.set("lon", lon);
    url.searchParams.set("lat", lat);
    box.dataset.areas = url;
    map = await drawMap(box, { point: false });
    map.setView([lat, lon], 17);
    marker = L.marker([lat, lon], { draggable: true, alt: "上报位置", keyboard: true, icon: pin() }).addTo(map);
    circle = L.circle([lat, lon], { radius: parseFloat(field("accuracy_m").value) || 0, weight: 1, color: "#b23a06", fillOpacity: 0.08 }).addTo(map);
    marker.on("dragend", () => { const at = marker.getLatLng(); put(at.lat, at.lng, 0, "map"); });
    map.on("click", (event) => put(event.latlng.lat, event.latlng.lng, 0, "map"));
  }

  function pin() {
    const folder = box.dataset.leaflet.replace(/leaflet\.js.*/, "images/");
    return L.icon({ iconUrl: `${folder}marker-icon.png`, iconRetinaUrl: `${folder}marker-icon-2x.png`, shadowUrl: `${folder}marker-shadow.png`, iconSize: [25, 41], iconAnchor: [12, 41], shadowSize: [41, 41] });
  }

  function watch() {
    if (!navigator.geolocation) return;
    where.textContent = "位置:正在定位…";
    const watching = navigator.geolocation.watchPosition((found) => {
      if (["map", "address"].includes(field("location_source").value)) { navigator.geolocation.clearWatch(watching); return; }
      const before = parseFloat(field("accuracy_m").value) || Infinity, accuracy = found.coords.accuracy;
      if (accuracy <= before) put(found.coords.latitude, found.coords.longitude, accuracy, "browser");
      if (accuracy < 15) navigator.geolocation.clearWatch(watching);
    }, () => {
      if (field("lat").value) return;
      where.textContent = "位置:没有取到手机定位,请打开定位权限,或在下面选择网格";
      document.getElementById("by-grid").open = true;
    }, { enableHighAccuracy: true, maximumAge: 10000, timeout: 20000 });
  }

  function begin(its) {
    form = its;
    where = document.getElementById("where");
    box = document.getElementById("map");
    const unfold = document.getElementById("on-map");
    if (unfold) unfold.addEventListener("toggle", () => { if (unfold.open) show(); });
    if (unfold) unfold.hidden = false;
    watch();
  }

  const choose = (lat, lon, name) => put(lat, lon, 0, "address", name);

  return { begin, choose, leaflet, tell, metres, now: () => (position ? { lon: position.lon, lat: position.lat, accuracy_m: position.accuracy_m } : {}) };
})();
