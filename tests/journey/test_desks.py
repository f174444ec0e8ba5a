"""The desks by keys alone: a queue is walked and stays fresh under the hands, a call back takes three presses."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from dispatch.record.models import Source
from tests.journey.conftest import Someone, Stack
from tests.town import CONSULT, DRAINAGE, GARBAGE, IN_EAST, IN_WEST, STREET_OFFICE, Town, open_town

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("size", ["desktop"])]


@pytest.fixture
def town(stack: Stack) -> Town:
    """The town that the running service shows."""
    town = open_town(stack.settings.database_url, stack.settings.instance_path)
    town.now = datetime.now(UTC)
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


def test_a_call_back_takes_three_presses(town: Town, someone: Callable[[str | None], Someone]) -> None:
    code = asked_by_telephone(town)
    page = someone("agent").opens(f"/hotline/callbacks/{code}")
    for key in ("1", "w", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".note.done")).to_contain_text(f"{code} 已记录回访结果")
    ticket = town.ticket(code)
    assert (ticket.state, ticket.solved, ticket.satisfaction) == ("closed", "solved", 4)


def asked_by_telephone(town: Town) -> str:
    """A question from a caller, answered, about whose answer they are to be asked."""
    code = town.operator.reports(
        CONSULT,
        source=Source.HOTLINE,
        photos=(),
        text="井盖归谁管",
        reporter_name="赵大爷",
        reporter_phone=f"138{uuid4().int % 10**8:08}",
        consented=True,
        notice_version="1",
    ).code
    town.dispatcher.acts(code, "dispatch", organisation=DRAINAGE)
    town.drainage.acts(code, "contact", outcome="reached")
    town.drainage.acts(code, "handle", solved="solved", answer="归排水公司管")
    return code
