"""Every number opens into exactly its tickets, for whoever may see figures, without names and without ranks."""

import html
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlmodel import col, select

from dispatch.insight.load import measuring
from dispatch.insight.metrics.formulas import METRICS
from dispatch.insight.metrics.measures import BY_KEY as MEASURES
from dispatch.insight.rollups import keeping
from dispatch.insight.topics import finding
from dispatch.record.models import TicketEvent
from dispatch.upkeep import verifying
from tests.town import COVER, GARBAGE, IN_EAST, OUTSIDE, PARKING, SANITATION, WEST, Town
from tests.web.conftest import Visitor
from web.supervisor import tables

NUMBER = re.compile(r'href="(/figures/tickets[^"]*)"[^>]*>(?:<span[^>]*>)?(?:<strong>)?[^<0-9]*(\d+)')
ROW = re.compile(r'href="/tickets/[^"]+"')
ENTRY = re.compile(r'<span class="code">')


def lively(town: Town) -> None:
    """Tickets in several states, places and units."""
    for place in (IN_EAST, OUTSIDE):
        town.neighbour.reports(GARBAGE, at=place)
    for category in (GARBAGE, COVER, PARKING, GARBAGE):
        town.worker.reports(category)
    code = town.worker.reports(GARBAGE).code
    photo = town.photo("b" * 64)
    town.later(hours=1).department.acts(code, "handle", solved="solved", answer="已清运", photos=(photo,))
    town.worker.acts(code, "verify_pass", photos=(photo,))
    town.later(hours=8)
    keeping.catch_up(town.database, town.world.settings.zone, town.now)


