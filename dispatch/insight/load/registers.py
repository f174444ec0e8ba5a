"""What the burden board counts beside measures of tickets: rows of registers, and the lists that they open as."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlmodel import Session, col

from dispatch.insight.metrics import present
from dispatch.insight.metrics.slices import DIMENSIONS, FIGURES, Slice
from dispatch.insight.reports.sheets import Plain
from dispatch.insight.rollups.models import NONE
from dispatch.record import queries
from dispatch.record.models import Ticket, TicketCode, TicketEvent
from dispatch.record.models.admitting import HandedDown
from dispatch.record.oversight import plans
from dispatch.record.oversight.models import InspectionTask, InspectionVisit, PlanEntry, Recheck
from dispatch.record.world import Standing
from dispatch.rules.workflow import BY_ACTION
from grid.permissions import Actor

READ_PLANS, RECHECK = "plan:read", "ticket:recheck"
CITY: frozenset[str] = frozenset()
UNIT = frozenset({"organisation_code"})
EVERYTHING = frozenset(column for _, column in DIMENSIONS.values())


@dataclass(frozen=True)
class Reading:
    """What turns codes and moments into words."""

    standing: Standing
    zone: ZoneInfo

    def unit(self, code: str | None) -> str:
        known = self.standing.organisations.get(code or "")
        return known.name if known else code or "系统"

    def category(self, code: str) -> str:
        known = self.standing.categories.get(code)
        return known.name if known else code

    def area(self, code: str | None) -> str:
        return self.standing.area_name(code) or code or ""

    def when(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class Register:
    """One table of the board: its rows of a slice, oldest first, and how one reads.

    `follows` are the columns of a slice that it knows; whatever else is asked for, it counts for the whole city.
    """

    key: str
    label: str
    verb: str
    follows: frozenset[str]
    rows: Callable[[Slice, ZoneInfo, Actor], Select[Any]]
    heads: tuple[str, ...]
    cells: Callable[[Any, Reading], tuple[Plain, ...]]

    def is_of_city(self, its: Slice) -> bool:
        """Whether the slice is narrower than what is counted."""
        return bool(its.columns - self.follows)

    def number(self, session: Session, its: Slice, zone: ZoneInfo, actor: Actor) -> int:
        query = self.rows(its, zone, actor).order_by(None)
        counted = query.with_only_columns(func.count(), maintain_column_froms=True)
        return int(session.execute(counted).scalar_one())


def _moments(column: Any, its: Slice, zone: ZoneInfo) -> ColumnElement[bool]:
    at = col(column)
    return and_(at >= its.period.begins_at(zone.key), at < its.period.ends_at(zone.key))


def _off_list(its: Slice, zone: ZoneInfo, _actor: Actor) -> Select[Any]:
    query = select(HandedDown).where(_moments(HandedDown.at, its, zone))
    if units := its.codes.get("organisation_code"):
        query = query.where(func.coalesce(col(HandedDown.by_code), NONE).in_(units))
    return query.order_by(col(HandedDown.at), col(HandedDown.id))


def _direct(its: Slice, zone: ZoneInfo, actor: Actor) -> Select[Any]:
    query = select(TicketEvent).where(
        queries.seldom("self_handle", "remind"), _moments(TicketEvent.at, its, zone)
    )
    if its.columns:
        same = and_(
            col(Ticket.intake_district) == col(TicketEvent.intake_district),
            col(Ticket.id) == col(TicketEvent.ticket_id),
        )
        query = query.join(Ticket, same).where(*present.conditions(its, actor))
    return query.order_by(col(TicketEvent.at), col(TicketEvent.id))


def _plans(its: Slice, _zone: ZoneInfo, _actor: Actor) -> Select[Any]:
    within = and_(col(PlanEntry.from_on) <= its.period.to_on, col(PlanEntry.to_on) >= its.period.from_on)
    return select(PlanEntry).where(within).order_by(col(PlanEntry.from_on), col(PlanEntry.number))


def _tasks(its: Slice, zone: ZoneInfo, _actor: Actor) -> Select[Any]:
    query = select(InspectionTask).where(_moments(InspectionTask.created_at, its, zone))
    return query.order_by(col(InspectionTask.created_at), col(InspectionTask.id))


def _visits(its: Slice, _zone: ZoneInfo, _actor: Actor) -> Select[Any]:
    week = col(InspectionVisit.week_on)
    query = select(InspectionVisit).where(week.between(its.period.from_on, its.period.to_on))
    return query.order_by(week, col(InspectionVisit.id))


def _rechecks(its: Slice, zone: ZoneInfo, _actor: Actor) -> Select[Any]:
    query = select(Recheck).where(_moments(Recheck.drawn_at, its, zone))
    return query.order_by(col(Recheck.drawn_at), col(Recheck.id))


REGISTERS = {
    one.key: one
    for one in (
        Register(
            "off_list",
            "清单外下派企图,已拦下待认定(次)",
            FIGURES,
            UNIT,
            _off_list,
            ("时间", "单位", "派给", "类别", "依据"),
            lambda row, its: (
                its.when(row.at),
                its.unit(row.by_code),
                its.unit(row.to_code),
                its.category(row.category_code),
                row.clause,
            ),
        ),
        Register(
            "direct",
            "自行处置、当场提醒,免去的流转(件)",
            FIGURES,
            EVERYTHING,
            _direct,
            ("时间", "做法"),
            lambda row, its: (its.when(row.at), BY_ACTION[row.action].label),
        ),
        Register(
            "plans",
            "期内有效的登记计划(项)",
            READ_PLANS,
            CITY,
            _plans,
            ("计划号", "类别", "事项", "审批依据", "牵头单位", "自", "至"),
            lambda row, its: (
                row.number,
                plans.KINDS[row.kind],
                row.title,
                row.approval,
                its.unit(row.organisation_code),
                row.from_on.isoformat(),
                row.to_on.isoformat(),
            ),
        ),
        Register(
            "tasks",
            "按计划发布的巡查(项)",
            READ_PLANS,
            CITY,
            _tasks,
            ("时间", "计划号", "事项", "类别", "提出单位", "执行单位"),
            lambda row, its: (
                its.when(row.created_at),
                row.plan_number,
                row.title,
                its.category(row.category_code),
                its.unit(row.organisation_code),
                its.unit(row.executor_code),
            ),
        ),
        Register(
            "visits",
            "合并后的进门(次)",
            READ_PLANS,
            CITY,
            _visits,
            ("周(周一)", "地点", "网格", "执行单位"),
            lambda row, its: (
                row.week_on.isoformat(),
                row.name,
                its.area(row.grid_code),
                its.unit(row.executor_code),
            ),
        ),
        Register(
            "rechecks",
            "按计划抽查(件)",
            RECHECK,
            CITY,
            _rechecks,
            ("时间", "计划号"),
            lambda row, its: (its.when(row.drawn_at), row.plan_number),
        ),
    )
}


# Columns that hold the program's words; in the others stands what somebody typed.
OWN = frozenset({"做法", "类别", "依据"})


class Line(NamedTuple):
    """A row of a register: what it says, the ticket that it speaks of, and whether the reader may open that."""

    cells: tuple[Plain, ...]
    ticket_code: str | None
    opens: bool


def lines(
    session: Session, its: Slice, register: Register, reading: Reading, actor: Actor, size: int, offset: int
) -> list[Line]:
    """The rows that the number of a register counts."""
    query = register.rows(its, reading.zone, actor).limit(size).offset(offset)
    rows = session.execute(query).scalars().all()
    keys = _keys(session, rows)
    known = _tickets(session, keys)
    openable = queries.openable(session, known.values(), actor)
    tickets = [known.get(key) for key in keys]
    return [
        Line(
            register.cells(row, reading),
            ticket.code if ticket else None,
            ticket is not None and ticket.id in openable,
        )
        for row, ticket in zip(rows, tickets, strict=True)
    ]


def _keys(session: Session, rows: Sequence[Any]) -> list[tuple[str, UUID] | None]:
    """Of which ticket each row speaks: it holds the key, or a code."""
    codes = {row.ticket_code for row in rows if getattr(row, "ticket_code", None)}
    query = select(TicketCode).where(col(TicketCode.code).in_(codes))
    known = session.execute(query).scalars() if codes else ()
    of_code = {row.code: (row.intake_district, row.ticket_id) for row in known}
    return [
        (row.intake_district, row.ticket_id)
        if hasattr(row, "ticket_id")
        else of_code.get(getattr(row, "ticket_code", None) or "")
        for row in rows
    ]


def _tickets(session: Session, keys: Iterable[tuple[str, UUID] | None]) -> dict[object, Ticket]:
    wanted = {key for key in keys if key is not None}
    query = select(Ticket).where(queries.of_keys(Ticket, wanted))
    found = session.execute(query).scalars() if wanted else ()
    return {(ticket.intake_district, ticket.id): ticket for ticket in found}
