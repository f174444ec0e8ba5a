"""A rehearsal counts what routing each ticket by itself would count, and is the job that it says it is."""

import csv
import io
from collections import Counter
from datetime import date

import pytest
from shapely.geometry import box
from sqlmodel import col, select

from dispatch.insight.rehearsing import running
from dispatch.insight.tables import Rehearsal, RehearsalState
from dispatch.record.judging.books import stored_book
from dispatch.record.judging.nearby import nearby
from dispatch.record.judging.routes import decide
from dispatch.record.models import Ticket
from grid import rulesets
from grid.areas import generations, redrawing
from grid.areas.generations import NewGeneration
from grid.errors import Conflict, InputError, NotFound
from grid.models import Generation, GenerationState, Responsibility
from tests.town import (
    COVER,
    DRAINAGE,
    EAST,
    GARBAGE,
    IN_EAST,
    IN_WEST,
    LAT,
    LON,
    PARKING,
    RESPONSIBILITIES,
    SANITATION,
    Town,
)

PERIOD = (date(2026, 3, 1), date(2026, 3, 31))


def draft(town: Town, *more: Responsibility) -> int:
    rows = [Responsibility(id=i, category_code=c, main=m, ruleset_version=0) for i, c, m in RESPONSIBILITIES]
    return town.database.write(
        lambda s: rulesets.publish(
            s, [*rows, *more], author="t", note="演练", actor=None, now=town.now, draft=True
        )
    )


def rehearsed(town: Town, version: int, generation_id: int | None = None) -> Rehearsal:
    asked = town.database.write(
        lambda s: running.ask(s, version, *PERIOD, town.administrator.actor, town.now, generation_id)
    )
    assert running.run_waiting(town.database, town.world, lambda: town.now) == 1
    with town.database.reading() as session:
        return session.get_one(Rehearsal, asked.id)


def some_tickets(town: Town) -> None:
    for category in (GARBAGE, GARBAGE, COVER, PARKING):
        town.worker.reports(category, at=IN_WEST)
        town.neighbour.reports(category, at=IN_EAST)
        town.later(hours=7)


def test_totals_are_those_of_routing_one_by_one(town: Town) -> None:
    some_tickets(town)
    night = Responsibility(ruleset_version=0, id="n", category_code=COVER, main=SANITATION, time_band="night")
    east = Responsibility(ruleset_version=0, id="e", category_code="2001", area_code=EAST, main=DRAINAGE)
    version = draft(town, night, east)
    with town.database.reading() as session:
        standing, book = town.world.refresh(session), stored_book(session, version)
        expected: Counter[tuple[str | None, str | None]] = Counter()
        for ticket in session.exec(select(Ticket)).all():
            near = nearby(session, standing, ticket, ticket.reported_at)
            one = decide(standing, ticket, ticket.reported_at, near)
            other = decide(standing, ticket, ticket.reported_at, near, book=book)
            if one.main != other.main:
                expected[(one.main, other.main)] += 1
    assert expected

    result = rehearsed(town, version).result or {}

    assert (result["total"], result["moved"]) == (8, expected.total())
    assert {(row["from"], row["to"]): row["number"] for row in result["matrix"]} == expected
    load = {row["unit"]: (row["before"], row["after"]) for row in result["load"]}
    assert sum(before for before, _ in load.values()) == sum(after for _, after in load.values()) == 8
    assert {sample["after"]["rule"] for sample in result["samples"]} == {"n", "e"}


def test_the_moved_tickets_come_as_a_table(town: Town) -> None:
    some_tickets(town)
    row = Responsibility(ruleset_version=0, id="e", category_code="2001", area_code=EAST, main=DRAINAGE)
    done = rehearsed(town, draft(town, row))
    lines = list(csv.reader(io.StringIO(running.unpacked(done).removeprefix("\ufeff"))))
    assert lines[0] == list(running.COLUMNS)
    assert [(line[1], line[5], line[6], line[7], line[8]) for line in lines[1:]] == [
        ("暴露垃圾", "区环卫局", "r-city", "排水公司", "e")
    ] * 2


def test_a_draft_of_borders_is_rehearsed_before_it_begins(town: Town) -> None:
    some_tickets(town)
    with town.database.writing() as session:
        session.add(
            Responsibility(ruleset_version=1, id="e", category_code="2001", area_code=EAST, main=DRAINAGE)
        )
    with town.database.reading() as session:
        town.world._standing = None
        town.world.refresh(session)
        areas = generations.areas_of(session, 1)
    shapes = redrawing.give(areas, EAST, box(LON + 0.004, LAT - 0.001, LON + 0.011, LAT + 0.011))
    made = town.database.write(
        lambda s: generations.create_draft(s, NewGeneration("moved", shapes), None, town.now)
    )
    generations.write_index(town.database, made.id or 0, town.world.settings.instance_path)

    result = rehearsed(town, 1, made.id).result or {}

    assert [(row["from"], row["to"], row["number"]) for row in result["matrix"]] == [
        (SANITATION, DRAINAGE, 2)
    ]
    assert len(result["points"]) == 2
    with town.database.reading() as session:
        assert session.get_one(Generation, made.id).state is GenerationState.REHEARSED


def test_a_job_whose_worker_died_is_taken_over_and_a_live_one_is_not(town: Town) -> None:
    version = draft(town)
    town.database.write(lambda s: running.ask(s, version, *PERIOD, None, town.now))
    assert town.database.write(lambda s: running._claim(s, town.now)) is not None
    assert running.run_waiting(town.database, town.world, lambda: town.now) == 0
    town.later(minutes=11)
    assert running.run_waiting(town.database, town.world, lambda: town.now) == 1
    with town.database.reading() as session:
        (row,) = session.exec(select(Rehearsal)).all()
    assert (row.state, row.done, row.total) == (RehearsalState.DONE, 0, 0)


def test_what_cannot_be_rehearsed_is_refused(town: Town) -> None:
    with pytest.raises(InputError, match="结束日期早于开始日期"), town.database.writing() as session:
        running.ask(session, 1, PERIOD[1], PERIOD[0], None, town.now)
    with pytest.raises(NotFound, match="没有第 9 版"), town.database.writing() as session:
        running.ask(session, 9, *PERIOD, None, town.now)


def test_a_draft_begins_at_an_instant_and_is_undone_by_beginning_the_former_again(town: Town) -> None:
    version = draft(
        town, Responsibility(ruleset_version=0, id="e", category_code=COVER, area_code=EAST, main=SANITATION)
    )
    town.world.clock = lambda: town.now

    def owner() -> str | None:
        with town.database.reading() as session:
            town.world.refresh(session, at_once=True)
        ticket = town.ticket(town.neighbour.reports(COVER, at=IN_EAST).code)
        assert ticket.ruleset_version == town.world.standing.ruleset_version
        return ticket.main_code

    assert owner() == DRAINAGE
    begins = town.now.replace(hour=16)
    town.database.write(
        lambda s: rulesets.activate(s, version, town.administrator.actor, town.now, begins_at=begins)
    )
    assert owner() == DRAINAGE
    town.now = begins
    assert owner() == SANITATION
    with pytest.raises(Conflict, match="正在生效"), town.database.writing() as session:
        rulesets.activate(session, version, None, town.now)
    town.later(minutes=1)
    town.database.write(lambda s: rulesets.activate(s, 1, town.administrator.actor, town.now))
    assert owner() == DRAINAGE
    with town.database.reading() as session:
        kept = session.exec(
            select(Responsibility).where(col(Responsibility.ruleset_version) == version)
        ).all()
    assert len(kept) == len(RESPONSIBILITIES) + 1
