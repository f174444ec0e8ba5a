"""Presses per task of a clerk and of whoever calls back, and what axe finds on every page of the desks, in a browser."""

from datetime import UTC, datetime

from playwright.sync_api import Page, sync_playwright

from dispatch.record.world import World
from tests.journey.conftest import FLAGS, SIZES, Someone
from tests.journey.desk_pages import PAGES, furnished
from tests.journey.keys import (
    Keys,
    handles_the_one_on_the_page,
    notes_the_answer,
    opens_the_first,
    signs_the_first,
)
from tests.journey.service import PASSWORD, Stack, running
from tests.services import chromium_program
from tests.town import open_town


def measured() -> dict[str, object]:
    """Counted on the real pages; words and the look at the queue are not presses."""
    with running() as stack, sync_playwright() as playwright:
        town = open_town(stack.settings.database_url, stack.settings.instance_path)
        town.world, town.now = World(stack.settings), datetime.now(UTC)
        codes = furnished(town)
        chromium = playwright.chromium.launch(executable_path=str(chromium_program()), args=list(FLAGS))
        width, height = SIZES["desktop"]

        def sit(login: str) -> Someone:
            context = chromium.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
            one = Someone(context.new_page(), stack.url)
            enter(one.page, stack, login)
            return one

        result = {**presses(sit, codes), "axe_serious": serious(sit, codes)}
        chromium.close()
        town.database.dispose()
    return result


def enter(page: Page, stack: Stack, login: str) -> None:
    page.goto(stack.url + "/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("main [type=submit]")
    page.wait_for_url(lambda address: "sign-in" not in address)


def presses(sit, codes: dict[str, str]) -> dict[str, object]:
    """From the queue: sign; open, handle, be at the next; from the call: both questions, be at the next."""
    clerk = sit("department")
    keys = Keys(clerk.opens("/department/?tab=new"))
    signs_the_first(keys)
    found: dict[str, object] = {"sign_keys": keys.count()}
    clerk.opens(f"/department/?q={codes['plain']}")
    opens_the_first(keys)
    handles_the_one_on_the_page(keys, "已于今日电话答复,每天六点清运")
    found["handle_keys"] = keys.count()
    keys = Keys(sit("agent").opens(f"/hotline/callbacks/{codes['asked']}"))
    notes_the_answer(keys)
    return {**found, "callback_keys": keys.count()}


def serious(sit, codes: dict[str, str]) -> int:
    """Serious or critical findings over all pages, each printed."""
    number, people = 0, {login: sit(login) for login in {login for login, _ in PAGES}}
    for login, path in PAGES:
        one = people[login]
        one.opens(path.format(**codes)).wait_for_load_state("networkidle")
        for what in one.serious():
            print(path, what)
            number += 1
    return number
