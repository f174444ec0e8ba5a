"""A town of two grids with one actor per audience, for tests of a ticket's life on a real database.

town.worker.reports(...)   town.department.handles(code, ...)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from shapely.geometry import box
from sqlmodel import SQLModel
from uuid6 import uuid7

import dispatch.insight.tables
import dispatch.record.desks.models
import dispatch.record.lines.models  # noqa: F401
import grid.registers.tables  # noqa: F401
from dispatch.record import actions, queries
from dispatch.record.intake import Mode, Report, Reported
from dispatch.record.models import Source, StoredPhoto, Ticket
from dispatch.record.world import World
from geo.borders import AreaShape, Level, OverlayShape, build_index
from grid.auditing import record_change
from grid.database import Database
from grid.models import (
    Account,
    AdmissionRule,
    Area,
    CalendarDay,
    Category,
    Generation,
    GenerationState,
    Organisation,
    Post,
    Responsibility,
    Ruleset,
    StagedLimit,
    TimeLimit,
)
from grid.permissions import ROLES, Actor, Tenure
from grid.settings import Settings

DISTRICT, STREET, COMMUNITY = "990101", "990101001", "990101001001"
WEST, EAST = "990101001001001", "990101001001002"
LON, LAT = 116.4, 39.9
IN_WEST = {"lon": LON + 0.005, "lat": LAT + 0.005}
IN_EAST = {"lon": LON + 0.015, "lat": LAT + 0.005}
OUTSIDE = {"lon": LON + 0.06, "lat": LAT + 0.005}
MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
PHOTO = "a" * 64

GARBAGE, COVER, CONSULT, PARKING = "200102", "100102", "900001", "200505"
BUILDING, SCRAPS, NOBODYS = "200101", "200110", "100114"
CENTRE, PATROL, SANITATION, DRAINAGE, STREET_OFFICE, COMMUNITY_OFFICE, POLICE = (
    "centre",
    "patrol",
    "sanitation-bureau",
    "drainage-company",
    "street-office",
    "community-office",
    "enforcement",
)
SECTION = "sanitation-team-1"

ORGANISATIONS = (
    (CENTRE, "区指挥中心", "centre", None, DISTRICT),
    (PATROL, "网格化服务中心", "patrol", CENTRE, DISTRICT),
    (SANITATION, "区环卫局", "sanitation", CENTRE, DISTRICT),
    (DRAINAGE, "排水公司", "drainage", CENTRE, DISTRICT),
    (SECTION, "环卫一所", "sanitation_team", SANITATION, DISTRICT),
    (POLICE, "区综合执法局", "chengguan", CENTRE, DISTRICT),
    (STREET_OFFICE, "东门街道办事处", "street", CENTRE, STREET),
    (COMMUNITY_OFFICE, "井巷社区", "community", STREET_OFFICE, COMMUNITY),
)
CATEGORIES = (
    ("20", "事件", None, "event", False, {}),
    ("2001", "市容环境", "20", "event", False, {}),
    (GARBAGE, "暴露垃圾", "2001", "event", True, {}),
    ("2005", "街面秩序", "20", "event", False, {}),
    (BUILDING, "私搭乱建", "2001", "event", True, {"enforcement": True}),
    (SCRAPS, "非法小广告", "2001", "event", True, {"preverify": True}),
    (PARKING, "机动车乱停放", "2005", "event", True, {"enforcement": True}),
    ("10", "部件", None, "part", False, {}),
    (NOBODYS, "无主(不明)井盖", "10", "part", True, {"urgent": True}),
    (COVER, "污水井盖", "10", "part", True, {"urgent": True}),
    (
        CONSULT,
        "政策咨询",
        None,
        "nature",
        True,
        {"needs_photo": False, "needs_text": True, "verify_mode": "none"},
    ),
)
LIMITS = (
    ("open", None, 2, "work_hour"),
    ("open", True, 0.5, "urgent_hour"),
    ("objection", None, 1, "work_day"),
    ("objection", True, 1, "urgent_hour"),
    ("handle", None, 5, "work_day"),
    ("handle", True, 6, "urgent_hour"),
    ("total", None, 15, "work_day"),
    ("dispatch", None, 0.25, "work_hour"),
    ("ruling", None, 4, "work_hour"),
    ("consult", None, 1, "work_day"),
    ("contact", None, 1, "work_day"),
    ("verify", None, 1, "work_day"),
    ("callback", None, 1, "work_day"),
    ("review", None, 1, "work_day"),
    ("rework", None, 3, "work_day"),
    ("accept", None, 2, "hour"),
    ("preverify", None, 4, "work_hour"),
    ("supplement", None, 5, "work_day"),
    ("second_look", None, 4, "work_hour"),
    ("receipt", None, 2, "work_day"),
    ("extension", None, 1, "work_day"),
    ("extension_max", None, 15, "work_day"),
    ("suspension", None, 1, "work_day"),
    ("settle_owner", None, 5, "work_day"),
    ("leader_approval", None, 4, "work_hour"),
    ("assist", None, 3, "work_day"),
    ("assist_sign", None, 0.5, "hour"),
    ("track", None, 30, "work_day"),
    ("reopen", None, 30, "day"),
    ("supervision", None, 3, "work_day"),
    ("upper_reserve", None, 1, "work_day"),
)
STEPS = (("责令停工", 4, "work_hour"), ("立案处罚", 7, "work_day"), ("拆除", 20, "work_day"))
RESPONSIBILITIES = (
    ("r-city", "2001", SANITATION),
    ("r-cover", COVER, DRAINAGE),
    ("r-nobodys", NOBODYS, SANITATION),
    ("r-building", BUILDING, POLICE),
    ("r-street", "2005", "kind:chengguan"),
)
PEOPLE = (
    ("worker", "王小网", "grid_worker", PATROL, WEST),
    ("neighbour", "李邻格", "grid_worker", PATROL, EAST),
    ("department", "环卫经办", "clerk", SANITATION, None),
    ("drainage", "排水经办", "clerk", DRAINAGE, None),
    ("dispatcher", "派遣员", "dispatcher", CENTRE, None),
    ("operator", "热线受理员", "operator", CENTRE, None),
    ("agent", "回访员", "callback_agent", CENTRE, None),
    ("clerk2", "第二派遣员", "dispatcher", CENTRE, None),
    ("operator2", "第二受理员", "operator", CENTRE, None),
    ("street", "街道经办", "street_clerk", STREET_OFFICE, None),
    ("community", "社区工作人员", "community_clerk", COMMUNITY_OFFICE, COMMUNITY),
    ("officer", "执法队员", "officer", POLICE, None),
    ("police", "执法局经办", "clerk", POLICE, None),
    ("chief", "环卫局分管领导", "leader", SANITATION, None),
    ("section", "环卫一所经办", "clerk", SECTION, None),
    ("lead_officer", "码上督专员", "lead_officer", CENTRE, None),
    ("supervisor", "督查员", "supervisor", CENTRE, None),
    ("inspector", "材料核查员", "material_verifier", CENTRE, None),
    ("administrator", "管理员", "administrator", CENTRE, None),
)


@dataclass
class Town:
    """The town's database, its clock, and everybody in it by name."""

    database: Database
    world: World
    now: datetime = MONDAY
    people: dict[str, "Person"] = field(default_factory=dict)

    def __getattr__(self, name: str) -> "Person":
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    def later(self, **span: float) -> "Town":
        self.now += timedelta(**span)
        return self

    def ticket(self, code: str) -> Ticket:
        with self.database.reading() as session:
            return queries.find(session, code, self.supervisor.actor)

    def lead_ticket(self, code: str) -> Ticket:
        with self.database.reading() as session:
            return queries.find(session, code, self.lead_officer.actor)

    def approves(self, organisation: str) -> None:
        """From now on the leader of this unit approves its answers."""
        with self.database.writing() as session:
            unit = session.get(Organisation, organisation)
            assert unit is not None
            unit.approves_answers = True
            record_change(session, None, "organisation", organisation, "change", now=self.now)
        with self.database.reading() as session:
            self.world.refresh(session, at_once=True)

    def photo(self, sha256: str = PHOTO) -> str:
        with self.database.writing() as session:
            if session.get(StoredPhoto, sha256) is None:
                session.add(
                    StoredPhoto(
                        sha256=sha256,
                        served_sha256=sha256,
                        bytes=1,
                        width=1,
                        height=1,
                        media_type="image/jpeg",
                        stored_at=self.now,
                    )
                )
        return sha256


