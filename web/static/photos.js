// Shrinks photos on the phone before they are sent, and shows what was chosen.
"use strict";

const LONGEST_SIDE = 1600, GOOD_ENOUGH_BYTES = 400 * 1024;

async function shrunk(file) {
  if (file.size <= GOOD_ENOUGH_BYTES && file.type === "image/jpeg") return file;
  let picture;
  try { picture = await createImageBitmap(file, { imageOrientation: "from-image" }); } catch (error) { return file; }
  const share = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * share);
  canvas.height = Math.round(picture.height * share);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  for (const quality of [0.82, 0.7, 0.55]) {
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
    if (blob && (blob.size <= GOOD_ENOUGH_BYTES || quality === 0.55)) {
      return new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg", lastModified: file.lastModified });
    }
  }
  return file;
}

function preview(input) {
  const list = document.querySelector(`[data-preview="${input.id}"]`);
  if (!list) return;
  list.replaceChildren();
  for (const file of input.files) {
    const item = document.createElement("li"), picture = document.createElement("img");
    picture.src = URL.createObjectURL(file);
    picture.alt = "待上传的照片";
    picture.onload = () => URL.revokeObjectURL(picture.src);
    item.append(picture);
    list.append(item);
  }
}

async function take(input) {
  const form = input.form, button = form.querySelector("[type=submit]");
  if (button) button.disabled = true;
  try {
    const files = new DataTransfer();
    for (const file of input.files) files.items.add(await shrunk(file));
    input.files = files.files;
    preview(input);
  } finally {
    if (button) button.disabled = false;
  }
  form.dispatchEvent(new CustomEvent("photo:taken"));
}

document.addEventListener("change", (event) => {
  if (event.target.matches("input[type=file][data-shrink]")) take(event.target);
});
