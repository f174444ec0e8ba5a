// Inspecting by list where there may be no signal: what was found is kept on the phone and sent from there.
"use strict";

(() => {
  const page = document.getElementById("inspections");
  if (!page || !window.isSecureContext || !("indexedDB" in window)) return;
  const bare = page.dataset.bare === "1", byId = (id) => document.getElementById(id);
  let desk;

  const said = (words) => { byId("state").textContent = words; byId("state").hidden = !words; };
  function node(kind, values, ...children) {
    const made = Object.assign(document.createElement(kind), values);
    made.append(...children);
    return made;
  }

  // The visits as the phone keeps them; what waits unsent says so instead of asking again.
  async function fill() {
    const queue = (await Store.queue()).filter((one) => one.kind === "inspection" && one.owner === desk.account);
    const seq = Number(new URLSearchParams(location.search).get("item"));
    byId("visits").replaceChildren(...(desk.visits || []).map((visit) => {
      const card = node("section", { className: "card" }, node("h2", {}, visit.name));
      card.setAttribute("aria-label", visit.name);
      if (visit.points.length > 1) card.append(node("p", { className: "hint" }, `一次进门,${visit.points.length} 张清单`));
      for (const point of visit.points) card.append(line(visit, point, queue.find((one) => one.point === point.id), seq));
      return card;
    }));
    if (!byId("visits").children.length) byId("visits").append(node("p", { className: "card empty" }, "本周没有巡查任务"));
  }

  function line(visit, point, waiting, mended) {
    if (point.result) return node("p", {}, node("strong", {}, point.title), ` ${point.result} `, ...(point.code ? [node("a", { className: "code", href: `/tickets/${point.code}` }, point.code)] : []));
    if (waiting && waiting.seq !== mended) return node("p", {}, node("strong", {}, point.title), ` ${waiting.said} · ${waiting.state === "waiting" ? "等待发送" : waiting.problem}`);
    const form = byId("point").content.firstElementChild.cloneNode(true);
    form.dataset.point = point.id;
    form.querySelector("legend").textContent = point.title;
    form.dataset.place = visit.name;
    if (waiting) {
      form.dataset.seq = waiting.seq;
      for (const radio of form.querySelectorAll("[name=result]")) radio.checked = radio.value === waiting.payload.result;
      form.elements.text.value = waiting.payload.text || "";
      tell(form, waiting.problem);
    }
    return form;
  }
  function tell(form, words) {
    const note = form.querySelector(".field-error");
    note.textContent = words;
    note.hidden = !words;
    if (words) form.querySelector("details").open = true;
  }

  async function send(form) {
    const found = form.querySelector("[name=result]:checked"), photos = [];
    try {
      for (const file of form.elements.photos.files) photos.push(await Pictures.take(file, {}));
    } catch (error) {
      tell(form, error.name === "QuotaExceededError" ? "手机存储快满了,存不下这张照片:请删掉一些照片或文件,再试一次" : error.message);
      return;
    }
    const label = found.parentElement.textContent.trim(), text = form.elements.text.value.trim(), point = form.dataset.point;
    const payload = { payload_version: 2, result: found.value, photos: photos.map((one) => one.sha256) };
    if (text) payload.text = text;
    const item = { kind: "inspection", owner: desk.account, point, title: `${form.dataset.place || form.closest("section").getAttribute("aria-label")} · ${label}`, said: label, path: `/api/v1/inspections/${point}`, photos: payload.photos, settled: true, payload };
    const seq = await Sending.enqueue(form.dataset.seq ? { ...item, seq: Number(form.dataset.seq) } : item);
    said("正在发送…");
    const result = await Sending.flush();
    if (result.delivered[seq] && !bare) { location.reload(); return; }
    if (result.delivered[seq]) desk = (await Desk.renew()) || desk;
    said(result.delivered[seq] ? "已送达" : result.words || "");
    if (bare) await fill(); else location.href = "/worker/";
  }

  async function begin() {
    desk = await Desk.kept();
    if (desk && bare) await fill();
    page.addEventListener("submit", async (event) => {
      event.preventDefault();
      desk = desk || (await Desk.renew());
      if (desk) send(event.target);
      else said("没有网络,这台手机还没有存过您的资料,请先连网登录一次");
    });
    const fresh = await Desk.renew();
    if (fresh) { desk = fresh; if (bare && !page.querySelector(":checked, :focus")) await fill(); }
    if (!desk && !navigator.onLine) said("没有网络,这台手机还没有存过您的资料,请先连网登录一次");
  }

  begin();
})();
