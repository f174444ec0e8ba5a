"""Border sets through their life: draft, index, active, retired; what is stored is what points fall into."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from shapely.geometry import box
from sqlmodel import select

from geo.borders import AreaShape, OverlayShape
from grid.areas import beginning, generations
from grid.areas.generations import NewGeneration
from grid.areas.places import Places
from grid.database import Database
from grid.errors import Conflict, InputError
from grid.models import Area, Generation, StandingChange
from tests.grid.conftest import NOW

HOUR = timedelta(hours=1)
WEST, EAST = box(116.40, 39.90, 116.41, 39.91), box(116.41, 39.90, 116.42, 39.91)
AREAS = (
    AreaShape("990101001000", "春和街道", "street", "990101000000", None),
    AreaShape("990101001001", "西社区", "community", "990101001000", WEST),
    AreaShape("990101001002", "东社区", "community", "990101001000", EAST),
    AreaShape("990101000000", "示范区", "district", None, None),
)
PARK = OverlayShape("park", "湖畔公园", "park", 5, box(116.405, 39.90, 116.415, 39.905))


def in_force(
    database: Database, folder: Path, label: str = "2026-11", areas: tuple[AreaShape, ...] = AREAS
) -> Generation:
    new = NewGeneration(label, areas, (PARK,), source="test.geojson")
    return beginning.put_in_force(database, new, folder, None, NOW, NOW.date())


def codes_at(database: Database, folder: Path, *, lon: float, lat: float) -> list[str]:
    places = Places(folder)
    with database.reading() as session:
        places.use(generations.active_generation(session))
    placed = places.locate(lon=lon, lat=lat, accuracy_m=None, frame="wgs84")
    return [*placed.codes.values(), *placed.overlays]


def test_points_fall_into_what_was_stored(database: Database, tmp_path: Path) -> None:
    in_force(database, tmp_path)

    assert codes_at(database, tmp_path, lon=116.412, lat=39.902) == [
        "990101000000",
        "990101001000",
        "990101001002",
        "park",
    ]
    with database.reading() as session:
        size = {area.code: area.area_m2 for area in session.exec(select(Area))}
    assert size["990101001000"] == pytest.approx(size["990101001001"] + size["990101001002"], rel=1e-6)
    assert size["990101001001"] == pytest.approx(854 * 1110, rel=0.01)


def test_the_next_generation_retires_the_former_and_keeps_it(database: Database, tmp_path: Path) -> None:
    first = in_force(database, tmp_path)
    merged = (
        AREAS[3],
        AREAS[0],
        AreaShape("990101001003", "合并社区", "community", "990101001000", WEST.union(EAST)),
    )
    second = beginning.put_in_force(
        database, NewGeneration("2027-01", merged), tmp_path, None, NOW + timedelta(days=60), NOW.date()
    )

    assert codes_at(database, tmp_path, lon=116.412, lat=39.902)[-1] == "990101001003"
    with database.reading() as session:
        kept = session.get_one(Generation, first.id)
        assert (kept.state, kept.active_to) == ("retired", second.active_from)
        assert len(generations.areas_of(session, first.id or 0)) == 4
        actions = [c.action for c in session.exec(select(StandingChange).order_by(StandingChange.id))]
    assert actions == ["draft", "activate", "draft", "retire", "activate"]


def test_a_lost_index_is_made_again_from_the_rows(database: Database, tmp_path: Path) -> None:
    in_force(database, tmp_path)
    elsewhere = tmp_path / "other-machine"

    made = generations.ensure_index(database, elsewhere)

    assert made is not None
    assert codes_at(database, elsewhere, lon=116.402, lat=39.902)[-1] == "990101001001"
    assert generations.ensure_index(database, elsewhere) == made


def test_without_borders_there_is_no_index(database: Database, tmp_path: Path) -> None:
    assert generations.ensure_index(database, tmp_path) is None


@pytest.mark.parametrize(
    ("areas", "complaint"),
    [
        ((*AREAS, AREAS[1]), "990101001001"),
        (AREAS[:3], "990101000000"),
        ((AREAS[3],), "没有边界"),
        ((AREAS[3], AreaShape("x", "错", "district", "990101000000", WEST)), "层级"),
        ((), "没有任何区域"),
    ],
    ids=["doubled code", "unknown parent", "no border", "wrong order", "nothing"],
)
def test_a_set_that_does_not_hold_together_is_refused_whole(
    database: Database, tmp_path: Path, areas: tuple[AreaShape, ...], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        in_force(database, tmp_path, areas=areas)

    with database.reading() as session:
        assert session.exec(select(Generation)).all() == []
        assert session.exec(select(Area)).all() == []


def test_only_a_draft_with_an_index_can_be_activated(database: Database, tmp_path: Path) -> None:
    active = in_force(database, tmp_path)
    draft = database.write(
        lambda session: generations.create_draft(session, NewGeneration("next", AREAS), None, NOW)
    )

    for generation in (active, draft):
        with pytest.raises(Conflict), database.writing() as session:
            beginning.activate(session, generation.id or 0, None, NOW, NOW.date())


def test_a_draft_whose_code_was_retired_meanwhile_cannot_begin(database: Database, tmp_path: Path) -> None:
    first = in_force(database, tmp_path)
    merged = AreaShape("990101001003", "合并社区", "community", "990101001000", WEST.union(EAST))
    waiting = database.write(
        lambda s: generations.create_draft(s, NewGeneration("waiting", AREAS), None, NOW)
    )
    generations.write_index(database, waiting.id or 0, tmp_path)
    beginning.put_in_force(
        database, NewGeneration("merged", (AREAS[3], AREAS[0], merged)), tmp_path, None, NOW, NOW.date()
    )

    for begin in (
        lambda s, key, who, now: beginning.activate(s, key, who, now, now.date()),
        lambda s, key, who, now: beginning.schedule(s, key, now + HOUR, who, now),
    ):
        with pytest.raises(Conflict, match="990101001001、990101001002 已随别的边界版本作废"):
            database.write(lambda s, begin=begin: begin(s, waiting.id or 0, None, NOW))
    undone = database.write(lambda s: beginning.activate(s, first.id or 0, None, NOW + HOUR, NOW.date()))
    assert undone.state == "active", "the undo brings them back"


def test_of_two_that_begin_at_once_one_is_in_force(database: Database, tmp_path: Path) -> None:
    in_force(database, tmp_path)
    drafts = []
    for label in ("a", "b"):
        made = database.write(
            lambda s, label=label: generations.create_draft(s, NewGeneration(label, AREAS), None, NOW)
        )
        generations.write_index(database, made.id or 0, tmp_path)
        drafts.append(made.id or 0)
    together = threading.Barrier(2)

    def begin(key: int) -> None:
        together.wait(10)
        database.write(lambda s: beginning.activate(s, key, None, NOW + HOUR, NOW.date()))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(begin, drafts))
    with database.reading() as session:
        states = sorted(session.exec(select(Generation.state)).all())
    assert states == ["active", "retired", "retired"]
