// Verifying, or adding what was asked, where there may be no signal: it is kept on the phone and sent from there.
"use strict";

(() => {
  const page = document.getElementById("verify");
  if (!page || !window.isSecureContext || !("indexedDB" in window)) return;
  const bare = page.dataset.bare === "1", code = decodeURIComponent(location.pathname.split("/").pop());
  const byId = (id) => document.getElementById(id);
  let desk, mending;

  async function fill() {
    const one = desk && (desk.verifying[code] || (desk.answering || {})[code]);
    if (!one) { byId("state").hidden = false; byId("state").textContent = `手机里没有 ${code} 的资料,请连网后再打开`; for (const part of page.children) part.hidden = part.id !== "state"; return; }
    for (const part of page.children) if (part.id !== "state") part.hidden = false;
    const pictures = (await Store.get("pictures")) || {};
    byId("title").textContent = one.title;
    byId("where").textContent = `${one.place} · ${code}`;
    byId("text").textContent = one.text;
    byId("answer").textContent = one.answer;
    byId("asked").textContent = one.asked || "";
    const actions = one.actions || ["verify_pass", "verify_fail"];
    for (const part of page.querySelectorAll("[data-of]")) part.hidden = !actions.some((action) => action.startsWith(part.dataset.of));
    for (const [id, addresses, when] of [["before", one.before, one.reported], ["after", one.after, one.handled]]) {
      const figure = byId(id), bytes = addresses.length && pictures[addresses[0]];
      figure.querySelector("figcaption span").textContent = when;
      if (!bytes) continue;
      const picture = document.createElement("img");
      picture.src = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
      picture.alt = id === "before" ? "上报时的照片" : "办理后的照片";
      figure.querySelector(".empty").replaceWith(picture);
    }
    for (const form of page.querySelectorAll("form")) form.elements.expected_version.value = one.version;
    byId("verify_pass-photos").dataset.needed = one.photo_needed ? "1" : "";
  }

  async function send(form) {
    const action = form.dataset.action, given = {}, photos = [];
    const note = form.querySelector(".said") || byId("state");
    for (const input of form.querySelectorAll("input[type=file]")) {
      for (const file of input.files) photos.push(await Pictures.take(file, {}));
      if (input.dataset.needed && !photos.length) { note.hidden = false; note.textContent = "请拍一张现在的照片"; return; }
    }
    const field = form.elements.note || form.elements.text, words = field ? field.value.trim() : "";
    if (words) given[field.name] = words;
    if (photos.length) given.photos = photos.map((one) => one.sha256);
    const item = {
      kind: "action", owner: desk.account, code, action, title: `${byId("title").textContent} · ${form.querySelector("[type=submit]").textContent.trim()}`,
      said: words || form.querySelector("[type=submit]").textContent.trim(), path: `/api/v1/tickets/${code}/actions/${action}`, photos: given.photos || [], settled: true,
      payload: { given, expected_version: Number(form.elements.expected_version.value) || null, request_key: crypto.randomUUID() },
    };
    const seq = await Sending.enqueue(mending ? { ...item, seq: mending.seq } : item);
    byId("state").hidden = false;
    byId("state").textContent = "正在发送…";
    const result = await Sending.flush();
    location.href = result.delivered[seq] && !bare ? `/tickets/${code}` : "/worker/";
  }

  async function begin() {
    desk = await Desk.kept();
    if (bare) await fill();
    if (!desk) { desk = await Desk.renew(); if (bare && desk) await fill(); }
    const seq = Number(new URLSearchParams(location.search).get("item"));
    mending = seq ? await Store.item(seq) : undefined;
    if (mending) { byId("state").hidden = false; byId("state").textContent = mending.problem; }
    for (const form of page.querySelectorAll("form")) {
      for (const input of form.querySelectorAll("input[type=file]")) {
        input.removeAttribute("data-shrink");
        if (input.required) { input.dataset.needed = "1"; input.required = false; }
        input.addEventListener("change", () => {
          const list = document.querySelector(`[data-preview="${input.id}"]`);
          if (list) list.replaceChildren(...[...input.files].map((file) => { const item = document.createElement("li"), picture = document.createElement("img"); picture.src = URL.createObjectURL(file); picture.alt = "待发送的照片"; item.append(picture); return item; }));
        });
      }
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        desk = desk || (await Desk.renew());
        if (desk) send(form);
        else { byId("state").hidden = false; byId("state").textContent = "没有网络,这台手机还没有存过您的资料,请先连网登录一次"; }
      });
    }
  }

  begin();
})();
