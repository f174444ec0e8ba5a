"""Registers that route: components go to their registered owner, enforcement to the team on shift in that grid."""

from datetime import UTC, datetime

import pytest
from sqlmodel import Session, select

from grid.importing.report import ImportReport
from grid.importing.sheets import parse_sheet
from grid.models import DutyRoster
from grid.registers import importing
from grid.registers.tables import Asset, EnforcementBinding
from tests.town import COVER, EAST, IN_EAST, IN_WEST, PARKING, POLICE, SANITATION, WEST, Town

BINDINGS = f"区域编码,单位编码,登录名,起始日期,截止日期\n{WEST},{POLICE},officer,2026-01-01,\n"
ASSETS = "部件编码,部件名称,类别编码,经度,纬度,权属单位编码,撤除日期\n"


def brings_in(town: Town, what: str, text: str) -> ImportReport:
    sheet = parse_sheet(f"{what}.csv", text.encode())
    work = {
        "bindings": lambda s: importing.import_bindings(s, sheet, None, town.now),
        "roster": lambda s: importing.import_roster(s, sheet, None, town.now),
        "assets": lambda s: importing.import_assets(s, sheet, "wgs84", None, town.now),
        "places": lambda s: importing.import_places(s, sheet, "gcj02", None, town.now),
    }[what]
    report: ImportReport = town.database.write(work)
    return report


@pytest.mark.acceptance("A3")
def test_the_officer_bound_to_the_grid_is_proposed_until_unbound(town: Town) -> None:
    assert brings_in(town, "bindings", BINDINGS).written
    officer = str(town.officer.actor.account_id)
    ticket = town.ticket(town.worker.reports(PARKING, at=IN_WEST).code)
    assert (ticket.main_code, (ticket.routed or {})["person"]) == (POLICE, officer)
    elsewhere = town.ticket(town.neighbour.reports(PARKING, at=IN_EAST).code)
    assert (elsewhere.main_code, (elsewhere.routed or {})["person"]) == (POLICE, None)
    brings_in(town, "bindings", "区域编码,单位编码\n" + f"{EAST},{POLICE}\n")
    unbound = town.ticket(town.worker.reports(PARKING, at=IN_WEST).code)
    assert (unbound.main_code, (unbound.routed or {})["person"]) == (POLICE, None)


def test_only_a_team_on_shift_and_of_two_is_proposed(town: Town) -> None:
    brings_in(town, "bindings", BINDINGS)

    def proposed(at: datetime) -> tuple[str | None, str]:
        town.now = at
        routed = town.ticket(town.worker.reports(PARKING).code).routed or {}
        return routed["person"], "".join(routed["notes"])

    ten, evening = datetime(2026, 3, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, 15, tzinfo=UTC)
    assert proposed(ten)[0] is not None
    assert proposed(evening) == (None, "绑定的“区综合执法局”现在不在班(没有排班表,按工作时间)")
    head = "单位编码,日期,班次,登录名\n"
    brings_in(town, "roster", f"{head}{POLICE},2026-03-03,22:00-06:00,officer\n")
    assert proposed(ten) == (None, "绑定的“区综合执法局”现在不在班")
    assert proposed(evening) == (None, "绑定的“区综合执法局”当班只有 1 人,不足两人")
    both = f"{POLICE},2026-03-03,22:00-06:00,officer\n{POLICE},2026-03-03,22:00-06:00,police\n"
    brings_in(town, "roster", head + both)
    assert proposed(evening)[0] is not None
    assert (
        proposed(datetime(2026, 3, 3, 21, tzinfo=UTC))[0] is not None
    )  # five in the morning: still that shift


def test_a_component_goes_to_the_owner_of_the_nearest_asset(town: Town) -> None:
    lon, lat = IN_WEST["lon"], IN_WEST["lat"]
    rows = (
        f"3205-1,污水井盖一号,{COVER},{lon + 0.0001},{lat},{SANITATION},\n"
        f"3205-2,污水井盖二号,{COVER},{lon + 0.0003},{lat},{POLICE},\n"
        f"3205-3,旧井盖,{COVER},{lon},{lat},{POLICE},2026-01-01\n"
    )
    assert brings_in(town, "assets", ASSETS + rows).written
    ticket = town.ticket(town.worker.reports(COVER).code)
    routed = ticket.routed or {}
    assert (ticket.main_code, routed["rule"], routed["runner_up"]) == (
        SANITATION,
        "asset",
        "drainage-company",
    )
    assert "污水井盖一号(3205-1),距上报点 9 米" in routed["reason"]
    near_two = {"lon": lon + 0.00025, "lat": lat}
    doubtful = town.ticket(town.worker.reports(COVER, at=near_two, accuracy_m=20.0).code)
    assert doubtful.main_code == POLICE
    assert "权属单位不同,定位精度分不清" in (doubtful.routed or {})["notes"][0]
    far = town.ticket(town.worker.reports(COVER, at={"lon": lon - 0.003, "lat": lat}).code)
    assert (far.main_code, (far.routed or {})["rule"]) == ("drainage-company", "r-cover")


@pytest.mark.parametrize(
    ("what", "text", "complaint"),
    [
        ("assets", ASSETS + f"a,井盖,{COVER},39.9,116.4,{SANITATION},\n", "第 2 行 “纬度”列"),
        ("assets", ASSETS + f"a,井盖,999999,116.4,39.9,{SANITATION},\n", "没有编码为 999999 的类别"),
        ("assets", ASSETS + f"a,井盖,{COVER},116.4,39.9,nobody,\n", "第 2 行 “权属单位编码”列"),
        (
            "assets",
            ASSETS + f"a,甲,{COVER},116.4,39.9,{SANITATION},\na,乙,{COVER},116.4,39.9,{SANITATION},\n",
            "第 3 行 “部件编码”列:a 与第 2 行重复",
        ),
        ("bindings", f"区域编码,单位编码,登录名\n{WEST},{POLICE},nobody\n", "没有登录名为 nobody 的账号"),
        ("bindings", f"区域编码,单位编码\n999,{POLICE}\n", "没有编码为 999 的区域"),
        ("roster", "单位编码,日期,班次\nnowhere,五月,08:00-16:00\n", "没有编码为 nowhere 的单位"),
        ("roster", f"单位编码,日期,班次\n{POLICE},2026-03-03,白班\n", "班次“白班”请写成 08:00-16:00"),
        ("places", "名称,类型,经度,纬度\n井巷,道路,东,39.9\n", "第 2 行 “经度”列"),
    ],
)
def test_each_wrong_cell_is_named_and_nothing_is_kept(
    town: Town, what: str, text: str, complaint: str
) -> None:
    report = brings_in(town, what, text)
    assert complaint in "\n".join(report.lines())
    with town.database.reading() as session:
        assert _nothing(session)


def _nothing(session: Session) -> bool:
    return not any(session.exec(select(table)).first() for table in (Asset, EnforcementBinding, DutyRoster))
