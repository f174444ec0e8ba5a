"""Borders in time, returns and admissions as pages: what an administrator, a dispatcher and the district do there."""

import gzip
from collections.abc import Callable

from shapely.geometry import box
from sqlmodel import select

from dispatch.insight.rehearsing import running
from dispatch.record.models import Admittance
from geo.borders import OverlayShape
from grid.areas import beginning, generations
from grid.areas.mapcopies import LEVELS, ZOOMS, draw_next
from grid.auditing import record_change
from grid.models import Generation, GenerationState, Responsibility
from tests.insight.rules.test_returns import returned
from tests.town import (
    COMMUNITY_OFFICE,
    DRAINAGE,
    EAST,
    GARBAGE,
    IN_WEST,
    LAT,
    LON,
    PARKING,
    STREET_OFFICE,
    WEST,
    Town,
)
from tests.web.conftest import Visitor

Enter = Callable[[str], Visitor]
CUT = f"{LON + 0.005},{LAT - 0.001};{LON + 0.005},{LAT + 0.011}"


def state_of(town: Town, generation_id: int) -> GenerationState:
    with town.database.reading() as session:
        return session.get_one(Generation, generation_id).state


def test_a_grid_is_split_on_the_page_rehearsed_begun_and_undone(town: Town, visitor: Enter) -> None:
    with town.database.writing() as session:
        whole = session.get_one(Generation, 1)
        whole.checksum = "town"
        session.add(whole)
    admin = visitor("administrator")
    town.worker.reports(at=IN_WEST)
    wrong = admin.posts("/generations/redraw/split", codes=WEST, points=CUT, names="只有一个")
    assert f'value="{WEST}" selected' in wrong.text
    assert wrong.status_code == 422
    assert "分成了 2 块" in wrong.text
    assert "只有一个" in wrong.text
    made = admin.posts("/generations/redraw/split", codes=WEST, points=CUT, names="第三网格;第四网格")
    assert made.status_code == 303, made.text
    page = admin.sees(made.location).text
    assert "拆分" in page
    assert "第三网格" in page
    key = int(made.location.rsplit("/", 1)[1])
    unrehearsed = admin.posts(f"/generations/{key}/begin")
    assert (unrehearsed.status_code, "还没有演练过" in unrehearsed.text) == (422, True)
    asked = admin.posts(f"/generations/{key}/rehearse", from_on="2026-03-01", to_on="2026-03-31")
    running.run_waiting(town.database, town.world, lambda: town.now)
    assert "1 件过去的工单里,0 件会派到别处" in admin.sees(asked.location).text
    assert state_of(town, key) is GenerationState.REHEARSED
    assert admin.posts(f"/generations/{key}/begin").status_code == 303
    assert state_of(town, key) is GenerationState.ACTIVE
    assert admin.posts("/generations/1/begin").status_code == 303
    assert (state_of(town, 1), state_of(town, key)) == (GenerationState.ACTIVE, GenerationState.RETIRED)


def test_borders_begin_at_their_instant(town: Town, visitor: Enter) -> None:
    admin = visitor("administrator")
    ground = (
        f"{LON + 0.008},{LAT};{LON + 0.0101},{LAT};{LON + 0.0101},{LAT + 0.011};{LON + 0.008},{LAT + 0.011}"
    )
    made = admin.posts("/generations/redraw/give", codes=EAST, points=ground)
    key = int(made.location.rsplit("/", 1)[1])
    past = admin.posts(f"/generations/{key}/begin", ticked="true", begins_at="2026-03-01T00:00")
    assert past.status_code == 409
    assert (
        admin.posts(f"/generations/{key}/begin", ticked="true", begins_at="2026-03-03T00:00").status_code
        == 303
    )
    with town.database.reading() as session:
        assert beginning.due_to_begin(session, town.now) == []
        assert beginning.due_to_begin(session, town.later(days=1).now) == [key]
    admin = visitor("administrator")
    assert "取消定时启用" in admin.sees(made.location).text
    assert admin.posts(f"/generations/{key}/cancel").status_code == 303
    with town.database.reading() as session:
        assert beginning.due_to_begin(session, town.now) == []


def test_rules_that_new_borders_would_break_are_said_before_they_begin(town: Town, visitor: Enter) -> None:
    with town.database.writing() as session:
        session.add(
            Responsibility(ruleset_version=1, id="west", category_code=GARBAGE, area_code=WEST, main=DRAINAGE)
        )
        record_change(session, None, "ruleset", "1", "change", now=town.now)
    admin = visitor("administrator")
    made = admin.posts("/generations/redraw/split", codes=WEST, points=CUT, names="第三网格;第四网格")
    page = admin.sees(made.location).text
    assert "现行规则在这套边界里新出现的问题(1 处)" in page
    assert "<strong>编码不存在</strong>" in page
    refused = admin.posts(f"{made.location}/begin", ticked="true")
    assert (refused.status_code, "确认知悉后再启用" in refused.text) == (422, True)
    assert admin.posts(f"{made.location}/begin", ticked="true", known="true").status_code == 303


