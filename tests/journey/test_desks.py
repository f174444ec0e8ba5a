"""The desks: a queue is walked and stays fresh under the hands, every page fits and says what it is."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from dispatch.record.models import Source
from dispatch.record.world import World
from tests.journey.conftest import Someone
from tests.journey.desk_pages import PAGES, furnished
from tests.journey.service import Stack
from tests.town import GARBAGE, IN_EAST, IN_WEST, STREET_OFFICE, Town, open_town

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("size", ["desktop"])]


@pytest.fixture
def town(stack: Stack) -> Town:
    """The town that the running service shows."""
    town = open_town(stack.settings.database_url, stack.settings.instance_path)
    town.world, town.now = World(stack.settings), datetime.now(UTC)
    return town


def test_a_queue_is_walked_by_keys_and_an_unchanged_one_is_not_sent_again(
    town: Town, someone: Callable[[str | None], Someone]
) -> None:
    for place in (IN_WEST, IN_EAST):
        code = town.operator.reports(GARBAGE, at=place, source=Source.HOTLINE, photos=()).code
        town.department.acts(
            code, "object", reason_code="function", organisation=STREET_OFFICE, basis="三定方案"
        )
    page = someone("dispatcher").opens("/dispatch/queues/objection")
    page.keyboard.press("j")
    page.keyboard.press("j")
    walked_to = page.evaluate("document.activeElement.id")
    page.wait_for_event(
        "response", lambda answer: answer.status == 304 and answer.url.endswith("/queues/objection")
    )
    assert page.evaluate("document.activeElement.id") == walked_to
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/dispatch/rulings/{walked_to}")
    expect(page.locator("main")).to_contain_text("三定方案")


def test_the_place_of_a_lead_is_a_click_on_the_map(someone: Callable[[str | None], Someone]) -> None:
    one = someone("lead_officer")
    page = one.opens("/leads/")
    page.locator("#map path").first.click()
    expect(page.locator("#where")).to_have_text("已在地图上选点")
    page.select_option("#category_code", GARBAGE)
    page.fill("#text", "长期不清运")
    page.get_by_role("button", name="登记").click()
    page.wait_for_url("**/tickets/*")
    expect(page.locator("main")).to_contain_text("井巷第")
    assert one.complaints == []


def test_every_page_of_the_desks_fits_at_400_percent_and_axe_finds_nothing_serious(
    town: Town, someone: Callable[[str | None], Someone]
) -> None:
    codes = furnished(town)
    people = {login: someone(login) for login in dict.fromkeys(login for login, _ in PAGES)}
    wrong: list[str] = []
    for login, path in PAGES:
        wrong += people[login].faults(path.format(**codes))
    assert wrong == []
    assert {login: one.complaints for login, one in people.items() if one.complaints} == {}
