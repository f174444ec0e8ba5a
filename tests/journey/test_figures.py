"""The pages of figures: read by keys alone, whole at every size, and of use while the network is off."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from dispatch.insight.rollups import keeping
from dispatch.record.world import World
from tests.journey.conftest import Someone
from tests.journey.keys import Keys
from tests.journey.service import Stack
from tests.town import GARBAGE, SANITATION, open_town

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("size", ["desktop"])]


@pytest.fixture(autouse=True)
def counted(stack: Stack) -> None:
    """Something to count, and counted."""
    town = open_town(stack.settings.database_url, stack.settings.instance_path)
    town.world, town.now = World(stack.settings), datetime.now(UTC)
    town.worker.reports(GARBAGE)
    keeping.catch_up(town.database, stack.settings.zone)
    town.database.dispose()


def test_a_number_is_opened_down_to_its_ticket_by_keys_alone(
    someone: Callable[[str | None], Someone],
) -> None:
    one = someone("supervisor")
    keys = Keys(one.opens("/figures/"))

    def opens(link: str) -> None:
        keys.tabs_to(f"main a[href^='{link}']")
        with one.page.expect_navigation():
            keys.press("Enter")
        assert link in one.page.url

    opens("/figures/tickets")
    assert one.complaints == []
    opens("/tickets/")  # whose photos other tests may only have named


def test_durations_of_a_fine_slice_arrive_by_themselves(someone: Callable[[str | None], Someone]) -> None:
    one = someone("supervisor")
    page = one.opens(f"/figures/?source=patrol&organisation={SANITATION}")
    expect(page.get_by_role("region", name="用了多久")).to_be_visible()
    assert one.complaints == []


def test_a_chart_is_kept_as_a_picture_with_the_network_off(someone: Callable[[str | None], Someone]) -> None:
    one = someone("supervisor")
    page = one.opens("/figures/")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    keys = Keys(page)
    keys.tabs_to("[data-save]")
    with page.expect_download() as kept:
        keys.press("Enter")
    assert kept.value.suggested_filename.endswith(".png")
    assert kept.value.path().stat().st_size > 5_000


def test_every_page_of_figures_fits_at_400_percent_and_axe_finds_nothing_serious(
    someone: Callable[[str | None], Someone],
) -> None:
    one = someone("supervisor")
    links = (
        one.opens("/figures/").locator("ul.sub a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    )
    assert len(links) > 10
    more = [
        "/figures/tickets?measure=received",
        f"/figures/durations?source=patrol&organisation={SANITATION}",
    ]
    assert [fault for path in (*links, *more) for fault in one.faults(path)] == []
    assert one.complaints == []
