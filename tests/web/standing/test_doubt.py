"""A doubtful place on the pages: the likely other desk is named, and the return to it is one tap."""

from collections.abc import Callable

from dispatch.record import queries
from dispatch.record.models import Objection
from grid.auditing import record_change
from grid.models import Responsibility
from tests.record.test_routes import BY_THE_BORDER
from tests.town import DRAINAGE, EAST, IN_WEST, SANITATION, WEST, Town
from tests.web.conftest import Visitor


def test_a_return_to_the_other_side_of_the_border_is_one_tap(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    with town.database.writing() as session:
        for code, unit in ((EAST, DRAINAGE), (WEST, SANITATION)):
            session.add(
                Responsibility(ruleset_version=1, id=code, category_code="2001", area_code=code, main=unit)
            )
        record_change(session, None, "ruleset", "1", "change", now=town.now)
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
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
