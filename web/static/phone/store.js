// What the phone keeps: things to send with their photos, the desk of one account, pictures to verify by.
// Pages and service worker share it; nothing here touches a page.
"use strict";

const Store = (() => {
  const NAME = "grid", VERSION = 1, ATTEMPTS = 4, PAUSE_MS = 100;
  let opened;

  function open() {
    opened = opened || new Promise((done, failed) => {
      const wish = indexedDB.open(NAME, VERSION);
      wish.onupgradeneeded = (event) => {
        const base = wish.result;
        if (event.oldVersion < 1) {
          base.createObjectStore("queue", { keyPath: "seq", autoIncrement: true });
          base.createObjectStore("photos", { keyPath: "sha256" });
          base.createObjectStore("sent", { keyPath: "seq" });
          base.createObjectStore("kept");
        }
      };
      wish.onsuccess = () => {
        wish.result.onclose = () => { opened = undefined; };
        wish.result.onversionchange = () => { wish.result.close(); opened = undefined; };
        done(wish.result);
      };
      wish.onerror = () => { opened = undefined; failed(wish.error); };
    });
    return opened;
  }

  // A browser may close the base under us, also twice; what it cut short never happened, and is done again on a new
  // connection.
  async function within(stores, mode, work) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(stores, mode, work);
      } catch (error) {
        if (attempt === ATTEMPTS || (error.name !== "AbortError" && error.name !== "InvalidStateError")) throw error;
        opened = undefined;
        await new Promise((go) => { setTimeout(go, attempt * PAUSE_MS); });
      }
    }
  }

  // One transaction; strict: the answer comes after the disk has it.
  async function once(stores, mode, work) {
    const base = await open();
    return new Promise((done, failed) => {
      const transaction = base.transaction(stores, mode, { durability: "strict" });
      let result;
      transaction.oncomplete = () => done(result && "result" in result ? result.result : result);
      transaction.onerror = transaction.onabort = () => failed(transaction.error || new DOMException("abort", "AbortError"));
      result = work(...stores.map((name) => transaction.objectStore(name)));
    });
  }

  const reading = (name, work) => within([name], "readonly", work);
  const writing = (name, work) => within([name], "readwrite", work);

  return {
    queue: () => reading("queue", (queue) => queue.getAll()),
    item: (seq) => reading("queue", (queue) => queue.get(seq)),
    sent: () => reading("sent", (sent) => sent.getAll()),
    photo: (sha256) => reading("photos", (photos) => photos.get(sha256)),
    putItem: (item) => writing("queue", (queue) => queue.put(item)),
    putPhoto: (photo) => writing("photos", (photos) => photos.put(photo)),
    get: (key) => reading("kept", (kept) => kept.get(key)),
    set: (key, value) => writing("kept", (kept) => kept.put(value, key)),
    drop: (key) => writing("kept", (kept) => kept.delete(key)),

    // Only what the server has acknowledged leaves the queue, and its photos with it.
    delivered: (item, answer) => within(["queue", "photos", "sent"], "readwrite", (queue, photos, sent) => {
      queue.delete(item.seq);
      for (const sha256 of item.photos) photos.delete(sha256);
      const { code, state } = answer;
      sent.put({ seq: item.seq, owner: item.owner, code, state, title: item.title, clock: item.clock, at: new Date().toISOString() });
      const wish = sent.getAllKeys();
      wish.onsuccess = () => { for (const key of wish.result.slice(0, -10)) sent.delete(key); };
    }),
    dropItem: (item) => within(["queue", "photos"], "readwrite", (queue, photos) => {
      queue.delete(item.seq);
      for (const sha256 of item.photos) photos.delete(sha256);
    }),
    async wipe() {
      await within(["queue", "photos", "sent", "kept"], "readwrite", (...stores) => { for (const store of stores) store.clear(); });
    },
  };
})();
