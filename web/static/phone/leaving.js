// Signing out wipes what the phone kept, and asks first while something is unsent.
"use strict";

(() => {
  const form = document.querySelector("form.account");
  if (!form || !window.isSecureContext || !("indexedDB" in window)) return;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const unsent = (await Store.queue().catch(() => [])).length;
    if (unsent && !confirm(`手机里还有 ${unsent} 件没有发送。退出会把它们连同照片一起删除,不能恢复。仍要退出吗?`)) return;
    try {
      await Sending.signIn();
      const answer = await Sending.call(form.action, { method: "POST", redirect: "manual" });
      if (answer.type !== "opaqueredirect" && !answer.ok) throw new Error("refused");
    } catch (error) {
      if (error.why !== "signed-out") { alert("现在没有网络,暂时不能退出;连上网后再退出。"); return; }
    }
    document.dispatchEvent(new CustomEvent("desk:left"));
    await Store.wipe();
    location.href = "/sign-in";
  });
})();
