"""Who works where when borders change, as the pages show it: before, after, and where nobody is left."""

import re
from collections.abc import Callable

from flask import Flask
from sqlmodel import select

from dispatch.insight.rollups import keeping
from dispatch.insight.topics import finding
from dispatch.record.renewing import replacing
from grid import codes
from grid.models import Account, Generation, GenerationState, Post
from tests.insight.rules.test_following import ONE, TWO, split
from tests.town import COMMUNITY, EAST, IN_WEST, LAT, LON, PATROL, WEST, Town
from tests.web.conftest import Visitor

Enter = Callable[[str], Visitor]
CUT = f"{LON + 0.005},{LAT - 0.001};{LON + 0.005},{LAT + 0.011}"


def test_posts_are_told_before_and_after_and_a_grid_without_a_worker_is_warned_of(
    town: Town, visitor: Enter
) -> None:
    admin = visitor("administrator")
    assert "没有网格员" not in admin.sees("/admin/").text
    made = admin.posts(
        "/generations/redraw/split", codes=WEST, points=CUT, names="第三网格;第四网格"
    ).location
    before = admin.sees(made).text
    assert "启用当天按地块转到新的区域" in before
    assert "王小网" in before
    assert "第三网格、第四网格" in before
    assert "每个网格都有网格员" in before
    begun = admin.posts(f"{made}/begin", ticked="true", known="true")
    assert begun.location == made
    after = admin.sees(made).text
    assert "启用时已按地块转到新的区域" in after
    assert "/admin/accounts?q=worker" in after
    assert "第三网格" in visitor("worker").sees("/worker/").text
    with town.database.reading() as session:
        post = session.exec(select(Post).where(Post.area_code == ONE)).one()
        worker = session.exec(select(Account).where(Account.login == "worker")).one()
    assert admin.posts(f"/admin/accounts/posts/{post.id}/end").status_code == 303
    for path in ("/admin/", "/admin/operations"):
        assert "1 个网格没有网格员" in admin.sees(path).text
    assert f'第三网格 <span class="code">{ONE}</span>' in admin.sees(made).text
    people = f"/admin/accounts/{worker.id}/posts"
    wrong = admin.posts(people, role="grid_worker", organisation_code=PATROL, area_code=WEST)
    assert (wrong.status_code, f"没有编码为 {WEST} 的区域" in wrong.text) == (422, True)
    assert admin.posts(people, role="clerk", organisation_code=PATROL).status_code == 422
    given = admin.posts(people, role="grid_worker", organisation_code=PATROL, area_code=ONE)
    assert given.status_code == 303
    assert "没有网格员" not in admin.sees("/admin/operations").text
    assert f'第三网格 <span class="code">{ONE}</span>' in admin.sees("/admin/accounts?q=worker").text
    assert visitor("supervisor").posts(people, role="grid_worker").status_code == 403


def test_a_draft_is_discarded_on_its_page(town: Town, visitor: Enter) -> None:
    admin = visitor("administrator")
    made = admin.posts(
        "/generations/redraw/split", codes=WEST, points=CUT, names="第三网格;第四网格"
    ).location
    assert visitor("supervisor").posts(f"{made}/discard").status_code == 403
    with town.database.reading() as session:
        index = session.exec(select(Generation.index_file).where(Generation.state == "draft")).one()
    folder = town.world.settings.instance_path
    assert (folder / str(index)).exists()
    assert admin.posts(f"{made}/discard").status_code == 303
    assert not (folder / str(index)).exists()
    page = admin.sees(made)
    assert "已废弃" in page.text
    assert "/begin" not in page.text
    assert admin.posts(f"{made}/begin", ticked="true").status_code == 409
    assert admin.posts("/generations/1/discard").status_code == 409
    with town.database.reading() as session:
        states = session.exec(select(Generation.state).order_by(Generation.id)).all()
    assert states == [GenerationState.ACTIVE, GenerationState.DISCARDED]


