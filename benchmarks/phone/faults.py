"""axe on every page that somebody can come to, and small checks of our own, at 320 pixels and with large type."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.phone.city import City, context_at, sign_in
from tests.journey.conftest import AXE

NARROW = {"width": 320, "height": 640}
OF_THE_PHONE = (
    "/worker/",
    "/worker/report",
    "/worker/report?mode=remind",
    "/worker/shell/today",
    "/worker/shell/report",
    "/worker/shell/verify",
    "/worker/shell/inspect",
    "/worker/inspections",
)
CHECKS = """() => {
  const wrong = [];
  if (document.documentElement.lang !== 'zh-CN') wrong.push('lang');
  if (!document.title) wrong.push('title');
  if (!document.querySelector('meta[name=viewport]')) wrong.push('viewport');
  if (!document.querySelector('link[rel=manifest]')) wrong.push('manifest');
  if (document.querySelectorAll('h1').length !== 1) wrong.push('h1');
  if (document.documentElement.scrollWidth > window.innerWidth + 1) wrong.push('wider than the screen');
  for (const link of document.querySelectorAll('[src],link[href]')) {
    const address = link.src || link.href;
    if (address && !/^(data|blob):/.test(address) && new URL(address).origin !== location.origin) wrong.push('foreign ' + address);
  }
  return wrong;
}"""


@dataclass
class Judge:
    """Looks at pages and keeps what is wrong with them."""

    seen: set[str] = field(default_factory=set)
    serious: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def opens(self, page: Page, its: City, path: str, who: str) -> None:
        answer = page.goto(its.url + path)
        if answer is not None and answer.status >= 400:
            self.seen.add(path)
            self.failed.append(f"{who} {path}: status {answer.status}")
            return
        self.looks(page, path, who)

    def looks(self, page: Page, path: str, who: str) -> None:
        """At the page as it stands."""
        self.seen.add(path)
        page.wait_for_load_state("networkidle")
        found = page.evaluate(
            AXE + ";axe.run(document, {resultTypes: ['violations']}).then(r => r.violations"
            ".filter(v => v.impact === 'serious' || v.impact === 'critical')"
            ".map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 90)).join(' | ')))"
        )
        self.serious += [f"{who} {path} {one}" for one in found]
        self.failed += [f"{who} {path}: {one}" for one in page.evaluate(CHECKS)]


def faults(browser: Browser, its: City) -> dict[str, Any]:
    """Every page of every login and the public ones; those of the phone also in large type and high contrast."""
    judge = Judge()
    for login in [its.worker, *(one for one in its.logins if one != its.worker)]:
        _of_one_login(browser, its, login, judge)
    of_the_phone(browser, its, judge, look=None)
    of_the_phone(browser, its, judge, look="contrast.large")
    return {
        "axe_serious": len(judge.serious),
        "axe_found": judge.serious,
        "pages_judged": len(judge.seen),
        "checks_failed": len(judge.failed),
        "checks_found": judge.failed,
    }


def _of_one_login(browser: Browser, its: City, login: str, judge: Judge) -> None:
    """The pages of the menu, and tickets from the first lists that have any."""
    context = context_at(browser, its, viewport=NARROW)
    page = context.new_page()
    sign_in(page, its.url, login, its.password)
    links = "links => links.map(link => link.getAttribute('href'))"
    paths = [page.url.removeprefix(its.url), *page.eval_on_selector_all(".menu a, .tabs a", links)]
    for path in dict.fromkeys(paths):
        if path in judge.seen or not path.startswith("/"):
            continue
        judge.opens(page, its, path, login)
        link = page.locator(".tickets a").first
        if link.count() and len([one for one in judge.seen if "/tickets/" in one]) < 4:
            href = str(link.get_attribute("href"))
            if href not in judge.seen:
                judge.opens(page, its, href, login)
    context.close()


def of_the_phone(browser: Browser, its: City, judge: Judge, *, look: str | None) -> None:
    """The worker's and the resident's pages; what the resident hands in is followed by its link."""
    context = context_at(browser, its, viewport=NARROW)
    if look:
        context.add_cookies([{"name": "look", "value": look, "url": its.url}])
    who = look or "as it comes"
    page = context.new_page()
    for path in ("/sign-in", "/follow", f"/g/{its.wall}"):
        judge.opens(page, its, path, who)
    page.locator("#scan .chip").first.click()
    page.locator("#scan [name=apart]").all() and page.locator("#scan [name=apart]").check()
    page.get_by_role("button", name="提交", exact=True).click()
    page.wait_for_url("**/handed-in/**")
    judge.looks(page, f"/handed-in ({who})", who)
    page.get_by_role("button", name="看办到哪一步了").click()
    page.wait_for_url("**/callback/**")
    judge.looks(page, f"/callback ({who})", who)
    sign_in(page, its.url, its.worker, its.password)
    for path in OF_THE_PHONE:
        judge.opens(page, its, path, who)
    verify = page.evaluate("Store.get('desk').then(desk => Object.keys(desk.verifying)[0])")
    if verify:
        judge.opens(page, its, f"/worker/verify/{verify}", who)
    context.close()
