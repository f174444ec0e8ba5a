// The report form: it is kept on the phone first and sent from there, so that neither a dead spot nor a killed
// browser loses it. Where the browser cannot keep anything, the form is posted as it stands.
"use strict";

(() => {
  const form = document.getElementById("report");
  if (!form) return;
  const bare = form.dataset.bare === "1", canKeep = window.isSecureContext && "indexedDB" in window;
  const field = (name) => form.elements[name], byId = (id) => document.getElementById(id);
  const status = byId("sending");
  let desk, photos = [], mending, quick = "", sent = false, read = false, naming;

  const say = (words, kind = "") => { status.textContent = words; status.className = `note ${kind}`; status.hidden = !words; };
  const chosen = () => form.querySelector("[name=category_code]:checked");
  const category = () => {
    const code = chosen() && chosen().value;
    return desk && code ? desk.classes.flatMap((one) => one.categories).find((one) => one.code === code) : undefined;
  };

  // -- the page, filled from what the phone keeps
  function node(kind, values = {}, ...children) {
    const made = document.createElement(kind);
    for (const [name, value] of Object.entries(values)) {
      if (name === "data") Object.assign(made.dataset, value); else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }
  const chip = (one, group = "") => node("label", { class: "chip", data: { words: `${one.name} ${one.words} ${group}` } },
    node("input", { type: "radio", name: "category_code", value: one.code, required: true, data: { text: +one.text, photo: +one.photo, urgent: +one.urgent } }), one.name);

  let drawn = "";
  function fill() {
    const shown = JSON.stringify([desk.chips, desk.classes, desk.grids]);
    if (shown === drawn) return;
    drawn = shown;
    const all = desk.classes.flatMap((one) => one.categories), held = chosen() && chosen().value;
    const at = document.activeElement.name === "category_code" ? document.activeElement.value : "";
    byId("chips").replaceChildren(...desk.chips.map((code) => all.find((one) => one.code === code)).filter(Boolean).map((one) => chip(one)));
    const groups = desk.classes.map((group) => node("div", { class: "class", role: "group", "aria-label": group.name }, node("h3", {}, group.name),
      node("div", { class: "chips" }, ...group.categories.filter((one) => !desk.chips.includes(one.code)).map((one) => chip(one, group.name)))));
    for (const old of byId("all").querySelectorAll(".class")) old.remove();
    byId("all").append(...groups);
    byId("grid").replaceChildren(node("option", { value: "" }, "请选择网格"), ...desk.grids.map((one) => node("option", { value: one.code }, one.name)));
    if (held) choose(held);
    // News of what there is to choose takes nobody's cursor away.
    if (at) form.querySelector(`[name=category_code][value="${CSS.escape(at)}"]`)?.focus();
  }

  function choose(code) {
    const radio = form.querySelector(`[name=category_code][value="${CSS.escape(code)}"]`);
    if (!radio) return;
    radio.checked = true;
    if (radio.closest("#all")) byId("all").open = true;
  }

  // -- questions of a category, and when to stop and call first
  function ask() {
    const one = category(), box = byId("questions"), radio = chosen();
    byId("text").required = Boolean(radio && radio.dataset.text === "1");
    byId("text-hint").textContent = byId("text").required ? "这类问题请写一句" : "可不填";
    const remind = form.querySelector("[name=mode][value=remind]");
    remind.disabled = Boolean(radio && radio.dataset.urgent === "1");
    byId("mode-hint").textContent = remind.disabled ? "这类问题紧急,要上报派单,不能只当场提醒" : "";
    if (remind.disabled && remind.checked) form.querySelector("[name=mode][value=report]").checked = true;
    box.replaceChildren(...((one && one.questions) || []).map((question) => node("fieldset", { class: "choices" }, node("legend", {}, `${question.text}(可不答)`),
      ...question.choices.map(([key, label]) => node("label", {}, node("input", { type: "radio", name: `answer-${question.id}`, value: key }), label)))));
    stop();
  }

  function stop() {
    const rows = ((category() || {}).questions || []).filter((one) => one.stop_on && (form.querySelector(`[name="answer-${one.id}"]:checked`) || {}).value === one.stop_on);
    byId("stop").replaceChildren(...rows.map((one) => node("p", { class: "note error", role: "alert" }, node("strong", {}, one.stop_text), " ",
      one.stop_phone ? node("a", { href: `tel:${one.stop_phone}`, role: "button", class: "call" }, `拨打 ${one.stop_phone}`) : "", " 打过电话后仍可上报。")));
  }

  // -- photos
  function draw() {
    const list = document.querySelector("[data-preview=photo]");
    list.replaceChildren(...photos.map((photo, index) => {
      const picture = node("img", { alt: `第 ${index + 1} 张照片`, src: Pictures.address(photo) });
      const cover = node("button", { type: "button", class: "tiny" }, "涂黑"), drop = node("button", { type: "button", class: "tiny" }, "删除");
      cover.setAttribute("aria-label", `涂黑第 ${index + 1} 张照片中的人脸或车牌`);
      drop.setAttribute("aria-label", `删除第 ${index + 1} 张照片`);
      cover.onclick = async () => { photos[index] = await Pictures.cover(photo); draw(); draft(); };
      drop.onclick = () => { photos.splice(index, 1); draw(); draft(); };
      return photo.type === "image/heic" ? node("li", {}, node("p", { class: "hint" }, "HEIC 照片"), drop) : node("li", {}, picture, cover, drop);
    }));
  }

  async function take(input) {
    for (const file of input.files) {
      try {
        photos.push(await Pictures.take(file, Place.now()));
      } catch (error) {
        say(error.name === "QuotaExceededError" ? full : error.message, "error");
      }
    }
    input.value = "";
    if (photos.length && !field("captured_at").value) field("captured_at").value = photos[0].taken.at;
    draw();
    draft();
  }
  const full = "手机存储快满了,存不下这张照片:请删掉一些照片或文件,再拍一次;已填的都还在";

  // -- what was begun is there again when the camera made the browser go away
  const VALUES = ["captured_at", "lon", "lat", "accuracy_m", "location_source", "text", "reporter_name", "reporter_phone"];
  function values() {
    const found = Object.fromEntries(VALUES.map((name) => [name, field(name).value]));
    found.category_code = chosen() ? chosen().value : "";
    found.mode = form.querySelector("[name=mode]:checked").value;
    found.chosen_grid = byId("grid").value;
    found.consented = field("consented").checked;
    found.apart = field("apart").checked;
    found.answers = Object.fromEntries([...byId("questions").querySelectorAll(":checked")].map((one) => [one.name.replace("answer-", ""), one.value]));
    return found;
  }
  // Not before the kept one was read: the place is often known earlier than that.
  const draft = () => canKeep && read && !sent && !mending && Store.set("draft", { owner: desk && desk.account, at: Date.now(), uuid: field("client_uuid").value, values: values(), photos: photos.map((one) => one.sha256) }).catch(() => {});

  async function restore(kept) {
    for (const name of VALUES) if (kept.values[name]) field(name).value = kept.values[name];
    field("client_uuid").value = kept.uuid;
    field("consented").checked = Boolean(kept.values.consented);
    field("apart").checked = Boolean(kept.values.apart);
    form.querySelector(`[name=mode][value=${kept.values.mode}]`).checked = true;
    if (kept.values.chosen_grid) byId("grid").value = kept.values.chosen_grid;
    if (kept.values.category_code) choose(kept.values.category_code);
    photos = (await Promise.all(kept.photos.map((sha256) => Store.photo(sha256)))).filter(Boolean);
    draw();
    ask();
    for (const [key, value] of Object.entries(kept.values.answers || {})) {
      const radio = form.querySelector(`[name="answer-${CSS.escape(key)}"][value="${CSS.escape(value)}"]`);
      if (radio) radio.checked = true;
    }
    stop();
    if (kept.values.reporter_phone || kept.values.reporter_name) byId("on-behalf").open = true;
  }

  // -- what is known of this place
  async function near() {
    const one = chosen();
    if (!one || !field("lat").value || !desk || !navigator.onLine) return { alike: [], reminded: 0 };
    try {
      await Sending.signIn();
      const body = JSON.stringify({ category_code: one.value, lon: +field("lon").value, lat: +field("lat").value });
      const answer = await Promise.race([Sending.call("/worker/near.json", { method: "POST", body, headers: { "Content-Type": "application/json" } }), new Promise((done, failed) => setTimeout(failed, 2000))]);
      return answer.ok ? await answer.json() : { alike: [], reminded: 0 };
    } catch (error) {
      return { alike: [], reminded: 0 };
    }
  }
  // Said before it is sent: in whose grid this is; or, without network, how far from one's own.
  async function nameThePlace() {
    const lon = +field("lon").value, lat = +field("lat").value;
    try {
      if (!navigator.onLine) throw new Error("offline");
      await Sending.signIn();
      const answer = await Sending.call("/worker/where.json", { method: "POST", body: JSON.stringify({ lon, lat, accuracy_m: +field("accuracy_m").value || null }), headers: { "Content-Type": "application/json" } });
      const found = await answer.json();
      Place.tell(found.words, !found.inside);
    } catch (error) {
      const far = desk && desk.grids.length ? Math.min(...desk.grids.map((one) => Place.metres({ lon, lat }, one))) : 0;
      if (far > FAR_M) Place.tell(`离您的网格约 ${Math.round(far / 1000)} 公里,请核对`, true);
    }
  }
  const FAR_M = 10000;
  async function offer() {
    const found = await near();
    byId("near").replaceChildren(...found.alike.map((one) => node("li", {}, node("a", { href: one.href }, `${one.title}(${one.state})`), node("span", { class: "hint" }, ` ${one.why}`))));
    byId("alike").hidden = !found.alike.length;
    return found;
  }

  // -- keeping and sending
  function payload() {
    const given = values(), found = { payload_version: 2, client_uuid: field("client_uuid").value, mode: given.mode, category_code: given.category_code, frame: "wgs84", photos: photos.map((one) => one.sha256) };
    for (const name of ["captured_at", "location_source", "text"]) if (given[name].trim()) found[name] = given[name].trim();
    if (given.lat) Object.assign(found, { lon: +given.lon, lat: +given.lat, ...(given.accuracy_m ? { accuracy_m: +given.accuracy_m } : {}) });
    else {
      const grid = desk.grids.find((one) => one.code === given.chosen_grid);
      if (grid) Object.assign(found, { lon: grid.lon, lat: grid.lat, location_source: "grid" });
    }
    if (Object.keys(given.answers).length) found.answers = given.answers;
    if (given.apart && !byId("alike").hidden) found.apart = true;
    if (given.reporter_phone.trim() || given.reporter_name.trim()) {
      const reporter = { consented: given.consented, notice_version: form.dataset.notice };
      if (given.reporter_name.trim()) reporter.name = given.reporter_name.trim();
      if (given.reporter_phone.trim()) reporter.phone = given.reporter_phone.trim();
      Object.assign(found, { source: "on_behalf", reporter });
    }
    return found;
  }

  function missing(found) {
    const one = category();
    if (!found.category_code) return "还没有选类别:请点一下问题的类别";
    if (found.lon === undefined) return "还没有位置:请打开手机定位、在地图上点一下,或选择所在网格";
    if (found.mode === "report" && one && one.photo && !photos.length) return `“${one.name}”需要一张现场照片,请拍照`;
    return one && one.text && !found.text ? `“${one.name}”请写一句话说明情况` : "";
  }

  async function send() {
    const found = payload(), wrong = missing(found);
    if (wrong) { say(wrong, "error"); status.scrollIntoView({ block: "center" }); return; }
    if (found.mode === "remind" && form.dataset.again !== "1" && (await near()).reminded) {
      form.dataset.again = "1";
      form.querySelector("[name=mode][value=report]").checked = true;
      quick = "";
      say("24 小时内这里已当场提醒过同类问题,建议转为“上报派单”(已替您选好);仍要提醒,请改选“当场提醒”再提交", "warn");
      status.scrollIntoView({ block: "center" });
      return;
    }
    const item = { kind: "report", owner: desk.account, title: (category() || {}).name || "上报", path: "/api/v1/tickets", payload: found, photos: found.photos, values: values(), client_uuid: found.client_uuid, settled: false };
    let seq;
    sent = true;
    try {
      seq = await Sending.enqueue(mending ? { ...item, seq: mending.seq } : item);
      await Store.drop("draft");
    } catch (error) {
      sent = false;
      say(full, "error");
      return;
    }
    say("正在发送…", "");
    byId("submit").disabled = true;
    const result = await Sending.flush();
    const answer = result.delivered[seq];
    location.href = answer ? `/worker/reported/${answer.code}` : `/worker/?kept=${seq}`;
  }

  async function speak() {
    const Listener = window.SpeechRecognition || window.webkitSpeechRecognition, button = byId("speak");
    if (!Listener || !button) return;
    button.hidden = false;
    button.onclick = () => {
      const listener = new Listener();
      listener.lang = "zh-CN";
      listener.onresult = (event) => { byId("text").value += event.results[0][0].transcript; draft(); };
      listener.onend = () => button.removeAttribute("aria-busy");
      button.setAttribute("aria-busy", "true");
      listener.start();
    };
  }

  function find() {
    const input = byId("find");
    input.hidden = false;
    input.addEventListener("input", () => {
      const words = input.value.trim();
      for (const group of document.querySelectorAll("#all .class")) {
        let any = false;
        for (const one of group.querySelectorAll(".chip")) { one.hidden = Boolean(words) && !one.dataset.words.includes(words); any = any || !one.hidden; }
        group.hidden = !any;
      }
    });
  }

  function goOn() {
    const anew = node("button", { type: "button", class: "tiny" }, "重新填一件");
    anew.onclick = async () => { sent = true; await Store.drop("draft"); location.reload(); };
    say("这是上次没有报完的,可以接着填 ");
    status.append(anew);
  }

  async function begin() {
    const asked = new URLSearchParams(location.search);
    if (!field("client_uuid").value) field("client_uuid").value = crypto.randomUUID();
    if (asked.get("mode") && bare) form.querySelector(`[name=mode][value="${CSS.escape(asked.get("mode"))}"]`).checked = true;
    if (["remind", "self_handled"].includes(asked.get("mode")) && !asked.get("item")) {
      quick = asked.get("mode");
      document.body.classList.add("quick");
    }
    Place.begin(form);
    find();
    speak();
    form.addEventListener("place:known", () => { draft(); clearTimeout(naming); naming = setTimeout(nameThePlace, 400); });
    form.addEventListener("change", (event) => {
      if (event.target.name === "category_code") { ask(); if (quick) { form.requestSubmit(); return; } offer(); }
      if (event.target.name && event.target.name.startsWith("answer-")) stop();
      draft();
    });
    ask();
    // What came back refused from the server stays with the form of the page itself.
    if (!canKeep || form.dataset.refused === "1") return;
    byId("photo").removeAttribute("data-shrink");
    byId("photo").addEventListener("change", (event) => take(event.target));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      desk = desk || (await Desk.kept()) || (await Desk.renew());
      if (desk) send();
      else say("这台手机还没有存过您的资料,请先连网登录一次;已填的都还在", "error");
    });
    desk = await Desk.kept();
    if (desk && bare) fill();
    const seq = Number(asked.get("item"));
    mending = seq ? await Store.item(seq) : undefined;
    const begun = await Store.get("draft");
    if (mending) { await restore({ uuid: mending.fields.client_uuid ? crypto.randomUUID() : mending.client_uuid, values: mending.values, photos: mending.photos }); say(mending.problem, "error"); }
    else if (begun && !quick && desk && begun.owner === desk.account && Date.now() - begun.at < 864e5 && begun.photos.length) { await restore(begun); if (!begun.fresh) goOn(); }
    read = true;
    if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
    const fresh = await Desk.renew();
    if (fresh) { const first = !desk; desk = fresh; if (bare && (first || !chosen())) fill(); if (chosen()) ask(); }
  }

  begin();
})();
