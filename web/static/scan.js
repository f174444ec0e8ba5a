// The resident's report: where the phone stands, if its owner allows it; nothing is needed for the form to work.
"use strict";

(() => {
  const form = document.getElementById("scan"), where = document.getElementById("where");
  if (!form || !navigator.geolocation || form.elements.chosen_grid) return;
  navigator.geolocation.getCurrentPosition((found) => {
    const { longitude, latitude, accuracy } = found.coords;
    form.elements.lon.value = longitude.toFixed(7);
    form.elements.lat.value = latitude.toFixed(7);
    form.elements.accuracy_m.value = Math.round(accuracy);
    where.textContent = `位置:已定位,精度约 ${Math.round(accuracy)} 米`;
  }, () => {}, { enableHighAccuracy: true, timeout: 15000, maximumAge: 10000 });
})();
