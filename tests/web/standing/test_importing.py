"""Borders and tables brought in as an administrator does it: step by step, with what was said before remembered."""

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from shapely.geometry import box, mapping
from sqlmodel import select

from dispatch import duties
from grid import rulesets
from grid.areas import generations
from grid.models import Account, Generation, GenerationState, Organisation, Responsibility
from grid.registers.tables import Asset
from tests.town import (
    COMMUNITY,
    COVER,
    DISTRICT,
    DRAINAGE,
    GARBAGE,
    LAT,
    LON,
    PARKING,
    SANITATION,
    STREET,
    Town,
)
from tests.web.conftest import Visitor

Enter = Callable[[str], Visitor]
TOKEN = re.compile(r'action="(/borders/[0-9a-f-]{36})/draft"')


def borders(
    *, swapped: bool = False, code: str = "code", overlap: float = 0.0, parent: str = COMMUNITY
) -> bytes:
    def polygon(number: int) -> dict[str, Any]:
        west = LON + number * 0.01 - (overlap if number else 0)
        shape = mapping(box(west, LAT, LON + number * 0.01 + 0.01, LAT + 0.01))
        if swapped:
            shape = {**shape, "coordinates": [[(y, x) for x, y in ring] for ring in shape["coordinates"]]}
        return {
            "type": "Feature",
            "properties": {
                code: f"{COMMUNITY}01{number}",
                "name": f"新网格{number}",
                "level": "grid",
                "up": parent,
            },
            "geometry": shape,
        }

    uppers = [
        (DISTRICT, "示范区", "district", ""),
        (STREET, "东门街道", "street", DISTRICT),
        (COMMUNITY, "井巷社区", "community", STREET),
    ]
    whole = mapping(box(LON, LAT, LON + 0.02, LAT + 0.01))
    if swapped:
        whole = {**whole, "coordinates": [[(y, x) for x, y in ring] for ring in whole["coordinates"]]}
    above = [
        {"type": "Feature", "properties": {code: c, "name": n, "level": lv, "up": up}, "geometry": whole}
        for c, n, lv, up in uppers
    ]
    return json.dumps({"type": "FeatureCollection", "features": [*above, polygon(0), polygon(1)]}).encode()


def versions(town: Town) -> list[Generation]:
    with town.database.reading() as session:
        return list(session.exec(select(Generation).order_by(Generation.id)))


def drawn(town: Town, generation_id: int) -> dict[str, Any]:
    with town.database.reading() as session:
        return {area.code: area.geometry for area in generations.areas_of(session, generation_id)}


def test_from_the_files_to_the_draft_on_one_page(town: Town, visitor: Enter) -> None:
    admin = visitor("administrator")
    page = admin.posts("/borders/", files=(io.BytesIO(borders(overlap=0.0002)), "全套.geojson"))
    assert page.status_code == 200
    assert "重叠" in page.text
    step = TOKEN.search(page.text)
    assert step
    boxes = re.findall(r'name="choose" value="([^"]+)"', page.text)
    asked = admin.posts(f"{step[1]}/draft", choose=["all"])
    assert (asked.status_code, "请确认坐标系" in asked.text) == (422, True)
    assert 'value="all" checked' in asked.text
    assert "all" in boxes
    made = admin.posts(f"{step[1]}/draft", choose=["all"], frame="wgs84")
    assert made.status_code == 303, made.text
    _, new = versions(town)
    assert (new.state, new.index_file is not None) == (GenerationState.DRAFT, True)
    shapes = drawn(town, new.id or 0)
    assert shapes[f"{COMMUNITY}010"].intersection(shapes[f"{COMMUNITY}011"]).area == 0
    onward = admin.sees(made.location).text
    assert "开始演练" in onward
    assert 'aria-current="step">演练' in onward
    assert admin.posts(f"{step[1]}/draft", frame="wgs84").status_code == 404, (
        "what became a draft is not kept"
    )


def test_what_is_wrong_stays_on_the_page_and_nothing_is_stored(town: Town, visitor: Enter) -> None:
    admin = visitor("administrator")
    data = json.loads(borders())
    data["features"].append(data["features"][-1])
    page = admin.posts("/borders/", files=(io.BytesIO(json.dumps(data).encode()), "a.geojson"), frame="wgs84")
    step = TOKEN.search(page.text)
    assert step
    refused = admin.posts(f"{step[1]}/draft")
    assert refused.status_code == 422
    assert "还不能存为草稿" in refused.text
    assert "重复" in refused.text
    assert len(versions(town)) == 1


