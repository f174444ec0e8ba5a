"""The made-up city before any ticket: borders in force, an office for every duty, somebody in every office."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlmodel import Session, col, select

from dispatch import data
from geo.borders import AreaShape, Level
from geo.inventing import DEMO, City, invent_city
from grid import accounts, rulesets
from grid.areas import beginning
from grid.areas.generations import NewGeneration
from grid.auditing import record_change, values_of
from grid.database import Database
from grid.models import Organisation, Responsibility
from grid.settings import Settings

SEED = 12345
LABEL = "虚构城市 2026 版"
CENTRE, SUPERVISION = "centre", "supervision"
OFFICES = {
    "rapid_response": "应急处置队", "chengguan": "城市管理综合行政执法局", "sanitation": "环境卫生服务中心",
    "parks": "园林绿化局", "municipal": "市政工程养护中心", "drainage": "排水管理所", "river": "水务局",
    "water": "自来水公司", "power": "供电公司", "gas": "燃气公司", "heat": "热力公司", "telecom": "通信运营公司",
    "broadcast": "广电网络公司", "post": "邮政公司", "transport": "交通运输局", "traffic_police": "公安局交警大队",
    "police": "公安分局", "fire": "消防救援大队", "emergency": "应急管理局", "housing": "住房和城乡建设局",
    "planning": "自然资源和规划局", "market": "市场监督管理局", "ecology": "生态环境局", "agriculture": "农业农村局",
    "culture": "文化和旅游局", "civil": "民政局", "human_resources": "人力资源和社会保障局",
    "medical_insurance": "医疗保障局", "education": "教育局", "health": "卫生健康委员会", "commerce": "商务局",
    "tax": "税务局", "civil_defence": "人民防空办公室",
}  # fmt: skip
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀英霞平刚桂文辉玲建国玉梅红海燕"


@dataclass(frozen=True)
class Login:
    """One account that a visitor of the demo may use."""

    login: str
    label: str


@cache
def borders() -> City:
    """The city's shapes, the same for everybody."""
    return invent_city(DEMO, seed=SEED)


def draw_borders(database: Database, settings: Settings, now: datetime) -> None:
    """Put the borders in force."""
    city = borders()
    new = NewGeneration(
        LABEL, city.areas, city.overlays, source=f"geo.inventing, seed {SEED}", synthetic=True
    )
    beginning.put_in_force(
        database, new, settings.instance_path, None, now, now.astimezone(settings.zone).date()
    )


def settle(session: Session, password_hash: str, now: datetime) -> None:
    """Organisations, people and additional duties, unless they are there already; the caller commits."""
    city = borders()
    if session.exec(select(Organisation.code).limit(1)).first() is not None:
        return
    for organisation in organisations(city):
        session.add(organisation)
        session.flush()
        code, values = organisation.code, values_of(organisation)
        record_change(session, None, "organisation", code, "create", after=values, now=now)
    usable = {login.login for login in logins(city)}
    for new_account in staff(city):
        account = accounts.create_account(session, new_account, None, now)
        if account.login in usable:  # all of them share one password
            account.password_hash, account.password_changed_at = password_hash, now
    _add_duties(session, city, now)


def organisations(city: City) -> Iterator[Organisation]:
    """Parents first. The workers' teams belong to the centre, so that they may check everybody else's work."""
    town = city.level(Level.CITY)[0]
    kinds = {row.kind: row for row in data.organisation_kinds().rows}
    short = town.name.removesuffix("(虚构)")
    yield _organisation(CENTRE, f"{short}城市运行管理中心", "centre", None, None)
    yield _organisation(SUPERVISION, f"{short}机关效能督查室", "supervision", None, None)
    for kind, name in OFFICES.items():
        if kinds[kind].level == "city":
            yield _organisation(kind, f"{short}{name}", kind, None, None)
    for number, district in enumerate(city.level(Level.DISTRICT), start=1):
        government = f"district-{number}"
        yield _organisation(government, f"{district.name}人民政府", "district_government", None, district)
        for kind, name in OFFICES.items():
            if kinds[kind].level == "district":
                yield _organisation(f"{kind}-{number}", f"{district.name}{name}", kind, government, district)
    governments = {d.code: f"district-{n}" for n, d in enumerate(city.level(Level.DISTRICT), start=1)}
    for street in city.level(Level.STREET):
        office = "人民政府" if street.name.endswith("镇") else "办事处"
        above = governments[street.parent or ""]
        yield _organisation(_at("street", street), f"{street.name}{office}", "street", above, street)
        yield _organisation(
            _at("enforcement", street),
            f"{street.name}综合执法队",
            "enforcement_team",
            _at("street", street),
            street,
        )
        yield _organisation(_at("grid", street), f"{street.name}网格员队", "grid_team", CENTRE, street)
    for community in city.level(Level.COMMUNITY):
        kind = "village" if community.name.endswith("村") else "community"
        above = f"street-{(community.parent or '')[:9]}"
        yield _organisation(
            f"community-{community.code}",
            f"{community.name}居民委员会" if kind == "community" else f"{community.name}村民委员会",
            kind,
            above,
            community,
        )