@dataclass
class Person:
    """One person of the town; every act goes through the one writer."""

    town: Town
    actor: Actor

    def reports(self, category: str = GARBAGE, *, at: Mapping[str, float] = IN_WEST, **more: Any) -> Reported:
        report = Report(
            **{
                "client_uuid": uuid4(),
                "source": Source.PATROL,
                "category_code": category,
                "frame": "wgs84",
                "accuracy_m": 8.0,
                "photos": (self.town.photo(),),
                "mode": Mode.REPORT,
                **at,
                **more,
            }
        )
        town = self.town
        return town.database.write(lambda s: actions.report(s, report, self.actor, town.world, town.now))

    def acts(
        self, code: str, action: str, *, version: int | None = None, key: UUID | None = None, **given: Any
    ) -> Ticket:
        town = self.town
        return town.database.write(
            lambda s: actions.act(s, code, action, given, self.actor, town.world, town.now, version, key)
        )


def found_town(url: str, folder: Path) -> None:
    """Settle the town in an empty database; tables are made from the models."""
    database = Database(url)
    SQLModel.metadata.create_all(database.engine)
    _settle(database, folder)
    database.dispose()


def open_town(url: str, folder: Path) -> Town:
    """The town in a database where it was founded (or a copy of one)."""
    settings = Settings(instance_path=folder, secret_key="k" * 40, database_url=url)
    database = Database(url)
    town = Town(database, World(settings))
    town.people = {name: Person(town, _actor(database, name)) for name, *_ in PEOPLE}
    return town


