// Keeps the service's own files and the pages that are the same for everybody; never an answer that is somebody's.
"use strict";

const CACHE = "grid-{{ version }}";
const KEPT = {{ kept | tojson }}, LATER = {{ later | tojson }}, SHELLS = {{ shells | tojson }};
const SHELL_OF = { "/worker/": SHELLS.today, "/worker/report": SHELLS.report, "/worker/inspections": SHELLS.inspect };
const PATIENCE_MS = 6000;

importScripts({{ sending | tojson }});

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    // Without the session: a kept page can then be nobody's.
    const nobody = (url) => new Request(url, { credentials: "omit", cache: "no-cache" });
    await cache.addAll([...KEPT, ...Object.values(SHELLS)].map(nobody));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("grid-") && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

async function kept(request) {
  const cache = await caches.open(CACHE);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  const url = new URL(request.url);
  if (answer.ok && LATER.includes(url.pathname + url.search)) await cache.put(request, answer.clone());
  return answer;
}

async function shell(path, request) {
  const found = await (await caches.open(CACHE)).match(path, { ignoreVary: true });
  return found || fetch(request);
}

async function networkElse(request, path, patience_ms) {
  try {
    return await (patience_ms ? fetch(request, { signal: AbortSignal.timeout(patience_ms) }) : fetch(request));
  } catch (error) {
    return shell(path, request);
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(kept(request));
  else if (request.mode === "navigate" && SHELL_OF[url.pathname]) event.respondWith(shell(SHELL_OF[url.pathname], request));
  else if (request.mode === "navigate" && url.pathname.startsWith("/worker/verify/")) event.respondWith(networkElse(request, SHELLS.verify, PATIENCE_MS));
  else if (request.mode === "navigate" && /^\/tickets\/[^/]+$/.test(url.pathname)) event.respondWith(networkElse(request, SHELLS.verify));
  // Any other page needs the network; without one, Today says so instead of the browser.
  else if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => Response.redirect("/worker/?unreached")));
});

self.addEventListener("sync", (event) => {
  if (event.tag !== "grid-sending") return;
  event.waitUntil(Sending.flush().then((result) => {
    if (result.stopped && result.stopped !== "signed-out") throw new Error(result.words);
  }));
});
