"""The standing world as the rules want it: rows read once, kept as values, renewed when anything changes."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, SQLModel, col

from dispatch import data
from dispatch.record.judging.books import book_of
from dispatch.rules.callbacks import Asking
from dispatch.rules.clocks import Limit, Unit
from dispatch.rules.deadlines import Rung
from dispatch.rules.rulebook import RuleBook
from dispatch.rules.worktime import Calendar, Day, DayKind, OfficeHours, duty
from geo.placed import Placed
from grid import rulesets
from grid.areas import naming, succeeding
from grid.areas.generations import index_here
from grid.areas.naming import AreaName
from grid.areas.places import Places
from grid.errors import InputError, Unavailable
from grid.models import (
    AdmissionRule,
    CalendarDay,
    Category,
    CategoryQuestion,
    EscalationRung,
    Generation,
    GenerationState,
    NoticeRule,
    Organisation,
    Responsibility,
    StagedLimit,
    StandingChange,
    TimeLimit,
)
from grid.settings import Settings

Row = TypeVar("Row", bound=SQLModel)

LOOK_EVERY_S = 1.0
CENTRE_KIND = "centre"
FALLBACK_LIMIT = Limit(1, Unit.WORK_DAY)


@dataclass(frozen=True)
class Standing:
    """One consistent reading of the standing tables."""

    ruleset_version: int
    generation_id: int | None
    zone: str
    organisations: dict[str, Organisation]
    categories: dict[str, Category]
    limits: tuple[TimeLimit, ...]
    staged: tuple[StagedLimit, ...]
    ladder: dict[tuple[str, bool], tuple[Rung, ...]]
    questions: tuple[CategoryQuestion, ...]
    responsibilities: tuple[Responsibility, ...]
    admission: tuple[AdmissionRule, ...]
    notices: tuple[NoticeRule, ...]
    calendar: Calendar
    areas: dict[str, AreaName]
    former_areas: dict[str, AreaName]
    heirs: dict[str, tuple[str, ...]]
    asking: Asking
    cross_check_percent: int
    _limit_cache: dict[tuple[str, str, str | None, bool], tuple[Limit, str | None]] = field(
        default_factory=dict
    )

    def category(self, code: str) -> Category:
        """The category, or `InputError` with what to do."""
        found = self.categories.get(code)
        if found is None or found.retired_on is not None or not found.leaf:
            raise InputError(
                f"类别 {code} 不存在或已停用,请重新选择类别", {"category_code": "请选择一个具体的小类"}
            )
        return found

    def lineage(self, category_code: str) -> tuple[str, ...]:
        """The category and its ancestors, the most specific first."""
        chain: list[str] = []
        code: str | None = category_code
        while code is not None and code not in chain and code in self.categories:
            chain.append(code)
            code = self.categories[code].parent_code
        return tuple(chain)

    def area_lineage(self, code: str) -> tuple[str, ...]:
        """The area and everything it lies in, from narrow to wide."""
        chain: list[str] = []
        area = self.areas.get(code)
        while area is not None and code not in chain:
            chain.append(code)
            code = area.parent_code or ""
            area = self.areas.get(code)
        return tuple(chain)

    def organisation(self, code: str) -> Organisation:
        """The organisation, or `InputError` when there is none or it is closed."""
        found = self.organisations.get(code)
        if found is None or found.closed_on is not None:
            raise InputError(f"单位 {code} 不存在或已撤销,请重新选择", {"organisation": "请选择现有单位"})
        return found

    def area(self, code: str | None) -> AreaName | None:
        """An area of the borders in force, or of earlier ones, as it was called the last time."""
        return self.areas.get(code or "") or self.former_areas.get(code or "")

    def area_name(self, code: str | None) -> str | None:
        """What an area is called; one that went with its borders says so."""
        known = self.area(code)
        if known is None:
            return None
        return known.name if code in self.areas else f"{known.name}(已撤销)"

    def now_there(self, code: str) -> tuple[str, ...]:
        """The areas in force that have this area's ground: itself, or who came after it."""
        return (code,) if code in self.areas else self.heirs.get(code, ())

    def superiors(self, code: str | None) -> frozenset[str]:
        """The organisation itself and everything above it: what it belongs or answers to."""
        found: set[str] = set()
        waiting = [code]
        while waiting:
            organisation = self.organisations.get(waiting.pop() or "")
            if organisation is not None and organisation.code not in found:
                found.add(organisation.code)
                waiting += [organisation.parent_code, organisation.supervised_by]
        return frozenset(found)

    def hours(self, organisation_code: str | None) -> OfficeHours:
        """Office hours of a unit; duty organisations work around the clock."""
        organisation = self.organisations.get(organisation_code or "")
        if organisation is None:
            return OfficeHours(self.zone)
        if organisation.duty_24x7:
            return duty(self.zone)
        return (
            OfficeHours.parse(organisation.office_hours, self.zone)
            if organisation.office_hours
            else OfficeHours(self.zone)
        )

    def limit(
        self, stage: str, category_code: str, nature: str | None, urgent: bool
    ) -> tuple[Limit, str | None]:
        """The limit of a stage and the row it comes from: category before class before nature before general."""
        key = (stage, category_code, nature, urgent)
        if key not in self._limit_cache:
            self._limit_cache[key] = self._find_limit(*key)
        return self._limit_cache[key]

    def _find_limit(
        self, stage: str, category_code: str, nature: str | None, urgent: bool
    ) -> tuple[Limit, str | None]:
        lineage = self.lineage(category_code)

        def rank(row: TimeLimit) -> tuple[int, int, int]:
            place = lineage.index(row.category_code) if row.category_code else len(lineage)
            return (place, 0 if row.nature else 1, 0 if row.urgent is not None else 1)

        fitting = [
            row
            for row in self.limits
            if row.stage == stage
            and (row.category_code is None or row.category_code in lineage)
            and (row.nature is None or row.nature == nature)
            and (row.urgent is None or row.urgent == urgent)
        ]
        if not fitting:
            return FALLBACK_LIMIT, None
        best = min(fitting, key=rank)
        return Limit(best.amount, Unit(best.unit)), best.id

    def stage_limit(self, stage: str) -> Limit:
        """The limit of a stage that is no ticket's (a letter's answer)."""
        return self.limit(stage, "", None, False)[0]

    def steps(self, category_code: str) -> tuple[StagedLimit, ...]:
        """The steps of a matter that is done in stages; one whose owner is unknown goes another way."""
        if self.is_ownerless(category_code):
            return ()
        return tuple(
            sorted((row for row in self.staged if row.category_code == category_code), key=lambda r: r.step)
        )

    def is_ownerless(self, category_code: str) -> bool:
        """Whether the category is made safe first and given an owner afterwards: it has such a limit of its own."""
        return category_code in self._ownerless

    @cached_property
    def _ownerless(self) -> frozenset[str]:
        found = {row.category_code for row in self.limits if row.stage == "make_safe" and row.category_code}
        return frozenset(code for code in found if code)

    def rungs(self, clock_kind: str, *, urgent: bool) -> tuple[Rung, ...]:
        """The rungs that a clock of this kind climbs, the first one first."""
        return self.ladder.get((clock_kind, urgent), ())

    def units_below(self, code: str | None) -> frozenset[str]:
        """The organisations that belong to a unit, itself left out."""
        found: set[str] = set()
        waiting = [code]
        while waiting:
            parent = waiting.pop()
            below = [
                o.code for o in self.organisations.values() if o.parent_code == parent and not o.closed_on
            ]
            waiting += [code for code in below if code not in found]
            found.update(below)
        return frozenset(found)

    @cached_property
    def book(self) -> RuleBook:
        """Rows of responsibility and negative list, arranged for the rules of routing."""
        return book_of(self.responsibilities, self.organisations.values(), self.admission)

    @cached_property
    def centre_code(self) -> str:
        """The dispatch centre, which owns whatever has no unit yet."""
        centres = sorted(
            o.code for o in self.organisations.values() if o.kind == CENTRE_KIND and not o.closed_on
        )
        if not centres:
            raise Unavailable("还没有登记指挥中心(单位类型 centre),请管理员先导入单位表")
        return centres[0]


