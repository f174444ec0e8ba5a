"""The pages of the rules: a draft is brought in, linted, rehearsed, begun and undone, as a person does it."""

import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select

from dispatch import duties
from dispatch.insight.rehearsing import running
from dispatch.insight.tables import Rehearsal
from grid import rulesets
from grid.importing.sheets import parse_sheet
from grid.models import Responsibility, Ruleset
from tests.insight.rules.test_rehearsing import draft
from tests.town import COVER, DRAINAGE, EAST, GARBAGE, IN_EAST, IN_WEST, PARKING, SANITATION, WEST, Town
from tests.web.conftest import Visitor

Enter = Callable[[str], Visitor]
IMPORT = "/imports/responsibilities"
HEAD = "规则编号,类别编码,区域编码,主办单位\n"


def versions(town: Town) -> list[int]:
    with town.database.reading() as session:
        return sorted(session.exec(select(Ruleset.version)).all())


def test_a_draft_from_import_to_beginning_and_back(town: Town, visitor: Enter) -> None:
    admin = visitor("administrator")
    town.neighbour.reports(GARBAGE, at=IN_EAST)
    with town.database.reading() as session:
        text = duties.export_duties(session, 1)
    text += f"e,{GARBAGE},{EAST},,,,{DRAINAGE},,,,\r\n"
    file = (io.BytesIO(text.encode()), "职责.csv")
    answer = admin.posts(IMPORT, files=file)
    assert "已导入" in answer.text
    assert versions(town) == [1, 2]
    page = admin.sees("/rules/2").text
    added = page.partition("<strong>新增</strong>")[2].partition("</li>")[0]
    assert (">e</a>" in added, "暴露垃圾 · 井巷第二网格 → 排水公司" in added) == (True, True), added
    assert "有待确认之处,确认后才能启用" in page
    asked = admin.posts("/rules/2/rehearse", from_on="2026-03-01", to_on="2026-03-31")
    assert asked.status_code == 303
    assert "等待开始" in admin.sees(asked.location).text
    running.run_waiting(town.database, town.world, lambda: town.now)
    done = admin.sees(asked.location).text
    assert "1 件过去的工单里,1 件会派到别处" in done
    assert "区环卫局" in done
    assert "排水公司" in done
    assert "暴露垃圾" in admin.sees(asked.location + ".csv").get_data(as_text=True)
    refused = admin.posts("/rules/2/begin")
    assert refused.status_code == 422
    assert "待确认" in refused.text
    assert admin.posts("/rules/2/begin", ticked="true").status_code == 303
    with town.database.reading() as session:
        assert rulesets.in_force(session, town.now) == 2
    town.later(minutes=1)
    assert admin.posts("/rules/1/begin", ticked="true").status_code == 303
    with town.database.reading() as session:
        assert rulesets.in_force(session, town.now) == 1


def test_what_was_to_begin_later_can_be_called_off(town: Town, visitor: Enter) -> None:
    draft(town)
    admin = visitor("administrator")
    assert admin.posts("/rules/2/begin", ticked="true", begins_at="2026-03-09T00:00").status_code == 303
    assert "取消定时启用" in admin.sees("/rules/2").text
    assert admin.posts("/rules/2/cancel").status_code == 303
    with town.database.reading() as session:
        assert rulesets.in_force(session, town.now + timedelta(days=30)) == 1
    assert admin.posts("/rules/2/cancel").status_code == 409


def test_a_version_with_a_conflict_cannot_begin(town: Town, visitor: Enter) -> None:
    draft(town, Responsibility(ruleset_version=0, id="x", category_code=COVER, main=SANITATION))
    admin = visitor("administrator")
    assert "有错误,不能启用" in admin.sees("/rules/2").text
    refused = admin.posts("/rules/2/begin", ticked="true")
    assert (refused.status_code, "同样具体而主办单位不同" in refused.text) == (409, True)


def test_a_draft_that_takes_away_most_rules_says_so_and_wants_a_tick(town: Town, visitor: Enter) -> None:
    with town.database.reading() as session:
        former = len(rulesets.rows_of(session, Responsibility, 1))
    admin = visitor("administrator")
    text = (HEAD + f"only,,,{SANITATION}\n").encode()
    admin.posts(IMPORT, files=(io.BytesIO(text), "一条.csv"))
    page = admin.sees("/rules/2").text
    said = f"正在生效的 {former} 条规则里,这一版删去 {former} 条(另新增 1 条)"
    assert f'role="alert"><strong>{said}</strong>' in page
    assert ("可以启用" in page, f"我确认删去 {former} 条规则" in page) == (False, True)
    refused = admin.posts("/rules/2/begin")
    assert (refused.status_code, f"待确认:{said}" in refused.text) == (422, True)
    assert "删去" not in admin.sees("/rules/1").text
    assert admin.posts("/rules/2/begin", ticked="true").status_code == 303


