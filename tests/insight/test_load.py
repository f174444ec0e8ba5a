"""Load by place, who could share it, and how an overloaded grid or community could be split."""

import pytest
import shapely
from shapely.geometry import Point, box
from sqlmodel import select

from dispatch.insight.load import measuring, splitting
from dispatch.insight.load.measuring import Load
from dispatch.insight.load.models import LoadLimit
from geo.borders import Level
from grid.areas import generations
from grid.errors import InputError
from grid.models import Area, GenerationState
from tests.town import EAST, IN_EAST, LAT, LON, WEST, Town


@pytest.mark.acceptance("A13")
def test_a_grid_with_three_times_the_usual_load_is_listed_for_a_split() -> None:
    found = {f"g{n}": Load(f"g{n}", {"open": 4}, 20.0) for n in range(9)} | {
        "g9": Load("g9", {"open": 12}, 20.0)
    }
    assert [load.code for load in measuring.to_split(found)] == ["g9"]
    found["g9"] = Load("g9", {"open": 11}, 20.0)
    assert measuring.to_split(found) == []


@pytest.mark.acceptance("A13")
def test_the_proposed_line_halves_the_load_and_becomes_a_draft_of_clean_borders(town: Town) -> None:
    for n in range(12):
        town.worker.reports(at={"lon": LON + 0.001 + n * 0.0007, "lat": LAT + 0.003 + n % 3 * 0.001})
    with town.database.reading() as session:
        found = measuring.loads(session, town.world.refresh(session), measuring.GRID)
        assert found[WEST].hours > 3 * max(found[EAST].hours, 1)
        shape = shapely.from_wkb(session.exec(select(Area.wkb).where(Area.code == WEST)).one())
        proposal = splitting.of_grid(session, shape, WEST, town.now)
    assert proposal.loads == (6.0, 6.0)
    with town.database.writing() as session:
        made = splitting.draft(session, proposal, "拆分草案", town.supervisor.actor, town.now)
        assert made.state is GenerationState.DRAFT
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
    proposal = splitting.of_community("c", grids, loads)
    assert proposal.uneven <= 0.12
    for part in proposal.parts:
        assert shapely.union_all([grids[code] for code in part]).geom_type == "Polygon"
    assert {code for part in proposal.parts for code in part} == set(grids)
    assert splitting.of_community("c", grids, loads) == proposal, "the same proposal each time"


def test_what_cannot_be_split_is_said_to_be_so(town: Town) -> None:
    with town.database.reading() as session, pytest.raises(InputError, match="太少"):
        splitting.of_grid(session, box(0, 0, 1, 1), WEST, town.now)
    with pytest.raises(InputError, match="不相连"):
        splitting.of_community("c", {"a": box(0, 0, 1, 1), "b": Point(9, 9).buffer(1)}, {})


def test_limits_are_rows_and_the_emptiest_neighbour_is_proposed(town: Town) -> None:
    for _ in range(5):
        town.worker.reports()
    town.neighbour.reports(at=IN_EAST)
    with town.database.writing() as session:
        session.add(LoadLimit(kind="grid", code="*", hours=4.0))
        session.flush()
        standing = town.world.refresh(session)
        found = measuring.loads(session, standing, measuring.GRID)
        assert {code: (load.hours, load.over) for code, load in found.items()} == {
            WEST: (5.0, True),
            EAST: (1.0, False),
        }
        assert [load.code for load in measuring.could_share(found, standing, WEST)] == [EAST]