def test_latitude_first_is_a_tick(town: Town, visitor: Enter) -> None:
    admin = visitor("administrator")
    file = borders(swapped=True)
    wrong = admin.posts("/borders/", files=(io.BytesIO(file), "a.geojson"), frame="wgs84")
    assert "纬度在前" in wrong.text
    assert "--swapped" not in wrong.text, "a page has no options"
    turn = re.search(r'action="(/borders/[0-9a-f-]{36}/turn)"', wrong.text)
    assert turn
    turned = admin.posts(turn[1]).text
    assert ("已对调" in turned, turn[1] in turned) == (True, False)
    page = admin.posts("/borders/", files=(io.BytesIO(file), "a.geojson"), frame="wgs84", swapped="1")
    step = TOKEN.search(page.text)
    assert step
    assert admin.posts(f"{step[1]}/draft").status_code == 303
    west = drawn(town, versions(town)[-1].id or 0)[f"{COMMUNITY}010"]
    assert west.bounds == pytest.approx((LON, LAT, LON + 0.01, LAT + 0.01))


def test_a_zone_can_be_chosen_where_the_coordinates_are_metres(visitor: Enter) -> None:
    square = mapping(box(500_000, 3_900_000, 500_900, 3_900_900))
    feature = {
        "type": "Feature",
        "properties": {"code": f"{COMMUNITY}010", "name": "网格"},
        "geometry": square,
    }
    projected = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    admin = visitor("administrator")
    refused = admin.posts("/borders/", files=(io.BytesIO(projected), "a.geojson"), frame="wgs84").text
    assert "EPSG" in refused
    assert 'value="4544"' in admin.sees("/borders/").text
    assert (
        "坐标超出"
        not in admin.posts("/borders/", files=(io.BytesIO(projected), "a.geojson"), frame="4544").text
    )


def test_what_columns_mean_is_said_once(town: Town, visitor: Enter) -> None:
    admin = visitor("administrator")
    strange = borders(code="ident_9")
    first = admin.posts("/borders/", files=(io.BytesIO(strange), "a.geojson"), frame="wgs84").text
    step = TOKEN.search(first)
    assert step
    assert "按上次指定的" not in first
    said = {"code": "ident_9", "name": "name", "parent": "up", "level": "level"}
    again = admin.posts(f"{step[1]}/columns", **said).text
    assert 'value="up" selected' in again
    second = admin.posts("/borders/", files=(io.BytesIO(strange), "明年.geojson"), frame="wgs84").text
    assert "按上次指定的" in second
    onward = TOKEN.search(second)
    assert onward
    assert admin.posts(f"{onward[1]}/draft").status_code == 303
    assert f"{COMMUNITY}010" in drawn(town, versions(town)[-1].id or 0)


def test_a_strange_table_is_explained_once_and_then_known(town: Town, visitor: Enter) -> None:
    admin = visitor("administrator")
    table = f"ID,叫什么,小类,X,Y,归谁\nw-1,井盖一,{COVER},{LON + 0.005},{LAT + 0.005},{DRAINAGE}\n".encode()
    asked = admin.posts("/imports/assets", files=(io.BytesIO(table), "台账.csv"), frame="wgs84")
    assert asked.status_code == 422
    assert "没认出必填的列:部件编码" in asked.text
    action = re.search(r'action="(/imports/assets/[0-9a-f-]{36})"', asked.text)
    assert action
    said = {"code": "ID", "name": "叫什么", "category_code": "小类", "lon": "X", "lat": "Y"}
    half = admin.posts(action[1], **said)
    assert (half.status_code, "权属单位编码" in half.text, 'value="ID" selected' in half.text) == (
        422,
        True,
        True,
    )
    done = admin.posts(action[1], **said, owner_code="归谁")
    assert (done.status_code, "已导入" in done.text) == (200, True), done.text
    later = table.replace(b"w-1", b"w-2")
    known = admin.posts("/imports/assets", files=(io.BytesIO(later), "下月.csv"), frame="wgs84")
    assert "已导入" in known.text
    wrong = table.replace(COVER.encode(), b"999999")
    named = admin.posts("/imports/assets", files=(io.BytesIO(wrong), "错.csv"), frame="wgs84")
    assert "第 2 行 “小类”列" in named.text, "the fault is named by the file's own column"
    with town.database.reading() as session:
        assert sorted(session.exec(select(Asset.code))) == ["w-1", "w-2"]


