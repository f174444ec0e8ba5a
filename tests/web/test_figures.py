"""Every number opens into exactly its tickets, for whoever may see figures, without names and without ranks."""

import re
from collections.abc import Callable

from sqlmodel import col, select

from dispatch.insight import metrics
from dispatch.insight.metrics import METRICS, Kind, Period
from dispatch.record.models import TicketEvent
from dispatch.rules.workflow import State
from dispatch.upkeep import verifying
from tests.town import COVER, GARBAGE, IN_EAST, MONDAY, OUTSIDE, PARKING, Town
from tests.web.conftest import Visitor

NUMBER = re.compile(r'href="(/figures/tickets[^"]*)"[^>]*>(?:<strong>)?(\d+)')
ROW = re.compile(r'href="/tickets/[^"]+"')


def lively(town: Town) -> None:
    """Tickets in several states, places and units."""
    for place in (IN_EAST, OUTSIDE):
        town.neighbour.reports(GARBAGE, at=place)
    for category in (GARBAGE, COVER, PARKING, GARBAGE):
        town.worker.reports(category)
    code = town.worker.reports(GARBAGE).code
    photo = town.photo("b" * 64)
    town.later(hours=1).department.acts(code, "handle", solved="solved", answer="已清运", photos=(photo,))
    town.later(hours=8)


def test_every_number_on_the_page_is_the_length_of_its_list(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    lively(town)
    supervisor = visitor("supervisor")
    opened = 0
    for by in metrics.DIMENSIONS:
        page = supervisor.sees(f"/figures/?by={by}").text
        for path, number in NUMBER.findall(page):
            listed = supervisor.sees(path.replace("&amp;", "&")).text
            assert len(ROW.findall(listed)) == int(number), path
            opened += 1
    assert opened > 30


def test_the_table_sums_up_to_the_headline(town: Town) -> None:
    lively(town)
    actor, period = town.supervisor.actor, Period.last_days(30, town.now)
    with town.database.reading() as session:
        for dimension in metrics.DIMENSIONS:
            cells = metrics.table(session, METRICS, actor, period, dimension)
            for metric in METRICS:
                total = sum(counts.get(metric.key, 0) for counts in cells.values())
                assert total == metrics.count(session, metric, actor, period), (dimension, metric.key)
        by_workflow = [state for state in State if state in cells]
        assert list(cells) == (by_workflow if dimension == "state" else sorted(cells))


def test_figures_are_closed_to_those_without_the_permission(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    for login in ("worker", "department", "dispatcher"):
        assert visitor(login).sees("/figures/").status_code == 403
        assert visitor(login).sees("/figures/tickets?metric=open").status_code == 403


def test_a_number_that_does_not_exist_is_refused_in_words(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    supervisor = visitor("supervisor")
    for path in ("?metric=login_count", "?metric=open&by=person", "?metric=open&page=x", ""):
        assert supervisor.sees(f"/figures/tickets{path}").status_code == 422


def test_no_figure_is_about_persons_or_traces_of_work() -> None:
    assert {metric.kind for metric in METRICS} <= set(Kind)
    assert "person" not in metrics.DIMENSIONS
    assert not any("reported_by" in str(metric.condition(Period.last_days(1, MONDAY))) for metric in METRICS)


def test_one_ticket_is_proved_at_once_and_a_changed_byte_shows(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports().code
    supervisor = visitor("supervisor")
    assert "条经过全部相符" in supervisor.sees(f"/figures/proof?code={code.lower()}").text
    with town.database.writing() as session:
        event = session.exec(select(TicketEvent).order_by(col(TicketEvent.seq)).limit(1)).one()
        event.channel = "api"
        session.add(event)
    page = supervisor.sees(f"/figures/proof?code={code}").text
    assert "第 1 条:内容与摘要不符" in page
    assert "全部相符" not in page


def test_the_last_proof_of_everything_is_shown(town: Town, visitor: Callable[[str], Visitor]) -> None:
    town.worker.reports()
    supervisor = visitor("supervisor")
    assert "还没有核验过" in supervisor.sees("/figures/proof").text
    proof = verifying.verify(town.database, town.world.settings, with_photos=False)
    verifying.record(town.database, proof, town.now)
    page = supervisor.sees("/figures/proof").text
    assert "工单 1 件,经过 3 条" in page
    assert "全部相符" in page


def test_a_ticket_that_does_not_exist_is_said_to_be_none(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    answer = visitor("supervisor").sees("/figures/proof?code=nonsense")
    assert (answer.status_code, "没有找到工单 nonsense" in answer.text) == (404, True)
    assert visitor("dispatcher").sees("/figures/proof").status_code == 403
