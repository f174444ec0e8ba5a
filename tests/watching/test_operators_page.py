"""The operator's page says what is kept how well, and what to do where it is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from dispatch.upkeep import verifying
from dispatch.upkeep.keeping import Keeping, warnings
from dispatch.upkeep.verifying import Proof
from tests.town import MONDAY, Town
from tests.web.conftest import Visitor

WELL = Keeping(MONDAY, 0, MONDAY, 0, MONDAY, {"instance": 10**11}, wal_is_safe=True)


def test_each_trouble_is_named_with_its_cure() -> None:
    assert warnings(WELL, MONDAY + timedelta(hours=25)) == []
    fresh = replace(WELL, backed_up_at=None, verified_at=None, began_at=MONDAY)
    assert warnings(fresh, MONDAY + timedelta(hours=25)) == [], "set up just now: nothing is late yet"
    assert len(warnings(fresh, MONDAY + timedelta(days=3))) == 2
    troubles = {
        "flask ops backup": replace(WELL, backed_up_at=None),
        "sweeper": replace(WELL, verified_at=MONDAY - timedelta(days=2)),
        "保全现场": replace(WELL, wrong=1),
        "较早的备份": replace(WELL, photos_missing=2),
        "扩容": replace(WELL, free_bytes={"photos": 10**9}),
        "pysqlite3": replace(WELL, wal_is_safe=False),
    }
    for cure, kept in troubles.items():
        (said,) = warnings(kept, MONDAY + timedelta(hours=1))
        assert cure in said


def test_the_page_shows_it(town: Town, visitor: Callable[[str], Visitor]) -> None:
    admin = visitor("administrator")
    assert "Redis 没有应答" in admin.sees("/admin/accounts").text, "on every page of an administrator"
    assert "Redis 没有应答" not in visitor("worker").sees("/worker/").text
    page = admin.sees("/admin/operations").text
    assert "从未" in page
    assert "flask ops backup" in page
    verifying.record(town.database, Proof(tickets=1, wrong=["工单 x:缺失"]), town.now)
    assert "1 处不符" in admin.sees("/admin/operations").text
