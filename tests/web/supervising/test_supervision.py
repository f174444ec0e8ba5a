"""The supervisors' other pages: reports, exports, topics, load, switches, tables of one's own."""

import csv
import html
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import unquote
from uuid import uuid4

import pytest
from sqlmodel import select

from dispatch.insight.reports.models import ExportLog
from dispatch.insight.rollups import keeping
from dispatch.insight.topics.models import Topic
from tests.insight.test_schemes import appraisal_plan
from tests.town import DRAINAGE, EAST, GARBAGE, IN_EAST, OUTSIDE, SANITATION, WEST, Town
from tests.walking import calls
from tests.web.conftest import Visitor


def busy(town: Town) -> None:
    for _ in range(3):
        town.worker.reports(GARBAGE)
    calls(town)
    town.neighbour.reports(at=IN_EAST)
    town.later(hours=1)
    keeping.catch_up(town.database, town.world.settings.zone, town.now)


def test_every_page_opens_and_links_only_to_pages_that_are_there(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    busy(town)
    supervisor = visitor("supervisor")
    row = re.search(r"<ul class=\"sub.*?</ul>", supervisor.sees("/figures/").text, re.S)
    assert row is not None
    links = set(re.findall(r"href=\"(/figures/[a-z]+)", row[0]))
    assert len(links) >= 11
    for link in links:
        assert supervisor.sees(link).status_code == 200, link
        english = supervisor.sees(f"{link}?lang=en")
        assert english.status_code == 200, link
        assert '<html lang="en"' in english.text
        assert "lang=" not in english.text.split("<main")[1].split("</main>")[0], (
            "only this page was asked for"
        )


@pytest.mark.acceptance("C4")
def test_the_trend_of_observation_points_holds_only_theirs(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    busy(town)
    supervisor = visitor("supervisor")
    assert supervisor.posts("/figures/points", grid_code=EAST, marked="true").status_code == 303

    def trend() -> list[int]:
        table = supervisor.sees("/figures/switches").text.split('<table id="points">')[1].split("</table>")[0]
        return [int(number) for number in re.findall(r'</th><td class="number">(\d+)</td>', table)]

    assert (len(trend()), sum(trend())) == (30, 1), "every day of the period, also those without reports"
    supervisor.posts("/figures/points", grid_code=WEST, marked="true")
    assert (len(trend()), sum(trend())) == (30, 5)
    assert visitor("department").posts("/figures/points", grid_code=EAST).status_code == 403


def test_a_bulletin_is_made_on_the_page_and_comes_as_word_and_workbook(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    busy(town)
    town.later(days=40)
    supervisor = visitor("supervisor")
    answer = supervisor.posts("/figures/bulletins", about=f"organisation:{SANITATION}", month="2026-03")
    assert answer.status_code == 303
    where = answer.headers["Location"]
    assert "区环卫局 2026 年 03 月运行月报" in supervisor.sees(where).text
    assert supervisor.sees(f"{where}.docx").data == supervisor.sees(f"{where}.docx").data
    assert supervisor.sees(f"{where}.xlsx").data[:2] == b"PK"
    for month in ("2026-13", "9999-12", "2001-01"):
        assert supervisor.posts("/figures/bulletins", about="city", month=month).status_code == 422, month
    city = supervisor.posts("/figures/bulletins", about="city", month="2026-03").headers["Location"]
    chief = visitor("chief")
    listed = chief.sees("/figures/bulletins").text
    assert (where in listed, city in listed) == (True, False)
    assert "区环卫局 2026 年 03 月运行月报" in chief.sees(where).text
    assert [chief.sees(f"{city}{kind}").status_code for kind in ("", ".docx", ".xlsx")] == [404] * 3
    assert chief.posts("/figures/bulletins", about="city", month="2026-03").status_code == 403


def test_bulletins_are_found_by_month_and_subject_and_files_say_their_days(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    busy(town)
    town.now = town.now.replace(month=5)
    supervisor = visitor("supervisor")
    for about in ("city", f"organisation:{SANITATION}"):
        assert supervisor.posts("/figures/bulletins", about=about, month="2026-03").status_code == 303
    found = re.compile(r'href="/figures/bulletins/[0-9a-f-]{36}"')
    for asked, number in (
        ("", 2),
        ("?month=2026-03", 2),
        (f"?about=organisation:{SANITATION}", 1),
        ("?month=2026-02", 0),
        ("?page=1", 0),
    ):
        assert len(found.findall(supervisor.sees(f"/figures/bulletins{asked}").text)) == number, asked
    assert supervisor.sees("/figures/bulletins?month=x").status_code == 422
    days = "start=2026-03-01&end=2026-03-31"
    for path in (
        "?picture=trend&",
        "heat?",
        "table?",
        "map?",
        "burden?picture=units&",
        "burden/off_list?",
        "builder?",
    ):
        kept = supervisor.sees(f"/figures/{path}format=csv&{days}").headers["Content-Disposition"]
        assert unquote(kept).endswith(" 2026-03-01 至 2026-03-31.csv"), path


def test_an_export_is_masked_and_unmasked_only_with_a_reason(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    busy(town)
    supervisor = visitor("supervisor")
    days = {"start": "2026-03-01", "end": "2026-03-31"}
    text = supervisor.posts("/figures/export", **days).data.decode("utf-8-sig")
    lines = list(csv.DictReader(text.splitlines()))
    assert len(lines) == 5
    words = {"网格巡查", "代群众上报", "12345 热线", "居民扫码", "上级平台"}
    assert {line["来源"] for line in lines} <= words
    assert not re.findall(
        r"[a-z]{4,}", ",".join(v for line in lines for v in line.values() if v != line["编号"])
    )
    assert "138****9999" in text
    assert supervisor.posts("/figures/export", **days, unmasked="true").status_code == 422
    whole = supervisor.posts("/figures/export", **days, unmasked="true", reason="信访复查核对").data.decode()
    assert "13800009999" in whole
    assert visitor("community").posts("/figures/export", **days, unmasked="true").status_code == 403
    with town.database.reading() as session:
        assert sorted(log.masked for log in session.exec(select(ExportLog))) == [False, True]


def test_a_topic_is_found_and_adopted_on_its_page(town: Town, visitor: Callable[[str], Visitor]) -> None:
    busy(town)
    supervisor = visitor("supervisor")
    assert supervisor.posts("/figures/topics").status_code == 303
    with town.database.reading() as session:
        topic = session.exec(select(Topic)).one()
    where = f"/figures/topics/{topic.id}"
    assert "30 天内 100 米内同一小类至少 3 件" in supervisor.sees(where).text
    done = supervisor.posts(f"{where}/adopt", owner=SANITATION, plan="增设桶点", due_on="2026-04-30")
    assert done.status_code == 303
    assert "增设桶点" in supervisor.sees(where).text
    assert "井巷第一网格 · 暴露垃圾" in supervisor.sees(f"/figures/?topic={topic.id}").text
    assert supervisor.sees(f"/figures/?topic={uuid4()}").status_code == 404


def test_the_unit_that_sees_to_a_topic_is_told_and_others_see_their_own_tickets(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    busy(town)
    for _ in range(3):
        town.worker.reports(GARBAGE, at=OUTSIDE)
    supervisor, unit, community = visitor("supervisor"), visitor("department"), visitor("community")
    supervisor.posts("/figures/topics")
    with town.database.reading() as session:
        found = session.exec(select(Topic)).all()
    inside, outside = (next(t for t in found if bool(t.grid_code) is placed) for placed in (True, False))
    listed = community.sees("/figures/topics").text
    assert (str(inside.id) in listed, str(outside.id) in listed) == (True, False)
    where = f"/figures/topics/{inside.id}"
    assert 'href="/tickets/' not in community.sees(where).text, "what it may not open is no link"
    assert community.sees(f"/figures/topics/{outside.id}").status_code == 404
    assert unit.sees(where).status_code == 404
    assert "负责的专题" not in unit.sees("/desk/inbox").text
    done = supervisor.posts(f"{where}/adopt", owner=SANITATION, plan="增设桶点", due_on="2026-04-30")
    assert done.status_code == 303
    town.later(hours=1)
    page = unit.sees("/desk/inbox").text
    assert where in page
    assert "专题“井巷第一网格 · 暴露垃圾”由本单位负责,2026-04-30 前完成:增设桶点" in page
    assert 'href="/tickets/' in unit.sees(where).text
    assert unit.posts(f"{where}/end", state="done").status_code == 403
    assert visitor("drainage").sees(where).status_code == 404


def test_what_last_year_announces_opens_to_its_tickets(town: Town, visitor: Callable[[str], Visitor]) -> None:
    this_year = town.now
    for days, number in ((-10, 2), (3, 4)):
        town.now = this_year - timedelta(days=365 - days)
        for _ in range(number):
            town.worker.reports(GARBAGE)
    town.now = this_year
    keeping.catch_up(town.database, town.world.settings.zone, town.now)
    supervisor = visitor("supervisor")
    announced = supervisor.sees("/figures/topics").text.partition("未诉先办")[2]
    opened = re.findall(r'<a href="(/figures/tickets[^"]*)">(\d+)</a>', announced)
    assert [int(number) for _, number in opened] == [4, 2]
    for address, number in opened:
        assert supervisor.sees(html.unescape(address)).text.count('<span class="code">') == int(number)


@pytest.mark.acceptance("D2")
def test_a_table_of_two_dimensions_and_three_metrics_is_kept_and_made_anew(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    busy(town)
    supervisor = visitor("supervisor")
    asked = "rows_by=grid&columns_by=source&metrics=received&metrics=handling&metrics=satisfying"
    page = supervisor.sees(f"/figures/builder?{asked}").text
    assert page.count('<th scope="col">') == 1 + 2 * 3
    lines = supervisor.sees(f"/figures/builder?{asked}&format=csv").data.decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    saved = supervisor.posts(
        "/figures/builder",
        title="网格来源",
        rows_by="grid",
        columns_by="source",
        metrics="received",
        days="90",
    )
    assert saved.status_code == 303
    kept = supervisor.sees("/figures/builder").text
    assert "网格来源" in kept
    supervisor.posts(
        "/figures/builder",
        title="当天",
        rows_by="grid",
        metrics="received",
        start="2026-03-02",
        end="2026-03-02",
    )
    dated = re.findall(r'<a href="([^"]+)">当天</a>', supervisor.sees("/figures/builder").text)
    page = supervisor.sees(html.unescape(dated[0])).text
    assert 'name="start" value="2026-03-02"' in page
    opened = re.findall(r'<a href="(/figures/tickets[^"]+)">(\d+)</a>', page)
    assert opened
    for path, number in opened:
        assert supervisor.sees(html.unescape(path)).text.count('<span class="code">') == int(number)
    remove = re.findall(r'action="(/figures/builder/[^"]+/remove)"', kept)
    assert visitor("community").posts(remove[0]).status_code == 404
    assert supervisor.posts(remove[0]).status_code == 303
    assert "网格来源</a>" not in supervisor.sees("/figures/builder").text
    assert visitor("worker").sees("/figures/builder").status_code == 403


SCHEME = {
    "title": "二〇二六年度",
    "plan_number": "KP-1",
    "base": "100",
    "title-0": "按时办理",
    "metric-0": "handling",
    "rules-0": "每少一个百分点扣一分\n不足三十件不计",
    "title-1": "群众评价",
    "title-2": "满意",
    "level-2": "2",
    "metric-2": "satisfying",
    "group-0": "中心城区",
    "units-0": [SANITATION, DRAINAGE],
    "weights-0": "60 40",
}


def test_the_numbers_of_a_scheme_open_to_their_tickets(town: Town, visitor: Callable[[str], Visitor]) -> None:
    photo = town.photo("b" * 64)
    for _ in range(2):
        code = town.worker.reports(GARBAGE).code
        town.later(hours=1).department.acts(code, "handle", solved="solved", answer="已清运", photos=(photo,))
    town.later(days=40)
    keeping.catch_up(town.database, town.world.settings.zone, town.now)
    with town.database.writing() as session:
        session.add(appraisal_plan("KP-1", town.now))
    supervisor = visitor("supervisor")
    kept = supervisor.posts("/figures/schemes", **SCHEME)
    page = supervisor.sees(kept.headers["Location"]).text
    opened = re.findall(r'<a href="(/figures/tickets[^"]*)">(\d+)</a>', page)
    assert [int(number) for _, number in opened] == [2, 2], "two of two in time, in the quarter before"
    for address, number in opened:
        assert supervisor.sees(html.unescape(address)).text.count('<span class="code">') == int(number)


@pytest.mark.acceptance("D9")
@pytest.mark.acceptance("D10")
@pytest.mark.acceptance("D11")
@pytest.mark.acceptance("D12")
def test_a_scheme_is_entered_refused_with_its_clause_and_thinned_out(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    supervisor = visitor("supervisor")
    unplanned = supervisor.posts("/figures/schemes", **SCHEME)
    assert unplanned.status_code == 422
    assert 'value="二〇二六年度"' in unplanned.text, "what was typed stays"
    with town.database.writing() as session:
        session.add(appraisal_plan("KP-1", town.now))
    third = {"title-3": "三", "level-3": "3", "metric-3": "solving"}
    for wrong, clause in (
        ({"base": "1000"}, "千分制"),
        ({"rules-0": "一\n二\n三\n四"}, "不超过 3 条"),
        (third, "二级指标外不再新增"),
        ({"weights-0": "60 50"}, "相加须为 100"),
        ({"metric-0": ""}, "注册表"),
        ({"metric-0": "dispatched"}, "不得以件数"),
        ({"units-0": []}, "每组须有自己的权重和成员"),
    ):
        refused = supervisor.posts("/figures/schemes", **{**SCHEME, **wrong})
        assert refused.status_code == 422, wrong
        assert clause in refused.text, wrong
    kept = supervisor.posts("/figures/schemes", **SCHEME)
    assert kept.status_code == 303
    page = supervisor.sees(kept.headers["Location"]).text
    assert "中心城区" in page
    assert "第 1 位" not in page
    less = supervisor.posts(f"{kept.headers['Location']}/without", title="群众评价")
    assert less.status_code == 303
    page = supervisor.sees(kept.headers["Location"]).text
    assert "群众评价" not in page
    assert '<td class="number">100</td>' in page
    assert visitor("department").posts("/figures/schemes", **SCHEME).status_code == 403


@pytest.mark.acceptance("B6")
def test_a_weekly_report_is_asked_for_only_where_somebody_turned_it_on(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    town.worker.reports()
    town.later(days=40)
    supervisor = visitor("supervisor")
    assert "week_on" not in supervisor.sees("/figures/bulletins").text
    assert supervisor.posts("/figures/bulletins", about="city", week_on="2026-03-04").status_code == 422
    assert supervisor.posts("/figures/switches", key="weekly", is_on="true").status_code == 303
    assert "周报由 督查员" in supervisor.sees("/figures/bulletins").text
    made = supervisor.posts("/figures/bulletins", about="city", week_on="2026-03-04")
    assert "2026 年 03 月 02 日至 03 月 08 日" in supervisor.sees(made.headers["Location"]).text


def test_a_threshold_is_changed_on_the_page_of_loads(town: Town, visitor: Callable[[str], Visitor]) -> None:
    busy(town)
    supervisor = visitor("supervisor")
    assert "超载</span>" not in supervisor.sees("/figures/load").text
    changed = supervisor.posts("/figures/load/limit", kind="grid", code=WEST, hours="2")
    assert changed.status_code == 303
    page = supervisor.sees("/figures/load").text
    assert page.count("超载</span>") == 1
    assert "井巷第二网格(1.0)" in page, "who has room is named"
    assert supervisor.posts("/figures/load/limit", kind="grid", code=WEST, hours="0").status_code == 422
    assert supervisor.posts("/figures/load/limit", kind="grid", code="*", hours="1").status_code == 303
    assert supervisor.sees("/figures/load").text.count("超载</span>") == 1
    assert (
        visitor("department").posts("/figures/load/limit", kind="grid", code="*", hours="9").status_code
        == 403
    )
