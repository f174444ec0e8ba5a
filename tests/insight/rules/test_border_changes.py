"""Borders in time on the record: split, merge and redraw; past figures stay, open tickets follow the ground."""

from datetime import UTC, date, datetime, timedelta

import pytest
import shapely
from shapely.geometry import LineString, box
from sqlmodel import select

from dispatch import duties
from dispatch.insight.metrics import counting
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.rollups import keeping
from dispatch.record.models import TicketEvent
from dispatch.record.renewing import replacing
from geo.borders import AreaShape, OverlayShape
from geo.zones import square_metres
from grid import rulesets
from grid.areas import beginning, generations, redrawing
from grid.areas.generations import NewGeneration
from grid.errors import InputError
from grid.importing.sheets import parse_sheet
from grid.models import Responsibility
from tests.town import COMMUNITY, DRAINAGE, EAST, IN_EAST, LAT, LON, POLICE, SANITATION, WEST, Town

CUT = LineString([(LON + 0.005, LAT - 0.001), (LON + 0.005, LAT + 0.011)])
WEST_1, WEST_2 = {"lon": LON + 0.003, "lat": LAT + 0.005}, {"lon": LON + 0.007, "lat": LAT + 0.005}


def today(town: Town) -> date:
    return town.now.astimezone(town.world.settings.zone).date()


def areas(town: Town) -> list[AreaShape]:
    with town.database.reading() as session:
        active = generations.active_generation(session)
        assert active is not None
        return generations.areas_of(session, active.id or 0)


def put_in_force(town: Town, label: str, shapes: list[AreaShape]) -> None:
    folder = town.world.settings.instance_path
    beginning.put_in_force(town.database, NewGeneration(label, shapes), folder, None, town.now, today(town))
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)


def by_grid(town: Town, period: Period) -> dict[str, int]:
    keeping.catch_up(town.database, town.world.settings.zone, town.now)
    with town.database.reading() as session:
        table = counting.table(session, Slice(period), ("received",), "grid")
    return {code: counts["received"] for code, counts in table.items()}


@pytest.mark.acceptance("A12")
def test_a_grid_split_on_the_first_of_july(town: Town) -> None:
    town.now = datetime(2026, 6, 15, 2, tzinfo=UTC)
    in_june = town.worker.reports(at=WEST_1).code
    town.department.acts(in_june, "start")
    waiting = town.worker.reports(at=WEST_2).code
    done = town.worker.reports(at=WEST_1, mode="remind").code

    town.now = datetime(2026, 6, 30, 16, tzinfo=UTC)  # midnight of the first of July in Shanghai
    with town.database.reading() as session:
        one, two = redrawing.next_codes(session, COMMUNITY, 2)
    assert (one, two) == (f"{COMMUNITY}003", f"{COMMUNITY}004")
    before = next(a for a in areas(town) if a.code == WEST)
    shapes = redrawing.split(areas(town), WEST, CUT, [(one, "第三网格"), (two, "第四网格")])
    put_in_force(town, "2026-07", shapes)
    now = {a.code: a.geometry for a in areas(town)}
    together = shapely.union_all([now[one], now[two]])
    assert square_metres(together.symmetric_difference(before.geometry)) < 1.0
    assert now[one].intersection(now[two]).area == 0.0
    assert shapely.coverage_is_valid([now[one], now[two], now[EAST]])

    assert replacing.replace_open(town.database, town.world, town.now) == 2
    assert town.ticket(done).grid_code == WEST
    assert (town.ticket(waiting).grid_code, town.ticket(waiting).main_code) == (two, SANITATION)
    kept = town.ticket(in_june)
    assert (kept.grid_code, kept.main_code, kept.state) == (one, SANITATION, "in_progress")
    with town.database.reading() as session:
        events = session.exec(select(TicketEvent).where(TicketEvent.action == "border_changed")).all()
    assert {event.reasons["before"]["grid_code"] for event in events if event.reasons} == {WEST}
    assert replacing.replace_open(town.database, town.world, town.now) == 0

    town.later(hours=10)
    first, second = town.worker.reports(at=WEST_1).code, town.worker.reports(at=WEST_2).code
    assert (town.ticket(first).grid_code, town.ticket(second).grid_code) == (one, two)
    june, july = Period.month(2026, 6), Period.month(2026, 7)
    assert by_grid(town, july) == {one: 1, two: 1}
    # Closed in June: it keeps the grid of its day. What is still open is counted where the ground is now.
    assert by_grid(town, june) == {WEST: 1, one: 1, two: 1}