class World:
    """The process's view of the standing world: values, and the open index of the active borders."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.places = Places(settings.instance_path)
        self._standing: Standing | None = None
        self._former: tuple[int | None, dict[str, AreaName], dict[str, tuple[str, ...]]] | None = None
        self._stamp: object = None
        self._looked_at = -LOOK_EVERY_S
        self._lock = threading.Lock()
        self.clock: Callable[[], datetime] = _moment

    def refresh(self, session: Session, *, at_once: bool = False) -> Standing:
        """The present standing world; looks for changes at most once a second."""
        session.connection()  # first the database's lock, then ours: the other way round two writers wait in a ring
        with self._lock:
            now = time.monotonic()
            if self._standing is None or at_once or now - self._looked_at >= LOOK_EVERY_S:
                changes = select(func.max(StandingChange.at), func.count(col(StandingChange.id)))
                stamp = (*session.execute(changes).one(), rulesets.in_force(session, self.clock()))
                if self._standing is None or stamp != self._stamp:
                    self._standing, self._stamp = self._read(session), stamp
                self._looked_at = now
            return self._standing

    @property
    def standing(self) -> Standing:
        assert self._standing is not None, "refresh first"
        return self._standing

    def locate(self, *, lon: float, lat: float, accuracy_m: float | None, frame: str) -> Placed:
        """Place a point in the active borders."""
        return self.places.locate(lon=lon, lat=lat, accuracy_m=accuracy_m, frame=frame)

    def _read(self, session: Session) -> Standing:
        version = rulesets.in_force(session, self.clock())
        if version is None:
            raise Unavailable("还没有发布规则(类别、时限、职责),请管理员先运行 flask grid seed")
        generation = session.execute(
            select(Generation).where(col(Generation.state) == GenerationState.ACTIVE)
        ).scalar_one_or_none()
        if generation is not None:
            index_here(session, generation, self.settings.instance_path)
        self.places.use(generation)

        key = generation.id if generation else None
        areas = naming.present(session, key)
        if self._former is None or self._former[0] != key:  # read again only when others come in force
            self._former = key, naming.former(session, key), succeeding.heirs(session, areas)

        def values(table: type[Row], *conditions: ColumnElement[bool]) -> tuple[Row, ...]:
            found = tuple(session.execute(select(table).where(*conditions)).scalars())
            for row in found:
                session.expunge(row)  # kept beyond this session, so no rollback may expire it
            return found

        return Standing(
            ruleset_version=version,
            generation_id=key,
            zone=self.settings.timezone,
            organisations={row.code: row for row in values(Organisation)},
            categories={row.code: row for row in values(Category)},
            limits=values(TimeLimit, col(TimeLimit.ruleset_version) == version),
            staged=values(StagedLimit, col(StagedLimit.ruleset_version) == version),
            ladder=_ladder(values(EscalationRung, col(EscalationRung.ruleset_version) == version)),
            questions=values(CategoryQuestion, col(CategoryQuestion.ruleset_version) == version),
            responsibilities=values(Responsibility, col(Responsibility.ruleset_version) == version),
            admission=values(AdmissionRule, col(AdmissionRule.ruleset_version) == version),
            notices=values(NoticeRule, col(NoticeRule.ruleset_version) == version),
            areas=areas,
            former_areas=self._former[1],
            heirs=self._former[2],
            calendar=Calendar({row.on: Day(DayKind(row.kind), row.name) for row in values(CalendarDay)}),
            cross_check_percent=self.settings.cross_check_percent,
            asking=Asking(
                zone=self.settings.timezone,
                sample_share=self.settings.callback_percent / 100,
                seed=self.settings.callback_seed,
            ),
        )


def _moment() -> datetime:
    return datetime.now(UTC)


def _ladder(rows: tuple[EscalationRung, ...]) -> dict[tuple[str, bool], tuple[Rung, ...]]:
    """The rungs by clock and urgency; a set that was published before it had any runs by the shipped ones."""
    found: dict[tuple[str, bool], list[Rung]] = defaultdict(list)
    for row in rows or data.escalation().rows:
        after = Limit(row.after_amount, Unit(row.after_unit)) if row.after_amount and row.after_unit else None
        found[(row.clock, row.urgent)].append(Rung(row.name, row.percent, after))
    return {key: tuple(sorted(rungs, key=_height)) for key, rungs in found.items()}


def _height(rung: Rung) -> tuple[int, float]:
    return rung.percent, rung.after.amount if rung.after else 0
