"""Load by place, who could share it, and how an overloaded grid or community could be split."""

import pytest
import shapely
from shapely.geometry import Point, box
from sqlmodel import select
from uuid6 import uuid7

from dispatch.insight.load import measuring, proposing, splitting
from dispatch.insight.load.measuring import Load
from dispatch.insight.load.splitting import Surfaces
from dispatch.record.oversight.models import LoadLimit
from geo.borders import AreaShape, Level
from grid.areas import beginning, generations
from grid.areas.generations import NewGeneration
from grid.auditing import record_change
from grid.errors import InputError
from grid.models import Area, GenerationState, Organisation
from grid.registers.tables import EnforcementBinding
from tests.town import COMMUNITY, DISTRICT, EAST, IN_EAST, LAT, LON, PARKING, POLICE, WEST, Town


@pytest.mark.acceptance("A13")
def test_a_grid_with_three_times_the_usual_load_is_listed_for_a_split() -> None:
    found = {f"g{n}": Load(f"g{n}", {"open": 4}, 20.0) for n in range(9)} | {
        "g9": Load("g9", {"open": 12}, 20.0)
    }
    assert [load.code for load in measuring.to_split(found)] == ["g9"]
    found["g9"] = Load("g9", {"open": 11}, 20.0)
    assert measuring.to_split(found) == []


def test_what_is_over_its_threshold_can_be_split_however_many_places_are_idle() -> None:
    found = {f"g{n}": Load(f"g{n}", {}, 20.0) for n in range(30)}
    found |= {"a": Load("a", {"open": 21}, 20.0), "b": Load("b", {"open": 21}, 20.0)}
    found["c"] = Load("c", {"open": 2}, 20.0)
    assert [load.code for load in measuring.to_split(found)] == ["a", "b"]


@pytest.mark.acceptance("A13")
def test_the_proposed_line_halves_the_load_and_becomes_a_draft_of_clean_borders(town: Town) -> None:
    for n in range(12):
        town.worker.reports(at={"lon": LON + 0.001 + n * 0.0007, "lat": LAT + 0.003 + n % 3 * 0.001})
    with town.database.reading() as session:
        found = measuring.loads(session, town.world.refresh(session), measuring.GRID, town.now.date())
        assert found[WEST].hours > 3 * max(found[EAST].hours, 1)
        shape = shapely.from_wkb(session.exec(select(Area.wkb).where(Area.code == WEST)).one())
        proposal = proposing.propose(session, town.world.standing, WEST, town.now.date())
    assert proposal.before.hours == 12.0
    assert [part.load.hours for part in proposal.parts] == [6.0, 6.0]
    assert [part.name for part in proposal.parts] == ["井巷第一网格之一", "井巷第一网格之二"]
    zone, actor = town.world.settings.zone, town.supervisor.actor
    with town.database.writing() as session:
        made = proposing.draft(session, proposal, actor, town.now, zone)
        assert proposing.draft(session, proposal, actor, town.now, zone).id == made.id, "one draft, not two"
        assert made.state is GenerationState.DRAFT
        assert made.label == "拆分井巷第一网格 2026-03-02 10:00:00", "the city's time"
        areas = generations.areas_of(session, made.id or 0)
        active = generations.active_generation(session)
        assert active is not None
        assert active.label == "town", "nothing is in force that nobody put in force"
    grids = {area.code: area.geometry for area in areas if area.level == Level.GRID}
    assert WEST not in grids
    assert len(grids) == 3
    assert shapely.coverage_is_valid(list(grids.values()))
    new = [shape for code, shape in grids.items() if code != EAST]
    assert shapely.union_all(new).symmetric_difference(shape).area < 1e-12