def test_an_unsigned_ticket_goes_to_the_unit_of_its_new_grid_with_a_fresh_clock(town: Town) -> None:
    with town.database.writing() as session:
        session.add(
            Responsibility(ruleset_version=1, id="e", category_code="2001", area_code=EAST, main=DRAINAGE)
        )
    unsigned, signed = town.worker.reports(at=WEST_2).code, town.worker.reports(at=WEST_2).code
    town.department.acts(signed, "start")
    town.later(days=1)
    ground = box(LON + 0.006, LAT - 0.001, LON + 0.0101, LAT + 0.011)
    put_in_force(town, "redrawn", redrawing.give(areas(town), EAST, ground))
    replacing.replace_open(town.database, town.world, town.now)
    moved, stayed = town.ticket(unsigned), town.ticket(signed)
    assert (moved.grid_code, moved.main_code, moved.state) == (EAST, DRAINAGE, "dispatched")
    assert moved.dispatched_at == town.now
    assert (stayed.grid_code, stayed.main_code, stayed.state) == (EAST, SANITATION, "in_progress")
    town.drainage.acts(unsigned, "start")


def test_merging_and_what_is_refused(town: Town) -> None:
    shapes = redrawing.merge(areas(town), [WEST, EAST], f"{COMMUNITY}003", "合并网格")
    put_in_force(town, "merged", shapes)
    assert town.ticket(town.worker.reports(at=IN_EAST).code).grid_code == f"{COMMUNITY}003"
    with pytest.raises(InputError, match="永不复用"):
        put_in_force(town, "again", [*[a for a in shapes if a.level != "grid"], *areas_like(shapes, WEST)])
    with pytest.raises(InputError, match="分成了 1 块"):
        redrawing.split(shapes, f"{COMMUNITY}003", LineString([(0, 0), (1, 1)]), [("a", "a"), ("b", "b")])
    with pytest.raises(InputError, match="下面还有网格"):
        redrawing.split(shapes, COMMUNITY, CUT, [("a", "a"), ("b", "b")])
    with pytest.raises(InputError, match="没有编码"):
        redrawing.give(shapes, WEST, box(LON, LAT, LON + 1, LAT + 1))
    with town.database.reading() as session:
        assert redrawing.next_codes(session, COMMUNITY, 1) == [f"{COMMUNITY}004"]


def areas_like(shapes: list[AreaShape], code: str) -> list[AreaShape]:
    """The one grid under another code."""
    (grid,) = [a for a in shapes if a.level == "grid"]
    return [AreaShape(code, grid.name, grid.level, grid.parent, grid.geometry)]


def test_a_border_road_goes_by_its_agreement_and_an_exclusive_grid_before_it(town: Town) -> None:
    middle, around = LON + 0.01, 0.0002
    overlays = [
        OverlayShape(
            "road", "东西界路", "border_road", 60, box(middle - around, LAT, middle + around, LAT + 0.01)
        ),
        OverlayShape(
            "site", "工地专属网格", "exclusive_grid", 90, box(middle - around, LAT, middle, LAT + 0.002)
        ),
    ]
    folder, new = town.world.settings.instance_path, NewGeneration("with a road", areas(town), overlays)
    beginning.put_in_force(town.database, new, folder, None, town.now, today(town))
    on = town.now.date()
    with town.database.reading() as session:
        table = duties.export_duties(session, 1)
    agreement = f"{on + timedelta(days=1)},{on + timedelta(days=30)},共管协议 2026-7 号"
    table += f"road,2001,,road,,,{DRAINAGE},{SANITATION},{agreement}\r\nsite,2001,,site,,,{POLICE},,,,\r\n"
    sheet = parse_sheet("职责.csv", table.encode())
    made = town.database.write(lambda s: duties.import_duties(s, sheet, None, town.now))
    assert made.written, made.lines()
    version = made.details["ruleset_version"]
    town.database.write(lambda s: rulesets.activate(s, version, None, town.now))
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)

    def sent(east: float, north: float = 0.005) -> tuple[str | None, list[str], str]:
        routed = town.ticket(town.worker.reports(at={"lon": middle + east, "lat": LAT + north}).code).routed
        return routed["main"], routed["assistants"], routed["rule"]

    assert sent(-0.0001) == (SANITATION, [], "r-city"), "the agreement has not begun"
    town.later(days=2)
    for side in (-0.0001, 0.0001):
        assert sent(side) == (DRAINAGE, [SANITATION], "road"), "both sides, whatever their grid"
    assert sent(-0.0001, 0.001)[::2] == (POLICE, "site"), "the higher priority"
    town.later(days=40)
    assert sent(0.0001) == (SANITATION, [], "r-city"), "the agreement has ended"
