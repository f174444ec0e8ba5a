"""The same subcategory at the same point is merged by itself where the city wants it, and undone by a dispatcher."""

from dataclasses import replace

import pytest

from dispatch.record import queries
from dispatch.record.models import Assignment, OutboxRow, Source, TicketEvent
from tests.town import COVER, IN_WEST, LAT, LON, PARKING, SANITATION, SCRAPS, Town

METRE = 1 / 111_320
A_STEP_AWAY = {"lon": LON + 0.005, "lat": LAT + 0.005 + 4 * METRE}
ACROSS_THE_STREET = {"lon": LON + 0.005, "lat": LAT + 0.005 + 14 * METRE}


@pytest.fixture
def merging(town: Town) -> Town:
    town.world.settings = replace(town.world.settings, merge_within_m=8)
    return town


def on_behalf(town: Town, **more: object) -> str:
    given = {
        "source": Source.ON_BEHALF,
        "reporter_phone": "13800000001",
        "reporter_name": "钱阿姨",
        "consented": True,
        "notice_version": "1",
        "at": A_STEP_AWAY,
    }
    return town.worker.reports(**{**given, **more}).code


def handled(town: Town, code: str) -> None:
    town.department.acts(code, "handle", solved="solved", answer="已清运", photos=(town.photo("b" * 64),))


def state(town: Town, code: str) -> str:
    return str(town.ticket(code).state)


def test_the_second_report_is_merged_with_its_reason_and_its_reporter_is_asked(merging: Town) -> None:
    first = merging.worker.reports(text="桶边垃圾没清").code
    second = on_behalf(merging.later(hours=2), text="垃圾没清走")
    assert (state(merging, second), merging.ticket(first).merged_count) == ("merged", 1)
    with merging.database.reading() as session:
        ticket = merging.ticket(second)
        event = queries.rows(session, TicketEvent, ticket)[-1]
        assert queries.rows(session, Assignment, ticket) == [], "no unit was troubled twice"
        told = [
            row.payload["happening"]
            for row in queries.rows(session, OutboxRow, ticket)
            if row.topic == "notify"
        ]
    assert (event.action, event.account_id, event.channel) == ("merge", None, "system")
    assert f"并入 {first}" in event.reasons["same"]["reason"]
    assert event.reasons["same"]["distance_m"] == 4.0
    assert told == ["merged"]
    handled(merging, first)
    merging.later(hours=1).worker.acts(first, "verify_pass", photos=(merging.photo("c" * 64),))
    assert [state(merging, code) for code in (first, second)] == ["closed", "verified"], "both are answered"


def test_a_dispatcher_undoes_it_and_it_goes_its_own_way(merging: Town) -> None:
    first, second = merging.worker.reports().code, on_behalf(merging)
    merging.dispatcher.acts(second, "unmerge", reason="是另一处")
    assert (state(merging, second), merging.ticket(second).main_code) == ("dispatched", SANITATION)
    assert merging.ticket(first).merged_count == 0


def test_it_is_off_unless_the_city_turned_it_on(town: Town) -> None:
    town.worker.reports()
    assert state(town, town.worker.reports().code) == "dispatched"


@pytest.mark.parametrize(
    "more",
    [
        {"apart": True},
        {"confidential": True},
        {"nature": "complaint"},
        {"accuracy_m": 80.0},
        {"accuracy_m": None},
        {"at": ACROSS_THE_STREET},
        {"category": SCRAPS},
        {"text": "这里路灯坏了"},
    ],
    ids=lambda more: "-".join(f"{k}" for k in more),
)
def test_whatever_is_not_plainly_the_same_stays_apart(merging: Town, more: dict[str, object]) -> None:
    first = merging.worker.reports(text="桶边垃圾没清").code
    assert state(merging, on_behalf(merging, **{"text": "垃圾没清走", **more})) != "merged"
    assert merging.ticket(first).merged_count == 0


def test_what_was_told_in_confidence_takes_nobody_elses_report(merging: Town) -> None:
    on_behalf(merging, confidential=True, at=IN_WEST)
    assert state(merging, merging.worker.reports().code) == "dispatched"


def test_an_urgent_matter_is_never_merged_unasked(merging: Town) -> None:
    merging.worker.reports(COVER)
    assert state(merging, merging.worker.reports(COVER).code) == "dispatched"


def test_after_a_week_or_once_it_was_handled_it_is_a_new_matter(merging: Town) -> None:
    first = merging.worker.reports(PARKING).code
    merging.later(days=8)
    second = merging.worker.reports(PARKING).code
    assert state(merging, second) == "dispatched"
    garbage = merging.worker.reports().code
    handled(merging, garbage)
    assert state(merging, merging.worker.reports().code) == "dispatched"
    assert merging.ticket(first).merged_count == 0