def test_a_surface_that_comes_is_among_the_changes(town: Town, visitor: Enter) -> None:
    with town.database.writing() as session:
        active = generations.active_generation(session)
        assert active is not None
        areas = generations.areas_of(session, active.id or 0)
        park = OverlayShape("park-2", "井巷公园", "park", 5, box(LON, LAT, LON + 0.002, LAT + 0.002))
        new = generations.NewGeneration("with a park", areas, [park])
        made = generations.create_draft(session, new, None, town.now)
    generations.write_index(town.database, made.id or 0, town.world.settings.instance_path)
    changes = visitor("administrator").sees(f"/generations/{made.id}").text.partition("变化表")[2]
    assert ">新设</th><td></td><td>井巷公园</td>" in changes


def test_a_proposal_is_accepted_with_one_click(town: Town, visitor: Enter) -> None:
    returned(town)
    town.later(minutes=1)
    dispatcher = visitor("dispatcher")
    page = dispatcher.sees("/rules/returns").text
    assert "“暴露垃圾”在井巷第二网格改由排水公司承办" in page
    assert "3 件里,3 件裁定改派(100%)" in page
    assert page.partition("data-points=")[2].partition("data-areas")[0].count("[1") == 3, "each on the map"
    key = page.split('name="key" value="')[1].split('"')[0]
    done = dispatcher.posts("/rules/returns/accept", key=key)
    assert done.status_code == 303
    assert "演练" in dispatcher.sees(done.location).text
    assert dispatcher.posts("/rules/returns/accept", key=key).status_code == 409


def test_the_district_lets_one_through_and_everybody_sees_the_count(town: Town, visitor: Enter) -> None:
    code = town.worker.reports(PARKING).code
    town.police.acts(code, "object", reason_code="territory", organisation=STREET_OFFICE, basis="属街道")
    town.dispatcher.acts(code, "uphold_objection", organisation=STREET_OFFICE)
    street = visitor("street")
    page = f"/tickets/{code}/actions/assign_within"
    assert street.posts(page, organisation=COMMUNITY_OFFICE).status_code == 422
    assert street.posts("/rules/admission", code=code, to_code=COMMUNITY_OFFICE, reason="").status_code == 422
    asked = street.posts("/rules/admission", code=code, to_code=COMMUNITY_OFFICE, reason="台风值守")
    assert asked.status_code == 303
    with town.database.reading() as session:
        key = session.exec(select(Admittance.id)).one()
    assert street.posts(f"/rules/admission/{key}", outcome="approved").status_code == 403
    supervisor = visitor("supervisor")
    listed = supervisor.sees("/rules/admission").text
    assert "东门街道办事处" in listed
    assert "台风值守" in listed
    assert supervisor.posts(f"/rules/admission/{key}", outcome="approved").status_code == 303
    assert street.posts(page, organisation=COMMUNITY_OFFICE).status_code in (200, 303)


def test_a_level_of_the_borders_is_served_as_a_file_made_once(town: Town, visitor: Enter) -> None:
    admin = visitor("administrator")
    plain = admin.sees("/map/grid/14")
    assert sorted(f["properties"]["code"] for f in plain.get_json(force=True)["features"]) == [WEST, EAST]
    as_browsers = {"Accept-Encoding": "gzip"}
    first = admin.sees("/map/grid/14", headers=as_browsers)
    assert (first.headers["Content-Encoding"], "Content-Encoding" in plain.headers) == ("gzip", False)
    assert gzip.decompress(first.data) == plain.data
    folder = town.world.settings.instance_path / "maps"
    (made,) = folder.iterdir()
    before = made.stat().st_mtime_ns
    again = admin.sees("/map/grid/14", headers={**as_browsers, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert made.stat().st_mtime_ns == before
    with town.database.reading() as session:
        active = generations.active_generation(session)
        assert active is not None
        rounds = 0
        while draw_next(session, town.world.settings.instance_path, active):
            rounds += 1
    assert rounds == len(LEVELS) * len(ZOOMS) - 1, "every other copy is made before somebody asks"
    assert admin.sees("/map/nonsense/14").status_code == 404
    assert admin.sees("/map/grid/99").status_code == 404
