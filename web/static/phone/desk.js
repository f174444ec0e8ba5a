// The values of one account that the pages are filled with: kept on the phone, renewed when there is a network.
"use strict";

const Desk = (() => {
  const MOST_PICTURES = 40;

  async function pictures(desk) {
    const wanted = Object.values({ ...desk.answering, ...desk.verifying }).flatMap((one) => [...one.before, ...one.after]).slice(0, MOST_PICTURES);
    const before = (await Store.get("pictures")) || {}, found = {};
    for (const address of wanted) {
      if (before[address]) { found[address] = before[address]; continue; }
      try {
        const answer = await fetch(address);
        if (answer.ok) found[address] = await answer.arrayBuffer();
      } catch (error) { break; }
    }
    await Store.set("pictures", found);
  }

  // A kept page is nobody's: menu and name come with the values.
  function frame(desk) {
    const menu = document.getElementById("menu"), who = document.getElementById("who");
    if (!desk || !menu || !who) return desk;
    menu.replaceChildren(...desk.menu.map((one) => {
      const row = document.createElement("li"), link = document.createElement("a");
      link.href = one.href;
      link.textContent = one.label;
      if (one.href === location.pathname) link.setAttribute("aria-current", "page");
      row.append(link);
      return row;
    }));
    who.textContent = desk.name;
    document.getElementById("leave").hidden = false;
    return desk;
  }

  async function renew() {
    try {
      const answer = await fetch("/worker/desk.json", { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(15000) });
      if (answer.status === 401) return (document.dispatchEvent(new CustomEvent("desk:signed-out")), undefined);
      if (!answer.ok) return undefined;
      const desk = await answer.json(), former = await Store.get("desk");
      // Another account on the same phone: what it keeps of the former one goes, what is unsent stays shut.
      if (former && former.account !== desk.account) { await Store.drop("pictures"); await Store.drop("draft"); }
      await Store.set("desk", desk);
      pictures(desk).catch(() => {});
      return frame(desk);
    } catch (error) {
      return undefined;
    }
  }

  return { kept: async () => frame(await Store.get("desk")), renew };
})();

// A kept page comes from no server and may be open without network: the switches for large type and contrast are read
// and turned here.
(() => {
  const root = document.documentElement, on = new Set(((document.cookie.match(/(?:^|; )look=([^;]*)/) || ["", ""])[1].split(".")).filter((part) => /^[a-z]+$/.test(part)));
  function show() {
    for (const button of document.querySelectorAll(".look button")) {
      button.setAttribute("aria-pressed", String(on.has(button.value)));
      if (on.has(button.value)) root.dataset[button.value] = "1"; else delete root.dataset[button.value];
    }
  }
  const form = document.querySelector(".look form");
  if (!form) return;
  show();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const part = event.submitter.value;
    if (!on.delete(part)) on.add(part);
    document.cookie = `look=${[...on].sort().join(".")}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
    show();
  });
})();

if ("serviceWorker" in navigator && window.isSecureContext) navigator.serviceWorker.register("/sw.js", { scope: "/" }).catch(() => {});
