"""A doubtful place on the pages: the likely other desk is named, and the return to it is one tap."""

from collections.abc import Callable

from dispatch.record import queries
from dispatch.record.models import Objection
from geo.metres import metres_per_degree
from grid.auditing import record_change
from grid.models import Responsibility
from tests.record.test_routes import BY_THE_BORDER
from tests.town import DRAINAGE, EAST, IN_WEST, LAT, LON, SANITATION, WEST, Town
from tests.web.conftest import Visitor


def each_side_its_own_unit(town: Town) -> None:
    with town.database.writing() as session:
        for code, unit in ((EAST, DRAINAGE), (WEST, SANITATION)):
            session.add(
                Responsibility(ruleset_version=1, id=code, category_code="2001", area_code=code, main=unit)
            )
        record_change(session, None, "ruleset", "1", "change", now=town.now)
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)


def test_a_sliver_of_the_circle_is_no_doubt(town: Town, visitor: Callable[[str], Visitor]) -> None:
    each_side_its_own_unit(town)
    east_m, _ = metres_per_degree(lat=LAT)
    inside = {"lon": LON + 0.01 - 14.5 / east_m, "lat": LAT + 0.005}
    ticket = town.ticket(town.worker.reports(at=inside, accuracy_m=15.0).code)
    shares = {one["code"]: one["share"] for one in ticket.placed["candidates"]}
    assert 0 < shares[EAST] < 0.01
    assert (ticket.main_code, ticket.routed["doubtful"]) == (SANITATION, False)
    page = visitor("department").sees(f"/tickets/{ticket.code}").text
    assert "不在我处" not in page
    assert "井巷第二网格 不到 1%" in page, "what was seen is told all the same"
    assert f"{EAST} 内" not in page
    assert "落点不在 井巷第二网格 内" in page


def test_a_return_to_the_other_side_of_the_border_is_one_tap(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    each_side_its_own_unit(town)
    plain = town.worker.reports(at=IN_WEST).code
    doubtful = town.worker.reports(at=BY_THE_BORDER, accuracy_m=15.0).code
    clerk = visitor("department")
    assert "不在我处" not in clerk.sees(f"/tickets/{plain}").text
    page = clerk.sees(f"/tickets/{doubtful}").text
    assert "另一侧占" in page
    assert "不在我处:退给排水公司" in page
    tap = page[page.index('name="reason_code" value="territory"') :]
    basis = tap.split('name="basis" value="')[1].split('"')[0]
    clerk.posts(
        f"/tickets/{doubtful}/actions/object", reason_code="territory", organisation=DRAINAGE, basis=basis
    )
    ticket = town.ticket(doubtful)
    assert ticket.state == "objected"
    with town.database.reading() as session:
        (asked,) = queries.rows(session, Objection, ticket)
    assert asked.suggested_code == DRAINAGE
