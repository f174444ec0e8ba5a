"""The burden board: every number opens to the rows that it counts, for those who may read them."""

import csv
import html
import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from dispatch.insight.rollups import keeping
from dispatch.record.oversight import rechecks
from grid.errors import InputError
from tests.record.test_oversight import closed
from tests.town import COMMUNITY_OFFICE, GARBAGE, IN_EAST, LAT, LON, PARKING, POLICE, STREET_OFFICE, Town
from tests.web.conftest import Visitor
from tests.web.standing.test_admitting import hands_down, held_by_the_street
from tests.web.supervising.test_oversight import PLAN, TASK

ROW = re.compile(
    r'<th scope="row">([^<]+?)( <span[^>]*>全市</span>)?</th><td class="number">(?:<a href="([^"]+)">)?(\d+)'
)
TICKET = re.compile(r'href="/tickets/([^"]+)"')


def board_of(page: str) -> dict[str, tuple[str, int]]:
    """The label of each line with what it opens and its number; a line for the whole city says so in its label."""
    rows = page.partition('aria-label="次数"')[2].partition("</table>")[0]
    return {
        label + ("·全市" if city else ""): (html.unescape(path), int(number))
        for label, city, path, number in ROW.findall(rows)
    }


def length_of(page: str) -> int:
    if 'class="tickets"' in page:
        return len(TICKET.findall(page.partition('class="tickets"')[2]))
    return page.count('<tr><th scope="row">')


@pytest.fixture
def asked(town: Town, visitor: Callable[[str], Visitor]) -> dict[str, str]:
    """Two of everything that is counted and one of what is rare; the codes of some."""
    supervisor, unit = visitor("supervisor"), visitor("department")
    for plan in (PLAN, {**PLAN, "number": "2026-2", "kind": "recheck"}):
        assert supervisor.posts("/inspections/plans", **plan).status_code == 303
    places = f"一号商户,{LON + 0.005},{LAT + 0.005}\n二号商户,{LON + 0.006},{LAT + 0.005}"
    answer = unit.posts("/inspections/tasks", plan_number="2026-1", places=places, **TASK)
    assert answer.status_code == 303
    with_the_street, with_the_police = held_by_the_street(town), town.worker.reports(PARKING).code
    for person, code in ((town.street, with_the_street), (town.police, with_the_police)):
        with pytest.raises(InputError):
            hands_down(town, person, code, "assign_within", organisation=COMMUNITY_OFFICE)
    alone = town.worker.reports(GARBAGE, mode="self_handled").code
    done, main = closed(town), town.worker.reports(GARBAGE).code
    for _ in range(2):
        town.dispatcher.acts(town.neighbour.reports(GARBAGE, at=IN_EAST).code, "merge", into=main)
    town.later(hours=1).department.acts(main, "ask_more", reason="请补充")
    since = town.now - timedelta(days=1)
    with town.database.writing() as session:
        who = {"actor": town.supervisor.actor, "world": town.world, "now": town.now}
        rechecks.draw(session, "2026-2", percent=100, seed="一", closed_since=since, **who)  # type: ignore[arg-type]
    town.later(hours=8)
    keeping.catch_up(town.database, town.world.settings.zone, town.now)
    return {"alone": alone, "done": done, "with_the_street": with_the_street}


def test_every_number_of_the_board_opens_to_its_rows(
    asked: dict[str, str], visitor: Callable[[str], Visitor]
) -> None:
    supervisor = visitor("supervisor")
    page = supervisor.sees("/figures/burden").text
    board = board_of(page)
    numbers = {label: number for label, (_, number) in board.items()}
    assert numbers == {
        "要求补充材料(次)": 1,
        "并单,免去的重复派单(件)": 2,
        "清单外下派企图,已拦下待认定(次)": 2,
        "自行处置、当场提醒,免去的流转(件)": 1,
        "期内有效的登记计划(项)": 2,
        "按计划发布的巡查(项)": 1,
        "合并后的进门(次)": 2,
        "按计划抽查(件)": 1,
    }
    for label, (path, number) in board.items():
        assert length_of(supervisor.sees(path).text) == number, label
    for of, code in (("direct", "alone"), ("rechecks", "done")):
        assert TICKET.findall(supervisor.sees(f"/figures/burden/{of}").text) == [asked[code]]
    units = page.partition("各单位在分内之外要了什么")[2]
    opened = {html.unescape(path) for path in re.findall(r'href="([^"]+)"', units) if "off_list" in path}
    assert {path.rpartition("only=")[2] for path in opened} == {STREET_OFFICE, POLICE}
    for path in opened:
        assert length_of(supervisor.sees(path).text) == 1
    narrow = board_of(supervisor.sees(f"/figures/burden?organisation={STREET_OFFICE}").text)
    assert narrow["清单外下派企图,已拦下待认定(次)"][1] == 1
    assert narrow["自行处置、当场提醒,免去的流转(件)"] == ("", 0)
    assert narrow["期内有效的登记计划(项)·全市"][1] == 2
    assert "全市" in supervisor.sees(f"/figures/burden/plans?organisation={STREET_OFFICE}").text


def test_a_register_comes_as_a_file_and_only_to_those_who_may_read_it(
    asked: dict[str, str], visitor: Callable[[str], Visitor]
) -> None:
    supervisor, community = visitor("supervisor"), visitor("community")
    answer = supervisor.sees("/figures/burden/off_list?format=csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["单位"] for row in rows] == ["东门街道办事处", "区综合执法局"]
    assert rows[0]["工单"] == asked["with_the_street"]
    own = board_of(community.sees("/figures/burden").text)
    assert {label.partition("(")[0] for label in own} == {
        "要求补充材料",
        "并单,免去的重复派单",
        "清单外下派企图,已拦下待认定",
        "自行处置、当场提醒,免去的流转",
    }
    assert community.sees(own["自行处置、当场提醒,免去的流转(件)"][0]).status_code == 200
    for key in ("plans", "tasks", "visits", "rechecks", "none"):
        assert community.sees(f"/figures/burden/{key}").status_code == 404, key
    assert visitor("department").sees("/figures/burden/off_list").status_code == 403