def test_a_community_is_split_into_contiguous_parts_of_even_load() -> None:
    grids = {f"g{x}{y}": box(x, y, x + 1, y + 1) for x in range(4) for y in range(3)}
    loads = dict.fromkeys(grids, 1.0) | {"g00": 7.0}
    proposal = splitting.of_groups("c", grids, loads)
    assert proposal.uneven <= 0.12
    for part in proposal.parts:
        assert shapely.union_all([grids[code] for code in part]).geom_type == "Polygon"
    assert {code for part in proposal.parts for code in part} == set(grids)
    assert splitting.of_groups("c", grids, loads) == proposal, "the same proposal each time"


def test_a_cut_goes_along_the_road_and_leaves_a_compound_whole(town: Town) -> None:
    for n in range(12):
        town.worker.reports(at={"lon": LON + 0.001 + n * 0.0007, "lat": LAT + 0.003 + n % 3 * 0.001})
    with town.database.reading() as session:
        shape = shapely.from_wkb(session.exec(select(Area.wkb).where(Area.code == WEST)).one())
        work = [
            (one.lon, one.lat, one.hours) for one in proposing.waiting(session, "grid", WEST, town.now.date())
        ]
        free = splitting.of_grid(shape, WEST, work)
        compound = shape.centroid.buffer(0.0025)
        spared = splitting.of_grid(
            shape,
            WEST,
            work,
            Surfaces(compounds=(free.line.interpolate(0.5, normalized=True).buffer(0.0001),)),
        )
        road = box(LON + 0.0048, LAT - 0.01, LON + 0.0052, LAT + 0.02)
        along = splitting.of_grid(shape, WEST, work, Surfaces((road,), (compound,)))
        beside = splitting.of_grid(shape, WEST, work, Surfaces((road,)))
    assert spared.line is not None
    assert spared.line != free.line
    assert beside.line is not None
    assert road.buffer(1e-9).contains(beside.line.intersection(shape))
    assert along.uneven <= splitting.MOST_UNEVEN


def test_hours_not_pieces_are_halved_and_a_community_is_split_by_the_same_hours(town: Town) -> None:
    places = [(0.001, 3), (0.003, 1), (0.005, 1), (0.0065, 1), (0.009, 6)]
    work = [(LON + east, LAT + 0.005, float(hours)) for east, hours in places]
    cut = splitting.of_grid(box(LON, LAT, LON + 0.01, LAT + 0.01), WEST, work)
    assert sorted(cut.loads) == [6.0, 6.0]
    for n in range(4):
        town.worker.reports(at={"lon": LON + 0.002 * n, "lat": LAT + 0.005})
    town.neighbour.reports(at=IN_EAST)
    with town.database.writing() as session:
        standing = town.world.refresh(session)
        proposal = proposing.propose(session, standing, COMMUNITY, town.now.date())
        assert (proposal.before.hours, [part.load.hours for part in proposal.parts]) == (5.0, [4.0, 1.0])
        assert [part.grids for part in proposal.parts] == [(WEST,), (EAST,)]
        zone = town.world.settings.zone
        made = proposing.draft(session, proposal, town.supervisor.actor, town.now, zone)
        again = proposing.propose(session, standing, COMMUNITY, town.now.date())
        assert again.draft is not None
        assert (again.draft.id, again.cut) == (made.id, None)
        assert [(p.name, p.load.hours, p.grids) for p in again.parts] == [
            (p.name, p.load.hours, p.grids) for p in proposal.parts
        ]