def test_an_old_code_is_called_by_its_name_wherever_figures_speak_of_it(town: Town, visitor: Enter) -> None:
    for _ in range(3):
        town.worker.reports(at=IN_WEST, mode="remind")
    town.neighbour.reports(at={"lon": LON + 0.015, "lat": LAT + 0.005})
    keeping.catch_up(town.database, town.world.settings.zone, town.now)
    assert finding.look(town.database, town.now) == 1
    town.later(days=1)
    split(town)
    town.later(seconds=5)
    replacing.replace_open(town.database, town.world, town.now)
    keeping.catch_up(town.database, town.world.settings.zone, town.now)
    supervisor, old = visitor("supervisor"), "井巷第一网格(已撤销)"
    for page in (
        "/figures/table?by=grid",
        "/figures/builder?rows_by=grid&metrics=received",
        "/figures/topics",
    ):
        text = supervisor.sees(page).text
        assert old in text, page
        assert "尚未确定" not in text, page
    opened = supervisor.sees(f"/figures/?area={WEST}")
    assert (opened.status_code, old in opened.text) == (200, True)
    assert old in supervisor.sees(f"/figures/tickets?measure=received&by=grid&only={WEST}").text
    community = supervisor.sees(f"/figures/map?area={COMMUNITY}").text
    assert "另有 3 件没有画在图上" in community
    itself = supervisor.sees(f"/figures/map?area={WEST}").text
    assert "没有画在图上" not in itself, "an area that went is drawn as it was"
    (drawn,) = supervisor.sees(f"/figures/map.json?area={WEST}").json["features"]
    assert (drawn["properties"]["code"], len(drawn["geometry"]["coordinates"][0])) == (WEST, 5)
    assert re.search(
        rf'原地现在是:<a href="[^"]*area={ONE}">第三网格</a>、<a href="[^"]*area={TWO}">', itself
    )
    days = {"start": "2026-03-01", "end": "2026-03-31"}
    lines = supervisor.posts("/figures/export", **days).data.decode("utf-8-sig").splitlines()
    assert sum(old in line for line in lines) == 3
    assert not any(WEST in line for line in lines)
    assert "井巷第一网格 (abolished)" in supervisor.sees("/figures/table?by=grid&lang=en").text


def test_the_sheet_of_a_split_grid_names_those_that_have_its_ground(
    town: Town, app: Flask, visitor: Enter
) -> None:
    with town.database.writing() as session:
        row = codes.present(session, WEST, town.now)
        token = codes.token(town.world.settings, row.area_code, row.serial)
    split(town)
    resident = Visitor(app.test_client())
    page = resident.sees(f"/g/{token}").text
    assert "<h1>第三网格、第四网格</h1>" in page
    assert "这张公示牌印的是“井巷第一网格”" in page
    assert page.count("王小网") == 1, "who has both parts is named once"
    fields = {"category_code": "200102", "text": "墙角堆了垃圾", "client_uuid": "0" * 31 + "1"}
    near = {"lon": str(LON + 0.007), "lat": str(LAT + 0.005), "accuracy_m": "5"}
    assert resident.posts(f"/g/{token}", **fields, **near).status_code == 303, "a part is no other grid"
    fields["client_uuid"] = "0" * 31 + "2"
    assert resident.posts(f"/g/{token}", **fields).status_code == 303, (
        "without a position the middle of the old one"
    )
    asked = resident.posts(
        f"/g/{token}", **fields, lon=str(LON + 0.015), lat=str(LAT + 0.005), accuracy_m="5"
    )
    assert "您似乎在井巷第二网格" in asked.text
    assert EAST in asked.text


def test_a_split_is_shown_drafted_once_and_read_by_who_puts_it_in_force(town: Town, visitor: Enter) -> None:
    for n in range(8):
        town.worker.reports(at={"lon": LON + 0.001 + n * 0.001, "lat": LAT + 0.005})
    supervisor, admin = visitor("supervisor"), visitor("administrator")
    assert "/figures/load/split" not in supervisor.sees("/figures/load").text
    supervisor.posts("/figures/load/limit", kind="grid", code=WEST, hours="5")
    assert f"/figures/load/split?code={WEST}" in supervisor.sees("/figures/load").text
    where = f"/figures/load/split?code={WEST}"
    page = supervisor.sees(where).text
    assert re.findall(r'<th scope="row">(\S+)</th><td class="number">([\d.]+)', page) == [
        ("现在:井巷第一网格", "8.0"),
        ("以后:井巷第一网格之一", "4.0"),
        ("以后:井巷第一网格之二", "4.0"),
    ]
    assert page.count('<circle class="dot"') == 8
    assert "王小网 · 网格员 · 井巷第一网格" in page
    assert "社区工作人员 · 社区(村)工作人员 · 井巷社区" in page
    assert admin.posts("/figures/load/split", code=WEST).status_code == 403
    for _ in range(2):
        drafted = supervisor.posts("/figures/load/split", code=WEST)
        assert drafted.location == where
    with town.database.reading() as session:
        (draft,) = session.exec(select(Generation).where(Generation.state == GenerationState.DRAFT)).all()
    assert draft.label == "拆分井巷第一网格 2026-03-02 10:00:00"
    assert draft.index_file is not None
    again = supervisor.sees(where).text
    assert draft.label in again
    assert "起草拆分</button>" not in again
    assert f"/generations/{draft.id}" not in again, "what would be refused is no link"
    assert f'href="/generations/{draft.id}"' in admin.sees(where).text
    assert where in admin.sees(f"/generations/{draft.id}").text
    assert supervisor.sees(f"/figures/load/split?code={COMMUNITY}").status_code == 200
    assert supervisor.sees("/figures/load/split?code=nothing").status_code == 422
    assert visitor("worker").sees(where).status_code == 403
