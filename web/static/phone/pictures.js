// Photos on the phone: what the camera wrote is read, then the picture is shrunk and stripped; hashes of both; a brush.
"use strict";

const Pictures = (() => {
  const LONGEST_SIDE = 1600, GOOD_BYTES = 400 * 1024;
  const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const sha256 = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

  // Time and position from a JPEG's EXIF; whatever is not there or not readable is left out.
  function exif(bytes) {
    try {
      const view = new DataView(bytes);
      if (view.getUint16(0) !== 0xffd8) return {};
      for (let at = 2; at < view.byteLength - 10;) {
        const marker = view.getUint16(at), size = view.getUint16(at + 2);
        if (marker === 0xffe1 && view.getUint32(at + 4) === 0x45786966) return tiff(view, at + 10);
        if ((marker & 0xff00) !== 0xff00 || marker === 0xffda) return {};
        at += 2 + size;
      }
    } catch (error) { /* a broken header says nothing */ }
    return {};
  }

  function tiff(view, start) {
    const little = view.getUint16(start) === 0x4949;
    const u16 = (at) => view.getUint16(start + at, little), u32 = (at) => view.getUint32(start + at, little);
    const folder = (at) => {
      const found = {};
      for (let n = 0, count = u16(at); n < count; n += 1) { const entry = at + 2 + n * 12; found[u16(entry)] = entry; }
      return found;
    };
    const text = (entry) => {
      const length = u32(entry + 4), from = length > 4 ? u32(entry + 8) : entry + 8;
      return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + start + from, length)).replace(/\0.*$/, "");
    };
    const degrees = (entry) => [0, 1, 2].reduce((sum, n) => {
      const from = u32(entry + 8) + n * 8;
      return sum + u32(from) / u32(from + 4) / 60 ** n;
    }, 0);
    const root = folder(u32(4)), found = {};
    const details = root[0x8769] ? folder(u32(root[0x8769] + 8)) : {};
    if (details[0x9003]) found.exif_at = text(details[0x9003]);
    const gps = root[0x8825] ? folder(u32(root[0x8825] + 8)) : {};
    if (gps[2] && gps[4]) {
      const lat = degrees(gps[2]) * (gps[1] && text(gps[1]) === "S" ? -1 : 1);
      const lon = degrees(gps[4]) * (gps[3] && text(gps[3]) === "W" ? -1 : 1);
      if (Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && (lat || lon)) Object.assign(found, { exif_lon: lon, exif_lat: lat });
    }
    return found;
  }

  async function encoded(canvas) {
    for (let share = 1; ; share *= 0.8) {
      const smaller = share === 1 ? canvas : scaled(canvas, share);
      for (const quality of [0.82, 0.7, 0.55]) {
        const blob = await new Promise((done) => smaller.toBlob(done, "image/jpeg", quality));
        if (blob && blob.size <= GOOD_BYTES) return blob;
      }
      if (share < 0.2) throw new Error("too large");
    }
  }

  function scaled(picture, share) {
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * share));
    canvas.height = Math.max(1, Math.round(picture.height * share));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  // A canvas carries no metadata: what leaves the phone is the picture alone, upright.
  async function take(file, place) {
    const bytes = await file.arrayBuffer();
    const taken = { at: new Date().toISOString(), ...place, ...exif(bytes), original_sha256: await sha256(bytes), original_bytes: bytes.byteLength };
    let picture;
    try {
      picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch (error) {
      const heic = /hei[cf]/i.test(file.type + file.name), desk = heic && (await Store.get("desk"));
      // What this browser cannot open goes as it is to a service that can.
      if (desk && desk.heic) return put({ sha256: taken.original_sha256, bytes, type: "image/heic", taken, uploaded: false });
      if (heic) throw new Error("这台手机拍的是 HEIC 格式,浏览器打不开:请在相机设置里改为“兼容性最佳(JPEG)”后重拍");
      throw new Error("这不是能识别的照片,请重新拍照");
    }
    const canvas = scaled(picture, Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height)));
    picture.close();
    return keep(await encoded(canvas), taken);
  }

  // Bytes rather than a Blob: some browsers lose Blobs in their store when they are killed.
  async function keep(blob, taken) {
    const bytes = await blob.arrayBuffer();
    return put({ sha256: await sha256(bytes), bytes, type: "image/jpeg", taken, uploaded: false });
  }
  async function put(photo) {
    await Store.putPhoto(photo);
    return photo;
  }

  const address = (photo) => URL.createObjectURL(new Blob([photo.bytes], { type: photo.type }));

  // The brush: what it covered is gone before the photo is kept, sent or hashed anew.
  async function cover(photo) {
    const dialog = document.getElementById("brush"), canvas = dialog.querySelector("canvas"), pen = canvas.getContext("2d");
    const picture = await createImageBitmap(new Blob([photo.bytes], { type: photo.type }));
    canvas.width = picture.width;
    canvas.height = picture.height;
    pen.drawImage(picture, 0, 0);
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = Math.max(picture.width, picture.height) / 18;
    let from;
    const spot = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
    };
    canvas.onpointerdown = (event) => { canvas.setPointerCapture(event.pointerId); from = spot(event); draw(event); };
    canvas.onpointermove = (event) => { if (from) draw(event); };
    canvas.onpointerup = canvas.onpointercancel = () => { from = undefined; };
    function draw(event) {
      const to = spot(event);
      pen.beginPath(); pen.moveTo(...from); pen.lineTo(...to); pen.stroke();
      from = to;
    }
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
    if (dialog.returnValue !== "keep") return photo;
    return keep(await encoded(canvas), { ...photo.taken, covered: true });
  }

  return { take, cover, address };
})();
