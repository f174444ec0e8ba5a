// Today: what waits on the phone, and the day's list, the nearest or the most urgent first.
"use strict";

(() => {
  const page = document.getElementById("today");
  if (!page || !window.isSecureContext || !("indexedDB" in window)) return;
  const bare = page.dataset.bare === "1", byId = (id) => document.getElementById(id);
  const SOON_MS = 3000, LATEST_MS = 60000;
  let desk, here, mapped = false, busy = false, pause = SOON_MS, timer;

  function node(kind, values = {}, ...children) {
    const made = document.createElement(kind);
    for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
    made.append(...children);
    return made;
  }
  const metres = (one) => {
    if (!here || one.lon === undefined) return Infinity;
    const east = (one.lon - here.lon) * Math.cos(here.lat * Math.PI / 180), north = one.lat - here.lat;
    return Math.hypot(east, north) * 111320;
  };
  const far = (one) => (Number.isFinite(metres(one)) ? ` · 约 ${metres(one) < 950 ? `${Math.round(metres(one) / 10) * 10} 米` : `${(metres(one) / 1000).toFixed(1)} 公里`}` : "");

  // -- what waits here
  const WORDS = { waiting: "等待发送", refused: "没有被接受", conflict: "有了变化" };
  async function waiting() {
    const items = await Store.queue(), sent = await Store.sent();
    const own = items.filter((one) => desk && one.owner === desk.account), others = items.length - own.length;
    byId("waiting").hidden = !items.length;
    byId("waiting-count").textContent = own.length || "";
    byId("waiting-list").replaceChildren(...own.map(line), ...(others ? [node("li", { class: "hint" }, `另有 ${others} 件由其他账号填写,要由本人登录后发送`)] : []));
    const last = sent.filter((one) => desk && one.owner === desk.account).slice(-3).reverse();
    byId("sent").replaceChildren(...last.map((one) => node("li", {}, `${one.title} 已送达 `, ...(one.code ? [node("a", { class: "code", href: `/tickets/${one.code}` }, one.code)] : []), ...(one.clock ? [node("p", { class: "hint" }, one.clock)] : []))));
  }

  function pageOf(item) {
    if (item.kind === "inspection") return "/worker/inspections";
    return item.action.startsWith("verify") ? `/worker/verify/${item.code}` : `/tickets/${item.code}`;
  }
  function line(item) {
    const row = node("li", { class: `kept ${item.state}` }, node("strong", {}, item.title), ` ${WORDS[item.state]}`,
      node("span", { class: "hint" }, ` · ${new Date(item.queued_at).toLocaleString("zh-CN", { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" })}${item.photos.length ? ` · ${item.photos.length} 张照片` : ""}`));
    if (item.clock) row.append(node("p", { class: "hint" }, item.clock));
    if (item.state === "waiting") return row;
    row.append(node("p", { class: "field-error", role: "alert" }, item.problem));
    if (item.state === "conflict") {
      row.append(node("p", {}, `您填的:${item.said || item.title};现在:${item.now ? item.now.state : "请打开工单查看"}`), node("a", { href: pageOf(item) }, "打开看看"));
      const still = item.now && item.now.possible.includes(item.action);
      if (still) row.append(button("仍按我填的提交", async () => { await Store.putItem({ ...item, state: "waiting", payload: { ...item.payload, expected_version: item.now.version } }); flush(); }));
    } else if (item.kind === "report") row.append(node("a", { href: `/worker/report?item=${item.seq}`, role: "button", class: "compact" }, "改一改"));
    else row.append(node("a", { href: `${pageOf(item)}?item=${item.seq}`, role: "button", class: "compact" }, "改一改"));
    row.append(button("不要了", async () => { if (confirm("删掉这一件?照片和文字都会从手机里删除。")) { await Store.dropItem(item); waiting(); } }));
    return row;
  }
  function button(words, act) {
    const made = node("button", { type: "button", class: "compact secondary outline" }, words);
    made.onclick = act;
    return made;
  }

  async function flush() {
    if (busy) return;
    busy = true;
    const note = byId("state");
    try {
      const own = (await Store.queue()).filter((one) => one.state === "waiting");
      if (!own.length) return;
      note.hidden = false;
      note.textContent = "正在发送…";
      const result = await Sending.flush(() => waiting());
      const count = Object.keys(result.delivered).length;
      note.textContent = result.stopped ? result.words : count ? `已送达 ${count} 件` : "";
      note.hidden = !note.textContent;
      if (result.stopped === "signed-out") signIn();
      if (result.stopped) again(); else pause = SOON_MS;
      if (count) renew();
    } finally {
      busy = false;
      await waiting();
    }
  }

  // Not every browser tells when the network is back: while something waits it is tried again, ever more rarely.
  function again() {
    clearTimeout(timer);
    timer = setTimeout(flush, pause);
    pause = Math.min(pause * 1.6, LATEST_MS);
  }

  function signIn() {
    const note = byId("state");
    note.hidden = false;
    note.replaceChildren(`登录已过期${byId("waiting").hidden ? "" : ";没发送的都在手机里,登录后自动发送"} `, node("a", { href: "/sign-in?next=/worker/", role: "button", class: "compact" }, "去登录"));
  }

  // -- the list
  function draw() {
    byId("grids").textContent = desk.grids.map((one) => one.name).join("、");
    byId("parts").replaceChildren(...desk.parts.filter((part) => part.tickets.length || part.empty).flatMap((part) => [
      node("h2", {}, part.title, part.tickets.length ? node("span", { class: "count" }, String(part.tickets.length)) : ""),
      part.tickets.length ? node("ul", { class: "tickets" }, ...sorted(part.tickets).map(ticket)) : node("p", { class: "card empty" }, part.empty),
    ]));
  }
  // What is late or urgent comes first, then what is close.
  function sorted(tickets) {
    const rank = (one) => (one.urgent || one.clock[0] === "late" ? 0 : 1);
    return [...tickets].sort((one, other) => rank(one) - rank(other) || (here ? metres(one) - metres(other) : 0));
  }
  function ticket(one) {
    const title = node("span", { class: "title" }, ...(one.urgent ? [node("span", { class: "urgent-mark" }, "紧急"), " "] : []), one.title);
    const facts = node("span", { class: "facts" }, `${one.place} · ${one.reported}${far(one)} · `, node("span", { class: "code" }, one.code));
    const side = node("span", { class: "side" }, node("span", { class: `clock ${one.clock[0]}` }, one.clock[1]), node("span", { class: "state" }, one.state));
    return node("li", {}, node("a", { href: one.href }, title, facts, side));
  }

  async function renew() {
    const fresh = await Desk.renew();
    if (!fresh) return;
    desk = fresh;
    draw();
    map();
    await waiting();
  }

  // Unfolded before the values came, it is drawn when they do.
  async function map() {
    const box = byId("area-map");
    if (!byId("on-map").open || !desk || mapped) return;
    mapped = true;
    if (!(await Place.leaflet(box))) { mapped = false; byId("map-words").textContent = "现在取不到地图,可看上面的列表"; return; }
    box.hidden = false;
    const drawn = await drawMap(box);
    for (const part of desk.parts) {
      for (const one of part.tickets) {
        L.circleMarker([one.lat, one.lon], { radius: 8, color: "#fff", weight: 2, fillColor: one.clock[0] === "late" ? "#b23a06" : "#0b6fa4", fillOpacity: 1 })
          .bindTooltip(labelOf(`${one.title} ${one.state}`)).on("click", () => { location.href = one.href; }).addTo(drawn);
      }
    }
  }

  async function begin() {
    desk = await Desk.kept();
    if (desk) Camera.begin(desk);
    if (desk && bare) draw();
    await waiting();
    byId("on-map").hidden = false;
    byId("on-map").addEventListener("toggle", map);
    document.addEventListener("desk:signed-out", signIn);
    if (navigator.permissions) {
      const allowed = await navigator.permissions.query({ name: "geolocation" }).catch(() => ({}));
      // Only where it was allowed before: nobody is asked for their place to read a list, and it never leaves the phone.
      if (allowed.state === "granted") navigator.geolocation.getCurrentPosition((found) => { here = { lon: found.coords.longitude, lat: found.coords.latitude }; if (desk) draw(); });
    }
    await renew();
    if (desk) Camera.begin(desk);
    if (desk && !byId("state").textContent && new URLSearchParams(location.search).has("unreached")) { byId("state").hidden = false; byId("state").textContent = "没有网络,那一页要连网才能打开;这里的都可以用"; }
    if (!desk && !navigator.onLine) { byId("state").hidden = false; byId("state").textContent = "没有网络,这台手机还没有存过您的资料,请先连网登录一次"; }
    await flush();
  }

  window.addEventListener("online", () => { pause = SOON_MS; renew().then(flush); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) flush(); });
  begin();
})();