def staff(city: City) -> Iterator[accounts.NewAccount]:
    """One clerk in every office, one worker for every community (the first with two grids), and the centre."""
    names = _names()
    town = city.level(Level.CITY)[0]
    for login, role, office in (
        ("guanli", "administrator", CENTRE),
        ("shouli", "operator", CENTRE),
        ("paiqian", "dispatcher", CENTRE),
        ("huifang", "callback_agent", CENTRE),
        ("ducha", "supervisor", SUPERVISION),
        ("hecha", "material_verifier", SUPERVISION),
        ("xiansuo", "lead_officer", SUPERVISION),
        ("lingdao", "leader", "sanitation-1"),
    ):
        yield accounts.NewAccount(login, next(names), (accounts.NewPost(role, office, town.code),))
    for number, community in enumerate(city.level(Level.COMMUNITY), start=1):
        team = f"grid-{(community.parent or '')[:9]}"
        grids = [area.code for area in city.level(Level.GRID) if area.parent == community.code]
        held = grids[:2] if number == 1 else [community.code]
        posts = tuple(accounts.NewPost("grid_worker", team, code) for code in held)
        yield accounts.NewAccount(f"wangge{number}", next(names), posts)
    for organisation in organisations(city):
        if organisation.kind in ("grid_team", "supervision"):
            continue
        has_area = organisation.kind in ("community", "village", "street")
        role = {"community": "community_clerk", "village": "community_clerk", "street": "street_clerk"}.get(
            organisation.kind, "clerk"
        )
        post = accounts.NewPost(role, organisation.code, organisation.area_code if has_area else None)
        yield accounts.NewAccount(organisation.code, next(names), (post,))
    first = city.level(Level.COMMUNITY)[0]
    rest = [area.code for area in city.level(Level.GRID) if area.parent == first.code][2:]
    posts = tuple(accounts.NewPost("grid_worker", f"grid-{(first.parent or '')[:9]}", code) for code in rest)
    yield accounts.NewAccount(f"wangge{len(city.level(Level.COMMUNITY)) + 1}", next(names), posts)


def logins(city: City) -> list[Login]:
    """One login per role, for whoever tries the demo."""
    street = city.level(Level.STREET)[0]
    community = city.level(Level.COMMUNITY)[0]
    return [
        Login("wangge1", f"网格员({community.name}第 1、2 网格)"),
        Login("wangge2", "网格员(邻近社区)"),
        Login("sanitation-1", "承办单位:环境卫生"),
        Login("chengguan-1", "承办单位:城管执法"),
        Login("municipal-1", "承办单位:市政养护"),
        Login(_at("street", street), f"承办单位:{street.name}"),
        Login(f"community-{community.code}", f"社区:{community.name}"),
        Login("xiansuo", "码上督专员"),
        Login("lingdao", "分管领导:环境卫生"),
        Login("shouli", "热线受理员"),
        Login("paiqian", "派遣员"),
        Login("huifang", "回访员"),
        Login("hecha", "材料核查员"),
        Login("ducha", "督查员"),
        Login("guanli", "系统管理员"),
    ]


def _add_duties(session: Session, city: City, now: datetime) -> None:
    """Parks, rivers and expressways have keepers of their own, whatever district they run through."""
    version = rulesets.newest_version(session)
    rows = [
        Responsibility(**row.model_dump())
        for row in session.exec(select(Responsibility).where(col(Responsibility.ruleset_version) == version))
    ]
    keepers = {
        "park": ("2001", "kind:parks"),
        "river": ("2001", "kind:river"),
        "expressway": ("2001", "kind:municipal"),
    }
    for overlay in city.overlays:
        category, keeper = keepers[overlay.kind]
        rows.append(
            Responsibility(
                ruleset_version=0,
                id=f"overlay-{overlay.code}",
                category_code=category,
                overlay_code=overlay.code,
                main=keeper,
                note=f"{overlay.name}范围内的市容环境由管养单位负责",
            )
        )
    rulesets.publish(session, rows, author="虚构城市", note="叠加面的管养责任", actor=None, now=now)


def _organisation(
    code: str, name: str, kind: str, parent: str | None, area: AreaShape | None
) -> Organisation:
    row = next(row for row in data.organisation_kinds().rows if row.kind == kind)
    return Organisation(
        code=code,
        name=name,
        kind=kind,
        parent_code=parent,
        area_code=area.code if area else None,
        duty_24x7=row.duty_24x7,
        approves_answers=code == "sanitation-1",
        phone="0999-0000000" if row.duty_24x7 else None,
    )


def _at(kind: str, street: AreaShape) -> str:
    return f"{kind}-{street.code[:9]}"


def _names() -> Iterator[str]:
    number = 0
    while True:
        yield (
            SURNAMES[number * 7 % len(SURNAMES)]
            + GIVEN[number * 5 % len(GIVEN)]
            + (GIVEN[number * 11 % len(GIVEN)] if number % 3 else "")
        )
        number += 1
