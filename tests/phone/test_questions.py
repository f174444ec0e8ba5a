"""What a category asks with the report, and when it says to stop and call first: rows, checked like everything given."""

import pytest

from dispatch import data
from dispatch.record import queries
from dispatch.record.judging import questions
from dispatch.record.models import TicketEvent
from grid.errors import InputError
from grid.models import CategoryQuestion
from tests.town import COVER, GARBAGE, Town


@pytest.fixture
def asking(town: Town) -> Town:
    with town.database.writing() as session:
        session.add(
            CategoryQuestion(
                ruleset_version=1,
                id="missing",
                category_code="10",
                step=1,
                text="井盖还在吗?",
                choices="gone=没有了;broken=破损",
                stop_on="gone",
                stop_text="先在井口旁提醒行人",
            )
        )
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
    town.world._standing = None
    return town


def test_an_answer_is_kept_with_the_report(asking: Town) -> None:
    code = asking.worker.reports(COVER, answers={"missing": "gone"}).code
    with asking.database.reading() as session:
        first = queries.rows(session, TicketEvent, asking.ticket(code))[0]
    assert first.given["answers"] == {"missing": "gone"}


@pytest.mark.parametrize(
    ("category", "answers"), [(COVER, {"missing": "maybe"}), (GARBAGE, {"missing": "gone"})]
)
def test_an_answer_to_nothing_asked_is_refused(asking: Town, category: str, answers: dict[str, str]) -> None:
    with pytest.raises(InputError, match="追问"):
        asking.worker.reports(category, answers=answers)


def test_every_shipped_stop_names_an_answer_and_what_to_do() -> None:
    categories = {row.code for row in data.categories().rows}
    for row in data.questions().rows:
        known = questions.choices(
            CategoryQuestion(
                ruleset_version=1, id=row.id, category_code="", step=1, text="", choices=row.choices
            )
        )
        assert row.category_code in categories
        assert len(known) >= 2
        assert row.stop_on is None or (row.stop_on in known and row.stop_text)