@pytest.mark.acceptance("D1")
def test_every_number_on_the_pages_is_the_length_of_its_list(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    lively(town)
    finding.look(town.database, town.now)
    supervisor = visitor("supervisor")
    pages = ["/figures/", f"/figures/?organisation={SANITATION}", "/figures/map"]
    pages += [f"/figures/table?by={by}" for by in tables.LABELS]
    pages += ["/figures/heat", "/figures/heat?source=patrol", "/figures/durations", "/figures/topics"]
    pages += [f"/figures/load?kind={kind}" for kind in measuring.KINDS]
    pages += ["/figures/builder?rows_by=grid&columns_by=source&metrics=received&metrics=handling"]
    pages += ["/figures/builder?rows_by=category&columns_by=street&metrics=received&metrics=handling"]
    opened = {
        (html.unescape(path), int(number))
        for page in pages
        for path, number in NUMBER.findall(supervisor.sees(page).text)
    }
    for path, number in opened:
        assert len(ROW.findall(supervisor.sees(path).text)) == number, path
    assert len(opened) > 60
    kinds = (
        "hour=",
        "took=total.",
        "took=stage.",
        "now=piece",
        "measure=received",
        "now=open",
        "topic=",
        "across=",
    )
    for kind in kinds:
        assert any(kind in path for path, _ in opened), kind


def test_today_and_the_flow_open_and_a_slice_is_chosen_by_form(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    lively(town)
    supervisor = visitor("supervisor")
    page = supervisor.sees("/figures/").text
    today = re.findall(r"<strong>(\d+)</strong><span>(\S+) · 今天", page)
    assert [label for _, label in today] == ["登记受理", "结案", "派单"]
    flow = page.partition('id="flow"')[2].partition("</table>")[0]
    steps = re.findall(r'class="s5 step">(\S+) <a href="[^"]+">(\d+)</a>', flow)
    assert steps[:2] == [("登记受理", "7"), ("派单", "6")]
    rows = supervisor.sees("/figures/?format=csv&picture=flow").data.decode("utf-8-sig").splitlines()
    assert "登记受理,登记受理,7" in rows
    form = page.partition("选日期和范围")[2].partition("</form>")[0]
    assert {"start", "end", "area", "category", "organisation", "source"} <= set(
        re.findall(r'name="([a-z]+)"', form)
    )
    day = town.now.date().isoformat()
    chosen = f"/figures/?start={day}&end={day}&area=&category={GARBAGE}&organisation=&source=patrol"
    assert "暴露垃圾" in supervisor.sees(chosen).text


def test_what_a_rate_leaves_out_stands_beside_it(town: Town, visitor: Callable[[str], Visitor]) -> None:
    code = town.worker.reports(GARBAGE).code
    town.later(hours=1).department.acts(code, "start")
    town.department.acts(code, "ask_exclusion", reason_code="force_majeure", reason="台风")
    town.supervisor.acts(code, "grant_exclusion", reason="属实")
    keeping.catch_up(town.database, town.world.settings.zone, town.now)
    page = visitor("supervisor").sees("/figures/").text
    row = page.split(">按期结案率</a></th>")[1].split("</tr>")[0]
    assert re.search(r"缓办\(批准挂账\) 0</span>", row)
    assert re.search(r'剔除 <a href="/figures/tickets\?[^"]*measure=excluded[^"]*">1</a>', row)


@pytest.mark.acceptance("D1")
def test_there_is_nowhere_to_type_a_figure(visitor: Callable[[str], Visitor]) -> None:
    """Every form that posts, on every page of figures, has no field for a number."""
    supervisor = visitor("supervisor")
    from flask import current_app

    with supervisor.client.application.app_context():
        rules = [rule for rule in current_app.url_map.iter_rules() if rule.endpoint.startswith("supervisor.")]
    paths = [rule.rule for rule in rules if "GET" in (rule.methods or set()) and not rule.arguments]
    assert len(paths) > 5
    for path in paths:
        page = supervisor.sees(path)
        if page.mimetype != "text/html":
            continue
        for form in re.findall(r'<form method="post".*?</form>', page.text, re.S):
            assert 'type="number"' not in form, path


@pytest.mark.acceptance("D24")
def test_no_page_ranks_and_small_samples_show_no_rate(town: Town, visitor: Callable[[str], Visitor]) -> None:
    lively(town)
    supervisor = visitor("supervisor")
    for path in ("/figures/", "/figures/table?by=organisation", "/figures/table?by=street", "/figures/map"):
        page = supervisor.sees(path).text
        assert not re.search(r"名次|排名表|第 ?\d+ ?名", page), path
        assert 'class="rate"' not in page, "seven tickets are too few for a rate"
    codes = re.findall(r"only=([a-z-]+)", supervisor.sees("/figures/table?by=organisation").text)
    assert list(dict.fromkeys(codes)) == sorted(set(codes)), "in the order of codes, not of numbers"


def test_a_table_comes_as_csv_and_xlsx_with_the_same_numbers(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    lively(town)
    supervisor = visitor("supervisor")
    answer = supervisor.sees("/figures/table?by=grid&format=csv")
    lines = answer.data.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("网格,登记受理,结案,派单")
    assert {line.split(",")[0]: line.split(",")[1] for line in lines[1:]} == {
        "尚未确定": "1",
        "井巷第一网格": "5",
        "井巷第二网格": "1",
    }
    book = supervisor.sees("/figures/table?by=grid&format=xlsx")
    assert book.data[:2] == b"PK"
    assert book.data == supervisor.sees("/figures/table?by=grid&format=xlsx").data


def test_a_long_table_comes_in_pages_and_whole_as_a_file(
    town: Town, visitor: Callable[[str], Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    lively(town)
    monkeypatch.setattr(tables, "PAGE", 2)
    supervisor = visitor("supervisor")
    first = supervisor.sees("/figures/table?by=grid").text
    assert "第 1—2 行,共 3 行" in first
    assert first.count('<th scope="row">') == 2
    following = re.search(r'href="([^"]*page=1[^"]*)"', first)
    assert following
    last = supervisor.sees(html.unescape(following[1])).text
    assert "第 3—3 行,共 3 行" in last
    assert last.count('<th scope="row">') == 1
    assert "下一页" not in last
    assert len(supervisor.sees("/figures/table?by=grid&format=csv").data.splitlines()) == 4


def test_every_picture_is_kept_as_a_table_and_the_map_as_a_picture(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    lively(town)
    supervisor = visitor("supervisor")
    page = supervisor.sees("/figures/").text
    files = [html.unescape(path) for path in re.findall(r'href="(/figures/\?[^"]*format=csv[^"]*)"', page)]
    pictures = re.findall(r'data-save(?:-table)?="([a-z-]+)"', page)
    assert [re.search(r"picture=([a-z-]+)", path)[1] for path in files] == pictures  # type: ignore[index]
    for path in files:
        body = supervisor.sees(path).data.decode("utf-8-sig").splitlines()
        assert len(body) > 1, path
        assert supervisor.sees(path.replace("csv", "xlsx")).data[:2] == b"PK"
    by_source = supervisor.sees("/figures/?format=csv&picture=part-source").data.decode("utf-8-sig")
    assert sum(int(line.split(",")[1]) for line in by_source.splitlines()[1:]) == 7
    areas = supervisor.sees("/figures/map?format=csv").data.decode("utf-8-sig").splitlines()
    assert areas[0] == "编码,区域,登记"
    assert sum(int(line.split(",")[2]) for line in areas[1:]) == 6
    drawn = supervisor.sees("/figures/map?format=svg&area=990101001001&start=2026-02-01&end=2026-03-31")
    assert drawn.mimetype == "image/svg+xml"
    said = "".join(ElementTree.fromstring(drawn.data).itertext())
    for words in ("登记件数", "2026-02-01 至 2026-03-31", "井巷第一网格", "井巷第二网格"):
        assert words in said, "a map that was saved says what, when and where by itself"
    hours = supervisor.sees("/figures/heat?format=csv").data.decode("utf-8-sig").splitlines()
    assert sum(int(number) for line in hours[1:] for number in line.split(",")[1:]) == 7
    assert "小时" in supervisor.sees("/figures/load?format=csv").data.decode("utf-8-sig")
    assert supervisor.sees("/figures/heat?format=png").status_code == 422


def test_a_community_sees_its_own_figures_only(town: Town, visitor: Callable[[str], Visitor]) -> None:
    lively(town)
    community = visitor("community")
    lines = community.sees("/figures/table?by=grid&format=csv").data.decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["井巷第一网格", "井巷第二网格"]
    listed = community.sees("/figures/tickets?measure=received").text
    assert len(ENTRY.findall(listed)) == 6
    assert ROW.findall(listed) == [], "what it may not open is no link"
    assert len(ROW.findall(visitor("supervisor").sees("/figures/tickets?measure=received").text)) > 6


def test_the_head_of_a_unit_and_a_street_see_their_own_figures(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    lively(town)
    for login, units in (("chief", {"区环卫局"}), ("street", set())):
        its = visitor(login)
        page = its.sees("/figures/table?by=organisation&days=90")
        assert set(re.findall(r'<th scope="row">([^<]+)</th>', page.text)) == units
        for shown in ("/figures/", "/figures/table?by=category", "/figures/heat"):
            for path, number in NUMBER.findall(its.sees(shown).text):
                assert len(ENTRY.findall(its.sees(html.unescape(path)).text)) == int(number), path
        assert its.sees("/figures/load").status_code == 403
        assert its.sees("/figures/switches").status_code == 403


@pytest.mark.parametrize("login", ["supervisor", "community", "chief", "street"])
def test_the_row_of_links_has_no_page_that_is_shut(visitor: Callable[[str], Visitor], login: str) -> None:
    its = visitor(login)
    row = its.sees("/figures/").text.split('<ul class="sub')[1].split("</ul>")[0]
    links = re.findall(r'href="([^"]+)"', row)
    assert len(links) > 5
    assert {path: its.sees(path).status_code for path in links} == dict.fromkeys(links, 200)


def test_figures_are_closed_to_those_without_the_permission(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    for login in ("worker", "department", "dispatcher"):
        assert visitor(login).sees("/figures/").status_code == 403
        assert visitor(login).sees("/figures/tickets?measure=received").status_code == 403


def test_a_number_that_does_not_exist_is_refused_in_words(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    supervisor = visitor("supervisor")
    for path in ("?measure=login_count", "?measure=received&by=person", "?now=open&page=x", "", "?now=age:x"):
        assert supervisor.sees(f"/figures/tickets{path}").status_code == 422
    for narrowed in ("area=nowhere", "organisation=nobody", "category=nothing"):
        assert supervisor.sees(f"/figures/?{narrowed}").status_code == 404
    assert supervisor.sees("/figures/?start=2026-05-01&end=2026-01-01").status_code == 422
    for days in ("end=0001-01-05", "end=9999-12-31&days=366", "start=9998-01-01&end=9999-12-31", "start=x"):
        for page in ("", "table?by=month&", "heat", "burden"):
            assert supervisor.sees(f"/figures/{page}{'' if '?' in page else '?'}{days}").status_code == 422


def test_map_and_heat_show_what_the_table_says(town: Town, visitor: Callable[[str], Visitor]) -> None:
    lively(town)
    supervisor = visitor("supervisor")
    shapes = supervisor.sees("/figures/map.json?area=990101001001").json
    assert [f["properties"]["name"] for f in shapes["features"]] == ["井巷第一网格", "井巷第二网格"]
    assert len(shapes["points"]) == 6
    assert all(code for _, _, code, _ in shapes["points"])
    theirs = visitor("community").sees("/figures/map.json").json["points"]
    assert [code for _, _, code, _ in theirs] == [None] * 6, "counted, and no way to a page that is shut"
    assert ">7<" in supervisor.sees("/figures/heat").text, "all were reported in one hour"


def test_every_metric_has_its_place_in_the_register(visitor: Callable[[str], Visitor]) -> None:
    supervisor = visitor("supervisor")
    register = supervisor.sees("/figures/metrics").text
    linked = set(re.findall(r'href="/figures/metrics#(\w+)"', supervisor.sees("/figures/").text))
    assert linked == {metric.key for metric in METRICS}
    for metric in METRICS:
        place = html.unescape(register.split(f'id="{metric.key}"')[1].split("</section>")[0])
        counted = [key for key, _ in metric.numerator] + [metric.denominator or "closed", *metric.excluded]
        words = [metric.label, metric.words, metric.source, metric.formula]
        words += [MEASURES[key].label for key in counted] if metric.denominator else []
        assert [one for one in words if one not in place] == [], metric.key
    english = supervisor.sees("/figures/metrics?lang=en").text
    assert re.findall(r"[\u4e00-\u9fff]+", english.split("<main")[1].split("</main>")[0]) == []


def test_numbers_can_be_read_on_every_shade() -> None:
    """The ink of a coloured cell and of the link in it, against its shade (WCAG AA)."""
    styles = Path("web/static/figures.css").read_text("utf-8")
    shades = re.findall(r"\.s(\d) \{ background: (#\w{6}); \}", styles)
    assert len(shades) == 6
    usual = re.findall(r"\.heat td, \.heat td a \{ color: (#\w+); \}", styles)
    for number, shade in shades:
        inks = re.findall(rf"\.heat \.s{number}, \.heat \.s{number} a[^{{]*\{{ color: (#\w+)", styles)
        (ink,) = inks or usual
        assert _contrast(shade, ink) > 4.5, number


def _contrast(one: str, other: str) -> float:
    dark, light = sorted(_brightness(shade) for shade in (one, other))
    return (light + 0.05) / (dark + 0.05)


def _brightness(shade: str) -> float:
    parts = [
        int(sign * (2 if len(shade) == 4 else 1), 16) / 255
        for sign in re.findall(".." if len(shade) == 7 else ".", shade[1:])
    ]
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_durations_that_must_be_looked_up_one_by_one_come_after_the_page(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    lively(town)
    supervisor = visitor("supervisor")
    assert "承办时长" in supervisor.sees(f"/figures/?source=patrol&organisation={SANITATION}").text
    page = supervisor.sees(f"/figures/?category={GARBAGE}&area={WEST}").text
    assert "承办时长" not in page
    address = re.search(r'hx-get="(/figures/durations[^"]*)"', page)
    assert address is not None
    later = html.unescape(address[1])
    piece = supervisor.sees(later, headers={"HX-Request": "true"}).text
    assert "承办时长" in piece
    assert "<html" not in piece
    whole = supervisor.sees(later).text
    assert "承办时长" in whole
    assert "<html" in whole


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
