"""Published rules: each change a new set, the old one untouched."""

from sqlmodel import select

from grid import rulesets
from grid.database import Database
from grid.models import Responsibility, Ruleset, TimeLimit
from tests.grid.conftest import NOW


def publish(database: Database, *rows: Responsibility | TimeLimit) -> int:
    return database.write(
        lambda session: rulesets.publish(session, rows, author="测试", note="改了", actor=None, now=NOW)
    )


def limit(row_id: str, amount: float) -> TimeLimit:
    return TimeLimit(ruleset_version=0, id=row_id, stage="handle", amount=amount, unit="work_day")


def owner(row_id: str, main: str) -> Responsibility:
    return Responsibility(ruleset_version=0, id=row_id, main=main)


def test_a_new_set_replaces_one_table_and_copies_the_rest(database: Database) -> None:
    assert publish(database, limit("general", 5), owner("a", "old"), owner("b", "old")) == 1
    assert publish(database, owner("a", "new")) == 2

    with database.reading() as session:
        owners = {(r.ruleset_version, r.id): r.main for r in session.exec(select(Responsibility))}
        limits = {(r.ruleset_version, r.id): r.amount for r in session.exec(select(TimeLimit))}
        assert [r.version for r in session.exec(select(Ruleset))] == [1, 2]
    assert owners == {(1, "a"): "old", (1, "b"): "old", (2, "a"): "new"}
    assert limits == {(1, "general"): 5, (2, "general"): 5}