def test_a_grid_with_unit_grids_is_split_along_them(town: Town) -> None:
    step = 0.0025
    units = [
        AreaShape(
            f"{WEST}{n:02d}",
            f"单元 {n}",
            Level.UNIT,
            WEST,
            box(LON + n * step, LAT, LON + (n + 1) * step, LAT + 0.01),
        )
        for n in range(4)
    ]
    with town.database.reading() as session:
        areas = [
            AreaShape(a.code, a.name, a.level, a.parent, None if a.code == WEST else a.geometry)
            for a in generations.areas_of(session, 1)
        ]
    new, folder = NewGeneration("with units", [*areas, *units]), town.world.settings.instance_path
    beginning.put_in_force(town.database, new, folder, None, town.now, town.now.date())
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
    for east in (0.001, 0.003, 0.004, 0.009):
        town.worker.reports(at={"lon": LON + east, "lat": LAT + 0.005})
    town.later(minutes=1)
    with town.database.writing() as session:
        standing = town.world.refresh(session)
        proposal = proposing.propose(session, standing, WEST, town.now.date())
        assert [part.grids for part in proposal.parts] in (
            [(f"{WEST}00",), (f"{WEST}01", f"{WEST}02", f"{WEST}03")],
            [(f"{WEST}00", f"{WEST}01"), (f"{WEST}02", f"{WEST}03")],
        )
        assert sum(part.load.hours for part in proposal.parts) == 4.0
        zone = town.world.settings.zone
        made = proposing.draft(session, proposal, town.supervisor.actor, town.now, zone)
        parents = {a.code: a.parent for a in generations.areas_of(session, made.id or 0)}
    assert WEST not in parents
    assert {parents[unit.code] for unit in units} == {f"{COMMUNITY}003", f"{COMMUNITY}004"}


def test_what_cannot_be_split_is_said_to_be_so(town: Town) -> None:
    with town.database.reading() as session:
        standing = town.world.refresh(session)
        with pytest.raises(InputError, match="太少"):
            proposing.propose(session, standing, WEST, town.now.date())
        with pytest.raises(InputError, match="没有这个网格或社区"):
            proposing.propose(session, standing, DISTRICT, town.now.date())
    with pytest.raises(InputError, match="不相连"):
        splitting.of_groups("c", {"a": box(0, 0, 1, 1), "b": Point(9, 9).buffer(1)}, {})


def test_limits_are_rows_and_the_emptiest_neighbour_is_proposed(town: Town) -> None:
    for _ in range(5):
        town.worker.reports()
    town.neighbour.reports(at=IN_EAST)
    with town.database.writing() as session:
        session.add(LoadLimit(kind="grid", code="*", hours=4.0))
        session.flush()
        standing = town.world.refresh(session)
        found = measuring.loads(session, standing, measuring.GRID, town.now.date())
        assert {code: (load.hours, load.over) for code, load in found.items()} == {
            WEST: (5.0, True),
            EAST: (1.0, False),
        }
        assert [load.code for load in measuring.could_share(found, standing, WEST)] == [EAST]


def test_of_two_teams_that_could_go_the_one_with_too_much_comes_last(town: Town) -> None:
    with town.database.writing() as session:
        for code, name in (("team-a", "一中队"), ("team-b", "二中队")):
            session.add(
                Organisation(code=code, name=name, kind="team", parent_code=POLICE, area_code=DISTRICT)
            )
            session.flush()
            session.add(EnforcementBinding(id=uuid7(), area_code=WEST, organisation_code=code))
        session.add(LoadLimit(kind="organisation", code="team-a", hours=1.5))
        record_change(session, None, "organisation", "team-a", "create", now=town.now)
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
    for n in range(2):
        town.later(minutes=5)
        first = town.ticket(
            town.worker.reports(PARKING, at={"lon": LON + 0.001, "lat": LAT + 0.001 * n}).code
        )
        assert first.main_code == "team-a"
    third = town.ticket(town.worker.reports(PARKING, at={"lon": LON + 0.008, "lat": LAT + 0.008}).code)
    assert third.main_code == "team-b"
    assert any("“一中队”负荷 2 小时,超过阈值" in note for note in (third.routed or {})["notes"])
    with town.database.writing() as session:
        session.add(LoadLimit(kind="organisation", code="team-b", hours=0.5))
    fourth = town.ticket(town.worker.reports(PARKING, at={"lon": LON + 0.006, "lat": LAT + 0.006}).code)
    assert fourth.main_code == "team-a", "where all have too much there is nothing to choose"
