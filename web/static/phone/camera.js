// The one button of the day's page opens the camera at once; the form comes with the photo in it, and while it is
// taken the phone looks where it is. What was begun and not sent is gone on with instead.
"use strict";

const Camera = (() => {
  const DAY_MS = 864e5;
  let place = {}, ready = false;

  function look() {
    if (!navigator.geolocation) return;
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      place = { lon: coords.longitude, lat: coords.latitude, accuracy_m: coords.accuracy };
    }, () => {}, { enableHighAccuracy: true, maximumAge: 10000, timeout: 20000 });
  }

  async function taken(file, desk) {
    const photo = await Pictures.take(file, place), values = { mode: "report", captured_at: photo.taken.at, answers: {} };
    if (place.lat) Object.assign(values, { lon: place.lon.toFixed(7), lat: place.lat.toFixed(7), accuracy_m: String(Math.round(place.accuracy_m * 10) / 10), location_source: "browser" });
    await Store.set("draft", { owner: desk.account, at: Date.now(), uuid: crypto.randomUUID(), values, photos: [photo.sha256], fresh: true });
  }

  async function begin(desk) {
    if (ready) return;
    ready = true;
    const input = document.getElementById("camera"), big = document.querySelector("a.big"), note = document.getElementById("state");
    const draft = await Store.get("draft");
    if (draft && draft.owner === desk.account && Date.now() - draft.at < DAY_MS && draft.photos.length) return;
    big.addEventListener("click", (event) => { event.preventDefault(); look(); input.click(); });
    input.addEventListener("cancel", () => { location.href = big.href; });
    input.addEventListener("change", async () => {
      if (!input.files.length) return;
      big.setAttribute("aria-busy", "true");
      try {
        await taken(input.files[0], desk);
        location.href = big.href;
      } catch (error) {
        big.removeAttribute("aria-busy");
        note.hidden = false;
        note.textContent = error.name === "QuotaExceededError" ? "手机存储快满了,存不下这张照片:请删掉一些照片或文件,再拍一次" : error.message;
      }
    });
  }

  return { begin };
})();