def _settle(database: Database, folder: Path) -> None:
    areas = [
        AreaShape(DISTRICT, "示范区", Level.DISTRICT, None, None),
        AreaShape(STREET, "东门街道", Level.STREET, DISTRICT, None),
        AreaShape(COMMUNITY, "井巷社区", Level.COMMUNITY, STREET, None),
        AreaShape(WEST, "井巷第一网格", Level.GRID, COMMUNITY, box(LON, LAT, LON + 0.01, LAT + 0.01)),
        AreaShape(EAST, "井巷第二网格", Level.GRID, COMMUNITY, box(LON + 0.01, LAT, LON + 0.02, LAT + 0.01)),
    ]
    overlays = [OverlayShape("park-1", "井巷公园", "park", 5, box(LON, LAT, LON + 0.002, LAT + 0.002))]
    build_index(areas, overlays, folder / "town.index", generation="town")
    with database.writing() as session:
        # Without an id of our own, so that the database's sequence knows of it.
        generation = Generation(
            label="town", state=GenerationState.ACTIVE, index_file="town.index", created_at=MONDAY
        )
        session.add(generation)
        session.add(Ruleset(version=1, published_at=MONDAY, active_from=MONDAY, author="tests"))
        session.flush()
        whole = box(LON, LAT, LON + 0.02, LAT + 0.01)
        for area in areas:
            wkb = (area.geometry or whole).wkb
            session.add(
                Area(
                    generation_id=generation.id,
                    code=area.code,
                    name=area.name,
                    level=Level(area.level),
                    parent_code=area.parent,
                    wkb=wkb,
                    area_m2=1.0,
                )
            )
        for code, name, kind, parent, area_code in ORGANISATIONS:
            session.add(
                Organisation(code=code, name=name, kind=kind, parent_code=parent, area_code=area_code)
            )
            session.flush()
        for code, name, parent, kind, leaf, more in CATEGORIES:
            session.add(Category(code=code, name=name, parent_code=parent, kind=kind, leaf=leaf, **more))
            session.flush()
        for number, (stage, urgent, amount, unit) in enumerate(LIMITS):
            session.add(
                TimeLimit(
                    ruleset_version=1, id=f"l{number}", stage=stage, urgent=urgent, amount=amount, unit=unit
                )
            )
        session.add(
            TimeLimit(
                ruleset_version=1,
                id="make-safe",
                stage="make_safe",
                category_code=NOBODYS,
                amount=2,
                unit="urgent_hour",
            )
        )
        for step, (name, amount, unit) in enumerate(STEPS, start=1):
            session.add(
                StagedLimit(
                    ruleset_version=1,
                    category_code=BUILDING,
                    step=step,
                    name=name,
                    amount=amount,
                    unit=unit,
                )
            )
        for rule, category, main in RESPONSIBILITIES:
            session.add(Responsibility(ruleset_version=1, id=rule, category_code=category, main=main))
        session.add(
            AdmissionRule(
                ruleset_version=1,
                id="a1",
                matter="城市管理",
                category_code="2005",
                organisation_kind="community",
                applies_to="main;assistant;inspection",
                clause="不得将社区作为城市管理事务的责任主体",
            )
        )
        for on, kind in ((date(2026, 2, 14), "work"), (date(2026, 2, 16), "rest")):
            session.add(CalendarDay(on=on, kind=kind, source="test"))
        for login, name, role, organisation, area_code in PEOPLE:
            account = Account(
                id=uuid7(),
                login=login,
                name=name,
                person_key=login,
                duty_class=ROLES[role].duty_class,
                created_at=MONDAY,
            )
            session.add(account)
            session.flush()
            session.add(
                Post(
                    id=uuid7(),
                    account_id=account.id,
                    role=role,
                    organisation_code=organisation,
                    area_code=area_code,
                )
            )


def _actor(database: Database, login: str) -> Actor:
    from sqlmodel import col, select

    parents = {code: parent for code, _, _, parent, _ in ORGANISATIONS}
    with database.reading() as session:
        account = session.exec(select(Account).where(col(Account.login) == login)).one()
        posts = session.exec(select(Post).where(col(Post.account_id) == account.id)).all()
    own = posts[0].organisation_code
    above, code = set(), own
    while code:
        above.add(code)
        code = parents[code] or ""
    under = {o for o in parents if o == own or parents[o] == own}
    return Actor(
        account_id=account.id,
        person_key=account.person_key,
        name=account.name,
        duty_class=account.duty_class,
        tenures=tuple(Tenure(p.role, p.organisation_code, p.area_code) for p in posts),
        under=frozenset(under),
        answers_to=frozenset(above),
    )
