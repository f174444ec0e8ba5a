// Sends what waits, in order: photos first and apart, by their hash; then the report, with its own id.
// Repeating any step does no harm, so whatever was cut off is simply done again.
"use strict";

const Sending = (() => {
  const WAITING = "waiting", REFUSED = "refused", CONFLICT = "conflict";
  const SKEW_MS = 5 * 60 * 1000, ANSWER_MS = 60000;
  let session;

  class Stopped extends Error {
    constructor(why, words) { super(words); this.why = why; }
  }

  async function call(path, options = {}) {
    const headers = { Accept: "application/json", ...(session ? { "X-CSRFToken": session.csrf } : {}), ...options.headers };
    let answer;
    try {
      answer = await fetch(path, { credentials: "same-origin", redirect: "error", signal: AbortSignal.timeout(ANSWER_MS), ...options, headers });
    } catch (error) {
      throw new Stopped("offline", "没有网络,已存在手机里,有网自动发送");
    }
    if (answer.status === 401) throw new Stopped("signed-out", "登录已过期;没发送的都在手机里,登录后自动发送");
    if (answer.status === 429 || answer.status >= 500) throw new Stopped("busy", "服务暂时不可用,已存在手机里,稍后自动再发");
    return answer;
  }

  async function signIn() {
    const answer = await call("/worker/session.json");
    if (!answer.ok) throw new Stopped("busy", "服务暂时不可用,已存在手机里");
    const found = await answer.json();
    session = { ...found, skew_ms: Date.parse(found.now) - Date.now() };
    return session;
  }

  const json = (answer) => answer.json().catch(() => ({}));

  async function refuse(item, problem) {
    const words = Object.values(problem.errors || {});
    await Store.putItem({ ...item, state: REFUSED, problem: words.length ? words.join(";") : problem.detail || "没有被接受", fields: problem.errors || {} });
    return false;
  }

  async function upload(item) {
    for (const sha256 of item.photos) {
      const photo = await Store.photo(sha256);
      if (!photo || photo.uploaded) continue;
      const body = new FormData();
      body.append("photo", new File([photo.bytes], "photo.jpg", { type: photo.type }));
      body.append("taken", JSON.stringify(photo.taken));
      const answer = await call("/api/v1/photos", { method: "POST", body });
      if (answer.status === 201) await Store.putPhoto({ ...photo, uploaded: true });
      else if (answer.status === 403) throw new Stopped("signed-out", "没有发送权限或页面已过期,请重新登录;内容都在手机里");
      else return refuse(item, await json(answer));
    }
    return true;
  }

  // A clock that is far off is put right once, before the first sending: the content of a repeated report must not change.
  async function settle(item) {
    if (item.settled) return item;
    const wrong = Math.abs(session.skew_ms) > SKEW_MS;
    const settled = { ...item, settled: true };
    if (wrong && item.payload.captured_at) {
      settled.payload = { ...item.payload, captured_at: new Date(Date.parse(item.payload.captured_at) + session.skew_ms).toISOString() };
      settled.clock = `手机时间与服务器相差约 ${Math.round(Math.abs(session.skew_ms) / 60000)} 分钟,拍摄时间已按服务器更正`;
    }
    await Store.putItem(settled);
    return settled;
  }

  async function deliver(given) {
    const item = await settle(given);
    if (!(await upload(item))) return undefined;
    const answer = await call(item.path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(item.payload) });
    const body = await json(answer);
    if (answer.ok) {
      await Store.delivered(item, body);
      return body;
    }
    if (answer.status === 403 && /刷新页面/.test(body.detail || "")) throw new Stopped("busy", "登录刚刚更新,稍后自动再发");
    if (answer.status === 409) await Store.putItem({ ...item, state: CONFLICT, problem: body.detail || "这件工单刚被别人更新", now: await present(item) });
    else if (answer.status === 422 && /照片/.test((body.errors || {}).photos || "") && !item.again) await again(item);
    else await refuse(item, body);
    return undefined;
  }

  // The other side of a conflict: what the ticket is now.
  async function present(item) {
    if (!item.code) return undefined;
    const answer = await call(`/api/v1/tickets/${item.code}`);
    if (!answer.ok) return undefined;
    const ticket = await answer.json();
    return { state: ticket.state_label, version: ticket.version, possible: ticket.possible.map((one) => one.action) };
  }

  // The server collects photos that no report named for a day: they are sent once more.
  async function again(item) {
    for (const sha256 of item.photos) {
      const photo = await Store.photo(sha256);
      if (photo) await Store.putPhoto({ ...photo, uploaded: false });
    }
    await Store.putItem({ ...item, again: true });
    throw new Stopped("busy", "照片要重新上传,稍后自动再发");
  }

  async function inOrder(told) {
    await signIn();
    const held = new Set(), delivered = {};
    for (const item of await Store.queue()) {
      if (item.owner !== session.account) continue;
      if (item.state !== WAITING || held.has(item.code)) {
        if (item.code) held.add(item.code);
        continue;
      }
      told({ sending: item });
      const answer = await deliver(item);
      if (answer) delivered[item.seq] = answer;
      else if (item.code) held.add(item.code);
      told({ changed: item });
    }
    return delivered;
  }

  // The answer: what was delivered, and why it stopped if it did. Only one sends at a time, whatever pages are open.
  async function flush(told = () => {}) {
    const work = async () => {
      try {
        return { delivered: await inOrder(told), session };
      } catch (error) {
        if (!(error instanceof Stopped)) throw error;
        return { delivered: {}, stopped: error.why, words: error.message };
      }
    };
    return self.navigator.locks ? navigator.locks.request("grid-sending", work) : work();
  }

  async function enqueue(item) {
    const seq = await Store.putItem({ ...item, state: WAITING, problem: "", fields: {}, queued_at: new Date().toISOString() });
    if ("serviceWorker" in navigator && navigator.serviceWorker.controller) {
      navigator.serviceWorker.ready.then((ready) => ready.sync && ready.sync.register("grid-sending")).catch(() => {});
    }
    return seq;
  }

  return { flush, enqueue, call, signIn, WAITING, REFUSED, CONFLICT };
})();
