"""A cell of lengths says what was added to it and taken away, however long its text grew."""

from collections import Counter
from itertools import pairwise

from sqlalchemy import text
from sqlmodel import select

from dispatch.insight.rollups import cells, keeping, stretches
from dispatch.insight.rollups.cells import Stretch
from dispatch.insight.rollups.cubes import TIMES
from tests.town import MONDAY, Town


def test_a_cell_that_grew_long_is_written_short(town: Town) -> None:
    cell = cells.addresses(MONDAY.date(), tuple("abcdefg"), TIMES)[0]
    right: Counter[int] = Counter()
    lengths = []
    for step in range(600):
        sign = -1 if step % 9 == 8 else 1
        changes = {Stretch(cell, "total", "total", (step * 7 + n) % 300): sign for n in range(5)}
        with town.database.writing() as session:
            cells.apply_spans(session, changes)
            [times] = session.execute(select(TIMES[0].table.c.times)).scalars()
        right.update({one.minutes: sign for one in changes})
        lengths.append(len(times))
        assert stretches.read(times) == right
    assert max(lengths) <= cells.LONG
    assert any(after < before for before, after in pairwise(lengths)), "written short"


def test_what_waits_to_be_counted_is_found_by_its_index(town: Town) -> None:
    waiting = str(keeping.due().compile(town.database.engine, compile_kwargs={"literal_binds": True}))
    with town.database.reading() as session:
        if town.database.is_sqlite:
            plan = session.execute(text(f"EXPLAIN QUERY PLAN {waiting}")).all()
        else:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            plan = session.execute(text(f"EXPLAIN {waiting}")).all()
    assert "ix_ticket_tally" in str(plan)


def test_lengths_that_never_came_are_not_written() -> None:
    assert stretches.written({12: 3, 7: 0, 30: -1}) == "12,3,30,-1,"
    assert stretches.read("") == Counter()
