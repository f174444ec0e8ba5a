"""The administrator's pages: people, imports with their reports, the audit, and how the service runs."""

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from shapely.geometry import box, mapping
from sqlmodel import select
from uuid6 import uuid7

from dispatch.record.models import OutboxRow
from grid.models import Generation, GenerationState, Organisation
from tests.town import LAT, LON, MONDAY, Town
from tests.web.conftest import Visitor

Enter = Callable[[str], Visitor]


def upload(visitor: Visitor, path: str, name: str, data: bytes, **fields: Any) -> Any:
    return visitor.client.post(
        path,
        data={"csrf_token": visitor.form_token, "files": (io.BytesIO(data), name), **fields},
        content_type="multipart/form-data",
    )


def borders(*codes: str) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": f"网格{n}", "level": "grid"},
            "geometry": mapping(box(LON + n * 0.01, LAT, LON + n * 0.01 + 0.01, LAT + 0.01)),
        }
        for n, code in enumerate(codes)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_an_account_is_made_with_a_link_and_a_second_login_of_the_name_is_refused(visitor: Enter) -> None:
    admin = visitor("administrator")
    fields = {
        "login": "newclerk",
        "name": "新经办",
        "role": "clerk",
        "organisation_code": "sanitation-bureau",
    }
    page = admin.posts("/admin/accounts", **fields)
    assert page.status_code == 200
    link = re.search(r"/password/[\w-]+", page.text)
    assert link
    assert "设置密码" in page.text
    again = admin.posts("/admin/accounts", **fields)
    assert again.status_code == 422
    assert "已被使用" in again.text
    assert 'value="newclerk"' in again.text


def test_nobody_shuts_the_own_account(visitor: Enter, town: Town) -> None:
    own = town.administrator.actor.account_id
    page = visitor("administrator").posts(f"/admin/accounts/{own}/switch")
    assert page.status_code == 422
    assert "不能停用自己的账号" in page.text


def test_borders_without_a_frame_are_never_guessed(visitor: Enter, town: Town) -> None:
    page = upload(
        visitor("administrator"), "/admin/import/borders", "边界.geojson", borders("990101001001001")
    )
    assert page.status_code == 422
    assert "请选择坐标系" in page.text
    with town.database.reading() as session:
        assert len(session.exec(select(Generation)).all()) == 1


def test_the_zone_that_a_refusal_asks_for_can_be_chosen(visitor: Enter) -> None:
    square = mapping(box(500_000, 3_900_000, 500_900, 3_900_900))
    named = {"code": "990101001001001", "name": "网格1", "level": "grid"}
    feature = {"type": "Feature", "properties": named, "geometry": square}
    projected = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    enter = visitor("administrator")
    refused = upload(enter, "/admin/import/borders", "a.geojson", projected, frame="wgs84")
    assert "EPSG" in refused.text
    assert 'value="4544"' in refused.text
    taken = upload(enter, "/admin/import/borders", "a.geojson", projected, frame="4544")
    assert "请给出 EPSG" not in taken.text


def test_doubled_codes_are_named_and_nothing_is_kept(visitor: Enter, town: Town) -> None:
    data = borders("990101001001001", "990101001001001")
    page = upload(visitor("administrator"), "/admin/import/borders", "a.geojson", data, frame="wgs84")
    assert page.status_code == 422
    assert "没有导入任何内容" in page.text
    with town.database.reading() as session:
        assert len(session.exec(select(Generation)).all()) == 1


def test_a_table_with_faults_lists_rows_and_columns(visitor: Enter, town: Town) -> None:
    data = "单位编码,单位名称,单位类型\nu-1,某局,没有的类型\n".encode("gbk")
    page = upload(visitor("administrator"), "/admin/import/organisations", "单位.csv", data)
    assert page.status_code == 422
    assert "第 2 行" in page.text
    with town.database.reading() as session:
        assert session.get(Organisation, "u-1") is None


def test_given_up_work_can_be_run_again(visitor: Enter, town: Town) -> None:
    key = uuid7()
    with town.database.writing() as session:
        session.add(
            OutboxRow(
                intake_district="990101",
                id=key,
                topic="notify",
                created_at=MONDAY,
                available_at=MONDAY,
                dead_at=MONDAY,
                attempts=8,
                last_error="短信网关拒绝",
            )
        )
    admin = visitor("administrator")
    assert "短信网关拒绝" in admin.sees("/admin/operations").text
    admin.posts(f"/admin/operations/again/outbox/990101/{key}")
    with town.database.reading() as session:
        row = session.get(OutboxRow, ("990101", key))
    assert row is not None
    assert (row.dead_at, row.attempts) == (None, 0)


def test_redis_down_is_a_yellow_line_for_administrators(visitor: Enter) -> None:
    assert "Redis 没有应答" in visitor("administrator").sees("/admin/operations").text


@pytest.mark.parametrize("path", ["/admin/", "/admin/accounts", "/admin/changes"])
def test_only_administrators_come_in(visitor: Enter, path: str) -> None:
    assert visitor("administrator").sees(path).status_code == 200
    assert visitor("supervisor").sees(path).status_code == 403


def test_the_active_borders_are_shown(visitor: Enter, town: Town) -> None:
    with town.database.reading() as session:
        active = session.exec(select(Generation)).one()
    assert active.state is GenerationState.ACTIVE
    assert "使用中" in visitor("administrator").sees("/admin/").text


def test_accounts_are_found_by_login_name_or_unit_and_paged(
    town: Town, visitor: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = visitor("administrator")
    for words, found, hidden in (
        ("neighb", "李邻格", "王小网"),
        ("王小", "王小网", "李邻格"),
        ("排水", "排水经办", "李邻格"),
    ):
        page = admin.sees("/admin/accounts", query_string={"q": words}).text
        table = page[page.index("<tbody>") : page.index("</tbody>")]
        assert found in table
        assert hidden not in table
    assert "没有找到" in admin.sees("/admin/accounts?q=%25").text
    monkeypatch.setattr("web.admin.PEOPLE", 4)
    path, seen = "/admin/accounts", []
    while path:
        page = admin.sees(path).text
        seen += re.findall(r'<th scope="row">(\w+)', page)
        following = re.search(r'href="(/admin/accounts\?after=[^"]+)"', page)
        path = following[1] if following else ""
    assert seen == sorted(town.people)
