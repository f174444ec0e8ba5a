"""What was merged by itself stands on the dispatcher's page of doubles, and is undone there with one button."""

from collections.abc import Callable
from dataclasses import replace

from tests.town import SANITATION, Town
from tests.web.conftest import Visitor


def test_what_was_merged_by_itself_is_shown_with_its_reason_and_undone(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    town.world.settings = replace(town.world.settings, merge_within_m=8)
    first, second = (town.worker.reports().code for _ in range(2))
    assert town.ticket(second).state == "merged"
    dispatcher = visitor("dispatcher")
    page = dispatcher.sees("/dispatch/doubles").text
    assert f"并入 {first}(本市设为 8 米内自动并单,可撤销)" in page
    undo = f"/tickets/{second}/actions/unmerge"
    assert undo in page
    reason = page.split('name="reason" value="')[1].split('"')[0]
    assert dispatcher.posts(undo, reason=reason).status_code == 303
    assert (town.ticket(second).state, town.ticket(second).main_code) == ("dispatched", SANITATION)
    assert undo not in dispatcher.sees("/dispatch/doubles").text