def test_a_ticket_without_a_rule_becomes_one(town: Town, visitor: Enter) -> None:
    dispatcher = visitor("dispatcher")
    code = town.operator.reports("900001", source="hotline", text="问政策", photos=(), at=IN_WEST).code
    assert f"/rules/make?ticket={code}" in dispatcher.sees(f"/tickets/{code}").text
    page = dispatcher.sees(f"/rules/make?ticket={code}").text
    assert "没有适用的职责规则" in page
    made = dispatcher.posts(
        "/rules/make", ticket=code, category_code="900001", area_code=WEST, main="street-office"
    )
    assert made.status_code == 303
    added = dispatcher.sees(made.location).text.partition("<strong>新增</strong>")[2]
    assert ">made-900001-" in added.partition("</li>")[0]
    assert dispatcher.posts("/rules/2/begin", ticked="true").status_code == 403
    barred = dispatcher.posts("/rules/make", category_code=PARKING, main="kind:community", note="下派")
    assert (barred.status_code, "不得将社区作为" in barred.text, 'value="下派"' in barred.text) == (
        422,
        True,
        True,
    )


def test_what_is_exported_comes_in_again_without_a_difference(town: Town) -> None:
    rows = [
        Responsibility(
            ruleset_version=0, id="a", category_code=COVER, area_code=WEST, main="kind:drainage",
            assistants=f"{SANITATION};kind:street", source_kind="patrol", time_band="night", note="备注,有逗号",
        ),
        Responsibility(ruleset_version=0, id="b", main=SANITATION),
    ]  # fmt: skip
    version = draft(town, *rows)
    with town.database.reading() as session:
        text = duties.export_duties(session, version)
    sheet = parse_sheet("rules.csv", text.encode())
    report = town.database.write(lambda s: duties.import_duties(s, sheet, None, town.now))
    assert report.problems == []
    with town.database.reading() as session:
        first, second = (
            {
                r.id: r.model_dump(exclude={"ruleset_version"})
                for r in rulesets.rows_of(session, Responsibility, v)
            }
            for v in (version, version + 1)
        )
    assert first == second


def test_many_rows_are_paged_found_by_a_word_and_reached_from_a_ticket(town: Town, visitor: Enter) -> None:
    rows = [
        Responsibility(
            ruleset_version=0, id=f"n{n:03d}", category_code=GARBAGE, area_code=WEST, main=SANITATION
        )
        for n in range(90)
    ]
    version = draft(town, *rows)
    admin = visitor("administrator")
    first = admin.sees(f"/rules/{version}").text
    assert ("第 1 / 3 页" in first, 'id="row-n000"' in first, 'id="row-n085"' in first) == (True, True, False)
    there = admin.sees(f"/rules/{version}?row=n085").text
    assert ("第 3 / 3 页" in there, 'id="row-n085"' in there) == (True, True)
    found = admin.sees(f"/rules/{version}?q=排水").text
    assert "“排水”找到 1 条" in found
    assert 'id="row-r-cover"' in found
    assert "没有找到" in admin.sees(f"/rules/{version}?q=火星").text


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (
            f"x,{COVER},,{SANITATION}\ny,{COVER},,{DRAINAGE}\n",
            "第 3 行 “主办单位”列:与第 2 行同样具体、日期重叠",
        ),
        (f"x,{COVER},999,{SANITATION}\n", "第 2 行 “区域编码”列:没有编码为 999 的区域"),
        (f"x,{PARKING},,类型:社区\n", "第 2 行 “主办单位”列"),
    ],
)
def test_wrong_rows_are_named_and_the_good_ones_come_in_only_when_asked(
    town: Town, visitor: Enter, row: str, complaint: str
) -> None:
    admin = visitor("administrator")
    text = (HEAD + row + f"good,{GARBAGE},,{SANITATION}\n").encode()
    refused = admin.posts(IMPORT, files=(io.BytesIO(text), "r.csv"))
    assert refused.status_code == 422
    assert complaint in refused.text
    assert versions(town) == [1]
    admin.posts(IMPORT, files=(io.BytesIO(text), "r.csv"), only_good="yes")
    with town.database.reading() as session:
        kept = [row.id for row in rulesets.rows_of(session, Responsibility, 2)]
    assert "good" in kept
    assert len(kept) == row.count("\n")


def test_rules_with_other_headings_are_explained_once(town: Town, visitor: Enter) -> None:
    admin = visitor("administrator")
    assert f'action="{IMPORT}"' in admin.sees("/rules/").text
    text = f"号,小类,归谁管\na,{GARBAGE},{SANITATION}\n".encode()
    asked = admin.posts(IMPORT, files=(io.BytesIO(text), "r.csv"))
    action = re.search(rf'action="({IMPORT}/[0-9a-f-]{{36}})"', asked.text)
    assert action
    done = admin.posts(action[1], id="号", category_code="小类", main="归谁管")
    assert 'href="/rules/2"' in done.text
    assert 'href="/rules/3"' in admin.posts(IMPORT, files=(io.BytesIO(text), "r.csv")).text
    with town.database.reading() as session:
        for version in (2, 3):
            (row,) = rulesets.rows_of(session, Responsibility, version)
            assert (row.id, row.category_code, row.main) == ("a", GARBAGE, SANITATION)


def test_a_broken_encoding_is_said_and_nothing_is_kept(town: Town, visitor: Enter) -> None:
    broken = b"\xff\xfe\xfa" + HEAD.encode("gbk")[1:] + b"\x80\x81"
    answer = visitor("administrator").posts(IMPORT, files=(io.BytesIO(broken), "r.csv"))
    assert answer.status_code == 422
    assert versions(town) == [1]
    with town.database.reading() as session:
        assert session.exec(select(Rehearsal)).all() == []
