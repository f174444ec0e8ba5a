"""Tickets of the city's platform before there is an interface: in by table, answers out by table, each once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record import actions, queries
from dispatch.record.intake import Report
from dispatch.record.lines.models import PlatformAnswer
from dispatch.record.models import ClientKey, Source, Statement, Ticket, TicketEvent
from dispatch.record.world import World
from grid.errors import InputError
from grid.permissions import Actor

HEADINGS = {
    "number": ("工单编号", "编号", "平台编号"),
    "text": ("诉求内容", "内容", "问题描述"),
    "category": ("类别", "诉求类别", "事项类别"),
    "place": ("地址", "地点", "发生地址"),
    "due": ("办理时限", "截止时间", "时限"),
    "name": ("诉求人", "姓名", "联系人"),
    "phone": ("联系电话", "电话", "手机"),
}
REQUIRED = ("number", "text", "place")
ANSWERING = ("handle", "answer_instantly")
DUE_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
)
Find = Callable[[str], tuple[float, float] | None]
Guess = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one row of a table."""

    row: int
    number: str
    code: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to be typed nowhere again: the platform's number with what was answered."""

    ticket: Ticket
    event: TicketEvent
    text: str


def columns(headings: tuple[str, ...]) -> dict[str, str]:
    """Under which heading each thing stands.

    Raises
    ------
    InputError
        A heading that must be there is missing.
    """
    found = {
        name: next(one for one in names if one in headings)
        for name, names in HEADINGS.items()
        if any(one in headings for one in names)
    }
    missing = [HEADINGS[name][0] for name in REQUIRED if name not in found]
    if missing:
        raise InputError(f"表里没有这些列:{'、'.join(missing)};第一行须是列名", {"table": "缺少列"})
    return found


def take_in(
    session: Session,
    row: Mapping[str, str],
    at_row: int,
    actor: Actor,
    world: World,
    now: datetime,
    find: Find,
    guess: Guess,
) -> Line:
    """Register one row; a number that is there already stays what it is."""
    number = row.get("number", "").strip()
    if not number:
        return Line(at_row, "", None, "没有编号")
    key = uuid5(NAMESPACE_URL, f"city-platform:{number}")
    known = session.get(ClientKey, key)
    if known is not None:
        return Line(at_row, number, (known.answer or {}).get("code"), "已经登记过,没有重复登记")
    standing = world.refresh(session)
    named = row.get("category", "").strip()
    codes = [c.code for c in standing.categories.values() if named in (c.code, c.name) and c.leaf]
    category = codes[0] if codes else guess(f"{named} {row.get('text', '')}")
    if category is None:
        return Line(at_row, number, None, f"看不出类别{f'({named})' if named else ''},请写明本市的小类")
    point = find(row.get("place", "").strip())
    if point is None:
        return Line(
            at_row, number, None, f"找不到地点“{row.get('place', '')}”,请写网格编码、地名或“经度,纬度”"
        )
    due_at = None
    if row.get("due", "").strip():
        due_at = read_due(row["due"].strip(), world.settings.zone)
        if due_at is None:
            return Line(at_row, number, None, f"看不懂时限“{row['due']}”,请写成 2026-11-23 17:00")
    report = Report(
        client_uuid=key,
        source=Source.UPPER,
        category_code=category,
        lon=point[0],
        lat=point[1],
        frame="wgs84",
        location_source="address",
        text=row.get("text", "").strip(),
        reporter_name=row.get("name", "").strip() or None,
        reporter_phone=row.get("phone", "").strip() or None,
        upper_code=number,
        upper_due_at=due_at,
    )
    try:
        reported = actions.report(session, report, actor, world, now)
    except InputError as error:
        return Line(at_row, number, None, error.message)
    return Line(at_row, number, reported.code, "已登记")


def read_due(text: str, zone: ZoneInfo) -> datetime | None:
    """An instant as offices write it; a bare day means its end."""
    for form in DUE_FORMATS:
        try:
            found = datetime.strptime(text, form).replace(tzinfo=zone)
        except ValueError:
            continue
        return found if "%H" in form else found.replace(hour=23, minute=59)
    return None


def waiting(session: Session, actor: Actor) -> list[Answer]:
    """The answers that have not gone out yet, the oldest first."""
    return _answers(session, actor, ~exists().where(_sent()))


def batch(session: Session, actor: Actor, key: UUID) -> list[Answer]:
    """What went out in one batch, to be loaded down again."""
    return _answers(session, actor, exists().where(_sent(), col(PlatformAnswer.batch) == key))


def take_out(session: Session, actor: Actor, now: datetime) -> UUID | None:
    """Mark everything that waits as gone out in one batch."""
    found = waiting(session, actor)
    if not found or actor.account_id is None:
        return None
    key = uuid7()
    session.add_all(
        PlatformAnswer(
            intake_district=one.ticket.intake_district,
            id=uuid7(),
            ticket_id=one.ticket.id,
            event_id=one.event.id,
            batch=key,
            taken_by=actor.account_id,
            taken_at=now,
        )
        for one in found
    )
    return key


def _sent() -> ColumnElement[bool]:
    return and_(
        col(PlatformAnswer.intake_district) == col(TicketEvent.intake_district),
        col(PlatformAnswer.event_id) == col(TicketEvent.id),
    )


def _answers(session: Session, actor: Actor, condition: ColumnElement[bool]) -> list[Answer]:
    query = (
        select(Ticket, TicketEvent, col(Statement.text))
        .join(
            TicketEvent,
            and_(
                col(TicketEvent.intake_district) == col(Ticket.intake_district),
                col(TicketEvent.ticket_id) == col(Ticket.id),
            ),
        )
        .join(
            Statement,
            and_(
                col(Statement.intake_district) == col(TicketEvent.intake_district),
                col(Statement.event_id) == col(TicketEvent.id),
            ),
        )
        .where(
            queries.visible(actor),
            col(Ticket.source) == Source.UPPER,
            col(TicketEvent.action).in_(ANSWERING),
            col(Statement.name) == "answer",
            condition,
        )
        .order_by(col(TicketEvent.at), col(TicketEvent.id))
    )
    return [Answer(ticket, event, text or "") for ticket, event, text in session.execute(query)]