def test_every_kind_has_an_empty_table_that_is_understood(visitor: Enter) -> None:
    admin = visitor("administrator")
    home = admin.sees("/imports/").text
    for what in ("organisations", "staff", "responsibilities", "assets", "bindings", "roster", "places"):
        assert f"/imports/{what}.csv" in home
        empty = admin.sees(f"/imports/{what}.csv").data
        answer = admin.posts(f"/imports/{what}", files=(io.BytesIO(empty), "空.csv"), frame="wgs84").text
        assert "没认出" not in answer
        assert "缺少列" not in answer


def test_staff_by_the_word_account(town: Town, visitor: Enter) -> None:
    table = "账号,姓名,岗位,单位编码\nqian,钱经办,部门经办人,sanitation-bureau\n".encode("gbk")
    answer = visitor("administrator").posts("/imports/staff", files=(io.BytesIO(table), "人员.csv"))
    assert "已导入" in answer.text, answer.text
    with town.database.reading() as session:
        assert session.exec(select(Account.name).where(Account.login == "qian")).one() == "钱经办"


def test_a_table_with_faults_lists_rows_and_columns(visitor: Enter, town: Town) -> None:
    data = "单位编码,单位名称,单位类型\nu-1,某局,没有的类型\n".encode("gbk")
    page = visitor("administrator").posts("/imports/organisations", files=(io.BytesIO(data), "单位.csv"))
    assert page.status_code == 422
    assert "第 2 行" in page.text
    with town.database.reading() as session:
        assert session.get(Organisation, "u-1") is None


def test_responsibilities_wait_as_a_draft_and_good_rows_come_in_when_asked(
    town: Town, visitor: Enter
) -> None:
    admin = visitor("administrator")
    table = f"规则编号,类别编码,主办单位\na,{GARBAGE},{SANITATION}\nb,999999,{SANITATION}\n".encode()
    refused = admin.posts("/imports/responsibilities", files=(io.BytesIO(table), "职责.csv"))
    assert (refused.status_code, "没有导入任何内容" in refused.text) == (422, True)
    taken = admin.posts("/imports/responsibilities", files=(io.BytesIO(table), "职责.csv"), only_good="yes")
    assert "这些行没有导入;其余已导入" in taken.text
    assert 'href="/rules/2"' in taken.text
    with town.database.reading() as session:
        assert rulesets.in_force(session, town.now) == 1, "nothing begins past the linter"
        assert [row.id for row in rulesets.rows_of(session, Responsibility, 2)] == ["a"]


@pytest.mark.acceptance("A4")
def test_parking_for_the_community_is_refused_with_its_row_on_the_page(town: Town, visitor: Enter) -> None:
    table = f"规则编号,类别编码,主办单位\na,{GARBAGE},{SANITATION}\nb,{PARKING},井巷社区\n".encode()
    page = visitor("administrator").posts("/imports/responsibilities", files=(io.BytesIO(table), "职责.csv"))
    assert page.status_code == 422
    assert "第 3 行 “主办单位”列" in page.text
    assert "不得将社区作为城市管理事务的责任主体" in page.text
    with town.database.reading() as session:
        assert rulesets.newest_version(session) == 1


def test_an_export_brought_in_makes_no_difference_on_the_page(town: Town, visitor: Enter) -> None:
    admin = visitor("administrator")
    file = admin.sees("/rules/1.csv").data
    assert (
        "已存为第 2 版草稿"
        in admin.posts("/imports/responsibilities", files=(io.BytesIO(file), "r.csv")).text
    )
    assert "职责行没有差别" in admin.sees("/rules/2").text
    with town.database.reading() as session:
        assert duties.export_duties(session, 2).encode() == file


def test_what_only_pretends_to_be_a_workbook_is_said_so(visitor: Enter) -> None:
    fake = (io.BytesIO(b"hello, this is no workbook".replace(b",", b"")), "人员.xlsx")
    answer = visitor("administrator").posts("/imports/staff", files=fake)
    assert answer.status_code == 422
    assert "内容却不是表格" in answer.text
    assert "没认出" not in answer.text


@pytest.mark.parametrize("path", ["/imports/", "/borders/"])
def test_only_those_who_change_the_standing_world(visitor: Enter, path: str) -> None:
    assert visitor("administrator").sees(path).status_code == 200
    assert visitor("worker").sees(path).status_code in (403, 404)
