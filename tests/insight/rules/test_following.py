"""What people hold follows the ground when borders change: split, merged, recoded, undone; and an old code still speaks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from shapely.geometry import LineString, box
from sqlmodel import col, select
from uuid6 import uuid7

from dispatch.engine import standing_work
from dispatch.engine.outbox import Tools
from dispatch.insight.load import measuring
from dispatch.insight.metrics import slices
from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.record.oversight.models import InspectionVisit, PlanKind
from dispatch.record.renewing import replacing
from geo.borders import AreaShape, Level
from grid import accounts
from grid.areas import beginning, following, generations, redrawing, succeeding
from grid.areas.generations import NewGeneration
from grid.errors import Conflict
from grid.models import Account, Generation, Organisation, Post, StandingChange
from grid.permissions import Actor
from grid.registers.tables import EnforcementBinding
from tests.record.test_life import handled, on_behalf
from tests.record.test_oversight import publishes, registers
from tests.town import (
    COMMUNITY,
    COMMUNITY_OFFICE,
    EAST,
    LAT,
    LON,
    PATROL,
    POLICE,
    STREET,
    WEST,
    Town,
)

CUT = LineString([(LON + 0.005, LAT - 0.001), (LON + 0.005, LAT + 0.011)])
ONE, TWO = f"{COMMUNITY}003", f"{COMMUNITY}004"
IN_TWO = {"lon": LON + 0.007, "lat": LAT + 0.005}


def in_force(town: Town) -> list[AreaShape]:
    with town.database.reading() as session:
        active = generations.active_generation(session)
        assert active is not None
        return generations.areas_of(session, active.id or 0)


def begins(town: Town, label: str, shapes: Sequence[AreaShape]) -> Generation:
    folder, today = town.world.settings.instance_path, town.now.date()
    made = beginning.put_in_force(town.database, NewGeneration(label, shapes), folder, None, town.now, today)
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
    return made


def split(town: Town) -> Generation:
    names = [(ONE, "第三网格"), (TWO, "第四网格")]
    return begins(town, "split", redrawing.split(in_force(town), WEST, CUT, names))


def held(town: Town, login: str, on: date | None = None) -> list[str]:
    """The areas in which somebody holds posts on a day."""
    with town.database.reading() as session:
        account = session.exec(select(Account).where(Account.login == login)).one()
        actor = accounts.actor_of(session, account, on or town.now.date())
    return sorted(tenure.area_code or "" for tenure in actor.tenures)


def today_of(town: Town, login: str) -> Actor:
    with town.database.reading() as session:
        account = session.exec(select(Account).where(Account.login == login)).one()
        return accounts.actor_of(session, account, town.now.date())


def test_who_worked_in_a_split_grid_works_in_its_parts_and_can_verify_there(town: Town) -> None:
    code = on_behalf(town)
    town.later(minutes=10).department.acts(code, "open")
    handled(town, code)
    town.later(days=3)
    yesterday = town.now.date() - timedelta(days=1)
    made = split(town)
    assert replacing.replace_open(town.database, town.world, town.now) == 1
    assert (held(town, "worker", yesterday), held(town, "worker")) == ([WEST], [ONE, TWO])
    assert held(town, "neighbour") == [EAST]
    with town.database.reading() as session:
        rows = session.exec(select(Post).where(col(Post.area_code).in_([WEST, ONE, TWO]))).all()
        assert sorted((row.area_code, row.from_on, row.to_on) for row in rows if row.to_on is None) == [
            (ONE, town.now.date(), None),
            (TWO, town.now.date(), None),
        ]
        assert [row.to_on for row in rows if row.area_code == WEST] == [yesterday], "the old post is kept"
        assert [(one.who, one.former, one.codes, one.ends) for one in following.done(session, made)] == [
            ("王小网", WEST, (ONE, TWO), True)
        ]
        assert following.without_worker(session, made.id or 0, town.now.date()) == []
        audit = session.exec(select(StandingChange).where(StandingChange.action == following.FOLLOW)).all()
        assert [(row.thing, row.key, row.at) for row in audit] == [("post", "worker", made.active_from)]
        waiting = queries.page(
            session, today_of(town, "worker"), queries.visible(today_of(town, "worker"), "ticket:verify")
        )
    assert code in [ticket.code for ticket in waiting]
    town.people["worker"].actor = today_of(town, "worker")
    town.worker.acts(code, "verify_pass", photos=(town.photo("c" * 64),))
    assert town.ticket(code).state == "verified"


def test_borders_that_begin_by_themselves_take_the_posts_along_on_the_city_s_day(town: Town) -> None:
    shapes = redrawing.split(in_force(town), WEST, CUT, [(ONE, "第三网格"), (TWO, "第四网格")])
    with town.database.writing() as session:
        draft = generations.create_draft(session, NewGeneration("2026-07", shapes), None, town.now)
    key = draft.id or 0
    generations.write_index(town.database, key, town.world.settings.instance_path)
    midnight = datetime(2026, 6, 30, 16, tzinfo=UTC)  # the first of July in Shanghai
    town.database.write(lambda s: beginning.schedule(s, key, midnight, None, town.now))
    tools = Tools(town.database, town.world, {}, lambda session: town.now)
    town.now = midnight
    standing_work.look(tools)
    assert held(town, "worker", date(2026, 6, 30)) == [WEST]
    assert held(town, "worker", date(2026, 7, 1)) == [ONE, TWO]


def test_the_undo_gives_back_one_post_and_a_merge_brings_two_together(town: Town) -> None:
    split(town)
    town.later(days=1)
    town.database.write(lambda s: beginning.activate(s, 1, None, town.now, town.now.date()))
    assert held(town, "worker") == [WEST]
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
        standing = town.world.standing
        assert standing.now_there(ONE) == standing.now_there(WEST) == (WEST,)
    town.later(days=1)
    three = f"{COMMUNITY}005"
    begins(town, "merged", redrawing.merge(in_force(town), [WEST, EAST], three, "合并网格"))
    assert (held(town, "worker"), held(town, "neighbour")) == ([three], [three])
    with town.database.reading() as session:
        standing = town.world.refresh(session, at_once=True)
        # From one set of borders to the next: the parts of the split end in the merged grid as well.
        assert {standing.now_there(code) for code in (ONE, TWO, WEST, EAST)} == {(three,)}
        assert standing.area_name(ONE) == "第三网格(已撤销)"
        assert standing.area_name(three) == "合并网格"
        assert standing.area_name("nobody") is None


def test_a_deputy_a_team_and_a_unit_follow_and_what_somebody_must_say_is_listed(town: Town) -> None:
    today = town.now.date()
    with town.database.writing() as session:
        deputy = session.exec(select(Account).where(Account.login == "neighbour")).one()
        until = today + timedelta(days=5)
        session.add(
            Post(
                id=uuid7(),
                account_id=deputy.id,
                role="grid_worker",
                organisation_code=PATROL,
                area_code=WEST,
                from_on=today + timedelta(days=2),
                to_on=until,
            )
        )
        session.add(EnforcementBinding(id=uuid7(), area_code=WEST, organisation_code=POLICE))
    areas = in_force(town)
    new = f"{STREET}002", f"{STREET}003"
    made = [AreaShape(code, f"社区 {code}", Level.COMMUNITY, STREET, None) for code in new]
    of = {WEST: new[0], EAST: new[1]}
    kept = [
        AreaShape(
            {WEST: f"{new[0]}001"}.get(a.code, a.code), a.name, a.level, of.get(a.code, a.parent), a.geometry
        )
        for a in areas
        if a.code != COMMUNITY
    ]
    done = begins(town, "two communities, one grid recoded", [*made, *kept])
    recoded = f"{new[0]}001"
    assert held(town, "worker") == [recoded]
    assert held(town, "neighbour") == [EAST], "who stands in from the day after tomorrow does not do so today"
    assert held(town, "neighbour", today + timedelta(days=3)) == sorted([recoded, EAST])
    assert held(town, "neighbour", until + timedelta(days=1)) == [EAST]
    assert held(town, "community") == list(new)
    clerk = today_of(town, "community")
    assert slices.scope_of(clerk, town.world.standing) == {"community_code": {*new, COMMUNITY}}
    half = replace(clerk, tenures=clerk.tenures[:1])
    assert slices.scope_of(half, town.world.standing) == {"community_code": {clerk.tenures[0].area_code}}
    with town.database.reading() as session:
        bound = session.exec(select(EnforcementBinding).order_by(col(EnforcementBinding.to_on))).all()
        assert {(one.area_code, one.to_on) for one in bound} == {
            (WEST, today - timedelta(days=1)),
            (recoded, None),
        }
        assert session.get_one(Organisation, COMMUNITY_OFFICE).area_code == COMMUNITY
        listed = {(one.thing, one.who): one.codes for one in following.done(session, done)}
    assert listed[following.UNIT, "井巷社区"] == (), "one unit and two areas: somebody must say"
    assert listed[following.BINDING, "区综合执法局"] == (recoded,)
    town.later(days=1)
    joined = [AreaShape(f"{STREET}004", "合并社区", Level.COMMUNITY, STREET, None)]
    rest = [
        AreaShape(a.code, a.name, a.level, f"{STREET}004" if a.level == Level.GRID else a.parent, a.geometry)
        for a in in_force(town)
        if a.level != Level.COMMUNITY
    ]
    begins(town, "one community again", [*joined, *rest])
    assert held(town, "community") == [f"{STREET}004"]


def test_a_grid_cut_out_of_one_that_keeps_its_code_has_the_same_worker(town: Town) -> None:
    areas = in_force(town)
    inner = box(LON + 0.006, LAT, LON + 0.01, LAT + 0.01)
    cut = [
        AreaShape(
            a.code, a.name, a.level, a.parent, a.geometry.difference(inner) if a.code == WEST else a.geometry
        )
        if a.level == Level.GRID
        else AreaShape(a.code, a.name, a.level, a.parent, None)
        for a in areas
    ]
    new = [*cut, AreaShape(ONE, "新网格", Level.GRID, COMMUNITY, inner)]
    with town.database.writing() as session:
        draft = generations.create_draft(session, NewGeneration("cut out", new), None, town.now)
        succession = succeeding.compare(session, 1, draft.id or 0)
        assert (succession.gone, succession.to) == (frozenset(), {WEST: (ONE,)})
        (plan,) = following.planned(session, succession, town.now.date())
        assert (plan.who, plan.codes, plan.ends) == ("王小网", (ONE,), False)
        alone = following.without_worker(session, draft.id or 0, town.now.date())
        assert alone == [(ONE, "新网格")]
        assert following.without_worker(session, draft.id or 0, town.now.date(), succession) == []
    begins(town, "cut out, in force", new)
    assert held(town, "worker") == [WEST, ONE]


def test_a_draft_never_in_force_is_given_up_and_one_that_was_is_not(town: Town) -> None:
    names = [(ONE, "第三网格"), (TWO, "第四网格")]
    shapes = redrawing.split(in_force(town), WEST, CUT, names)
    with town.database.writing() as session:
        draft = generations.create_draft(session, NewGeneration("a thought", shapes), None, town.now)
    key = draft.id or 0
    town.database.write(lambda s: beginning.discard(s, key, town.administrator.actor, town.now))
    with town.database.reading() as session:
        assert session.get_one(Generation, key).state == "discarded"
        assert generations.areas_of(session, key) == []
        assert redrawing.next_codes(session, COMMUNITY, 1) == [ONE]
        last = session.exec(select(StandingChange).order_by(col(StandingChange.id).desc())).first()
        assert last is not None
        assert (last.thing, last.key, last.action) == ("generation", "a thought", "discard")
    for again in (key, 1):
        with pytest.raises(Conflict, match="不能再废弃"):
            town.database.write(lambda s, again=again: beginning.discard(s, again, None, town.now))


def test_inspections_and_a_neighbour_drawn_to_verify_follow_as_well(town: Town) -> None:
    town.now += timedelta(days=2)  # a Wednesday
    registers(town, "2026-1", PlanKind.INSPECTION)
    publishes(town, "2026-1", 2)
    with town.database.reading() as session:
        standing = town.world.refresh(session)
        of_grids = measuring.loads(session, standing, measuring.GRID, town.now.date())
        of_communities = measuring.loads(session, standing, measuring.COMMUNITY, town.now.date())
        of_units = measuring.loads(session, standing, measuring.ORGANISATION, town.now.date())
        later = measuring.loads(session, standing, measuring.GRID, town.now.date() + timedelta(days=7))
    assert (of_grids[WEST].pieces, of_grids[WEST].hours) == ({"inspections": 2}, 0.5)
    assert of_communities[COMMUNITY].pieces == {"inspections": 2}
    assert of_units[PATROL].pieces == {"inspections": 2}
    assert later[WEST].pieces == {}
    code = town.neighbour.reports(at={"lon": LON + 0.015, "lat": LAT + 0.005}).code
    with town.database.writing() as session:
        ticket = session.exec(select(Ticket).where(Ticket.code == code)).one()
        ticket.verify_grid = WEST
        session.add(ticket)
    split(town)
    assert replacing.replace_open(town.database, town.world, town.now) == 1
    assert town.ticket(code).verify_grid == ONE
    with town.database.reading() as session:
        assert session.exec(select(InspectionVisit.grid_code).distinct()).all() == [ONE]
