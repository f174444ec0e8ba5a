"""From one problem to a class: found by rows, taken up by a person, its effect counted."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from dispatch.insight.metrics import counting
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.rollups import keeping
from dispatch.insight.topics import finding, managing, seasons
from dispatch.insight.topics.clustering import Placed, clusters
from dispatch.insight.topics.models import Topic, TopicKind, TopicState, TopicTicket
from grid.errors import InputError, NotAllowed
from tests.town import COVER, DRAINAGE, GARBAGE, IN_WEST, LAT, LON, SANITATION, STREET, Town
from tests.walking import calls

NEAR = [{"lon": IN_WEST["lon"] + n * 0.0003, "lat": IN_WEST["lat"]} for n in range(3)]
FAR = {"lon": LON + 0.001, "lat": LAT + 0.009}


def topics(town: Town) -> dict[TopicKind, list[Topic]]:
    with town.database.reading() as session:
        found: dict[TopicKind, list[Topic]] = {}
        for topic in session.exec(select(Topic)):
            found.setdefault(topic.kind, []).append(topic)
        return found


@pytest.mark.acceptance("B10")
def test_three_alike_within_a_hundred_metres_and_thirty_days_are_a_candidate(town: Town) -> None:
    codes = [town.later(days=5).worker.reports(GARBAGE, at=at).code for at in NEAR]
    town.worker.reports(COVER, at=NEAR[0])
    town.worker.reports(GARBAGE, at=FAR)
    assert finding.look(town.database, town.now) == 1
    (topic,) = topics(town)[TopicKind.REPEAT]
    assert (topic.state, topic.category_code) == (TopicState.CANDIDATE, GARBAGE)
    with town.database.reading() as session:
        assert [t.code for t in managing.tickets(session, topic, town.supervisor.actor)] == codes
    assert finding.look(town.database, town.now) == 0, "looking again finds nothing new"
    fourth = town.later(days=1).worker.reports(GARBAGE, at=NEAR[1]).code
    assert finding.look(town.database, town.now) == 0
    with town.database.reading() as session:
        assert managing.tickets(session, topic, town.supervisor.actor)[-1].code == fourth


@pytest.mark.acceptance("B10")
def test_a_repeated_call_is_put_to_the_first_and_not_dispatched_again(town: Town) -> None:
    first = calls(town)
    again = calls(town)
    town.dispatcher.acts(again, "merge", into=first)
    assert (town.ticket(again).state, town.ticket(first).merged_count) == ("merged", 1)


def test_what_came_last_year_in_these_weeks_stands_out(town: Town) -> None:
    this_year = town.now
    for days, number in ((-10, 1), (3, 4), (20, 1)):
        town.now = this_year - timedelta(days=365 - days)
        for _ in range(number):
            town.worker.reports(GARBAGE)
        town.worker.reports(COVER)
    town.now = this_year
    keeping.catch_up(town.database, town.world.settings.zone, town.now)
    its = Slice(Period.last_days(30, this_year.date()))
    with town.database.reading() as session:
        assert seasons.coming(session, its) == [(GARBAGE, STREET, 5, 1)], (
            "two covers are too few to stand out"
        )
        then, before = seasons.weeks(its)
        for period, number in ((then, 5), (before, 1)):
            received = counting.totals(
                session, its.during(period).at("category_code", GARBAGE), ("received",)
            )
            assert received["received"] == number


def test_two_are_no_class_and_neither_are_old_ones(town: Town) -> None:
    for at in NEAR[:2]:
        town.worker.reports(GARBAGE, at=at)
    town.later(days=40).worker.reports(GARBAGE, at=NEAR[2])
    assert finding.look(town.database, town.now) == 0


def test_what_one_person_keeps_reporting_is_a_matter_never_a_person(town: Town) -> None:
    for _ in range(3):
        calls(town.later(days=10))
    finding.look(town.database, town.now + timedelta(minutes=1))
    (topic,) = topics(town)[TopicKind.PERSISTENT]
    assert "不显示是谁" in topic.reason
    names = {column.name for table in (Topic, TopicTicket) for column in table.__table__.columns}  # type: ignore[attr-defined]
    assert not names & {"person_key", "phone", "name", "reporter_id"}


def test_a_burst_stands_out_from_its_own_weeks(town: Town) -> None:
    for week in range(8):
        town.worker.reports(GARBAGE, at=FAR if week % 2 else IN_WEST)
        town.later(days=7)
    for _ in range(10):
        town.later(hours=2).worker.reports(GARBAGE, at=FAR)
    finding.look(town.database, town.now)
    assert len(topics(town)[TopicKind.BURST]) == 1


def test_a_topic_needs_owner_plan_and_date_and_counts_before_and_after(town: Town) -> None:
    for at in NEAR:
        town.worker.reports(GARBAGE, at=at)
    town.later(hours=1)
    finding.look(town.database, town.now)
    with town.database.writing() as session:
        topic = session.exec(select(Topic)).one()
        town.world.refresh(session)
        due = town.now.date() + timedelta(days=30)
        with pytest.raises(NotAllowed):
            managing.adopt(
                session, topic, SANITATION, "增设桶点", due, town.department.actor, town.world, town.now
            )
        with pytest.raises(InputError, match="方案"):
            managing.adopt(session, topic, SANITATION, " ", due, town.supervisor.actor, town.world, town.now)
        managing.adopt(
            session, topic, SANITATION, "增设桶点", due, town.supervisor.actor, town.world, town.now
        )
    town.later(days=6).worker.reports(GARBAGE, at=NEAR[0])
    town.later(days=4)
    with town.database.writing() as session:
        topic = session.exec(select(Topic)).one()
        assert managing.effect(session, topic, town.now) == managing.Effect(10, 3, 1)
        managing.end(session, topic, TopicState.DONE, town.supervisor.actor, town.now)


def test_clusters_are_what_is_dense_in_space_and_time() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    dense = [Placed(n, 116.4 + n * 0.0001, 39.9, start + timedelta(days=n)) for n in range(5)]
    same_place_later = [Placed(9, 116.4, 39.9, start + timedelta(days=200))]
    elsewhere = [Placed(10 + n, 117.0 + n, 39.9, start) for n in range(3)]
    found = clusters(
        [*elsewhere, *dense, *same_place_later], distance_m=50, within=timedelta(days=3), least=3
    )
    assert [[point.thing for point in group] for group in found] == [[0, 1, 2, 3, 4]]


def test_sums_of_a_topic_are_those_of_its_tickets(town: Town) -> None:
    for at in NEAR:
        town.worker.reports(GARBAGE, at=at)
    town.worker.reports(COVER, at=FAR)
    keeping.catch_up(town.database, town.world.settings.zone, town.now)
    town.later(hours=1)
    finding.look(town.database, town.now)
    (topic,) = topics(town)[TopicKind.REPEAT]
    with town.database.reading() as session:
        its = Slice(Period.month(2026, 3), topic=topic.id)
        assert counting.totals(session, its, ("received",))["received"] == 3
        assert DRAINAGE not in counting.table(session, its, ("received",), "organisation")
