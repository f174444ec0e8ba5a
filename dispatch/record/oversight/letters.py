"""督办单, 整改通知单, 约谈: bundled per unit as drafts by the system; a person signs; the unit answers; it is cleared."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record.models import UNPLACED_DISTRICT, OutboxRow, Ticket, Timer
from dispatch.record.oversight.models import Letter, LetterKind, LetterState, LetterTicket
from dispatch.record.world import World
from dispatch.rules.clocks import Clock
from dispatch.rules.deadlines import due
from grid.errors import Conflict, InputError, NotAllowed, NotFound
from grid.permissions import Actor, Scope

LABELS = {
    LetterKind.SUPERVISE: "督办单",
    LetterKind.RECTIFY: "整改通知单",
    LetterKind.INTERVIEW: "约谈通知",
}
PREFIX = {LetterKind.SUPERVISE: "督办", LetterKind.RECTIFY: "整改", LetterKind.INTERVIEW: "约谈"}
NEXT = {LetterKind.SUPERVISE: LetterKind.RECTIFY, LetterKind.RECTIFY: LetterKind.INTERVIEW}
# What the clocks and the rows find, and the letter that it calls for.
CALLED_FOR = {
    "escalate_2": LetterKind.SUPERVISE,
    "escalate_3": LetterKind.RECTIFY,
    "third_rework": LetterKind.SUPERVISE,
}
GROUNDS = {
    "escalate_2": "超过承办时限 1 工作日",
    "escalate_3": "超过承办时限 5 工作日",
    "third_rework": "第三次返工",
    "unanswered": "督办文书到期未反馈",
    "by_hand": "督查发现",
}
LETTER_DUE = "letter_due"
STAGE = "supervision"


def number(letter: Letter) -> str | None:
    """How people cite it; a draft has none."""
    if letter.serial is None:
        return None
    return f"{PREFIX[letter.kind]}〔{letter.year}〕{letter.serial} 号"


def note(session: Session, ticket: Ticket, kind: LetterKind, ground: str, now: datetime) -> Letter | None:
    """Put a ticket on the unit's open draft of that kind; the same ticket is named once."""
    if ticket.main_code is None:
        return None
    draft = session.execute(
        select(Letter)
        .where(col(Letter.organisation_code) == ticket.main_code)
        .where(col(Letter.kind) == kind, col(Letter.state) == LetterState.DRAFT)
        .with_for_update()
    ).scalar_one_or_none()
    if draft is None:
        draft = Letter(id=uuid7(), kind=kind, organisation_code=ticket.main_code, drafted_at=now)
        session.add(draft)
        session.flush()
    key = (draft.id, ticket.intake_district, ticket.id)
    if session.get(LetterTicket, key) is None:
        session.add(
            LetterTicket(
                letter_id=draft.id,
                intake_district=ticket.intake_district,
                ticket_id=ticket.id,
                ground=ground,
                noted_at=now,
            )
        )
    return draft


def sign(session: Session, letter_id: UUID, demand: str, actor: Actor, world: World, now: datetime) -> Letter:
    """A person signs: from now on it has a number, a limit, and the unit knows.

    Raises
    ------
    NotAllowed, NotFound, Conflict, InputError
        Nothing was written.
    """
    letter = find(session, letter_id, actor, "letter:sign")
    _must_be(letter, LetterState.DRAFT, "签发")
    if not demand.strip():
        raise InputError("请写明督办要求再签发", {"demand": "请填写督办要求"})
    standing = world.refresh(session)
    year = now.astimezone(world.settings.zone).year
    last = session.execute(
        select(func.max(col(Letter.serial))).where(col(Letter.kind) == letter.kind, col(Letter.year) == year)
    ).scalar_one()
    limit = standing.stage_limit(STAGE)
    letter.state, letter.year, letter.serial = LetterState.SIGNED, year, (last or 0) + 1
    letter.signed_at, letter.signed_by, letter.demand = now, actor.account_id, demand.strip()
    letter.due_at = due(Clock(limit, now), standing.calendar, standing.hours(letter.organisation_code)).at
    session.add(
        Timer(
            intake_district=UNPLACED_DISTRICT,
            id=uuid7(),
            kind=LETTER_DUE,
            key=f"{LETTER_DUE}:{letter.id}",
            due_at=letter.due_at,
        )
    )
    _tell(session, letter, "letter_signed", now)
    return letter


def answer(session: Session, letter_id: UUID, text: str, actor: Actor, now: datetime) -> Letter:
    """The unit says what it did."""
    letter = find(session, letter_id, actor, "letter:answer")
    _must_be(letter, LetterState.SIGNED, "反馈")
    if not text.strip():
        raise InputError("请写明整改情况再反馈", {"answer": "请填写整改情况"})
    letter.state, letter.answer = LetterState.ANSWERED, text.strip()
    letter.answered_at, letter.answered_by = now, actor.account_id
    return letter


def clear(session: Session, letter_id: UUID, actor: Actor, now: datetime) -> Letter:
    """销号: whoever may sign finds the answer good."""
    letter = find(session, letter_id, actor, "letter:sign")
    _must_be(letter, LetterState.ANSWERED, "销号")
    letter.state, letter.cleared_at, letter.cleared_by = LetterState.CLEARED, now, actor.account_id
    return letter


def fall_due(session: Session, letter_id: UUID, now: datetime) -> bool:
    """The limit has passed: unanswered, its tickets go on the unit's draft of the next kind, and oversight knows."""
    letter = session.get(Letter, letter_id, with_for_update=True)
    if letter is None or letter.state is not LetterState.SIGNED:
        return False
    letter.escalated_at = now
    kind = NEXT.get(letter.kind, letter.kind)
    for ticket in tickets(session, letter):
        note(session, ticket, kind, "unanswered", now)
    _tell(session, letter, "letter_overdue", now)
    return True


def find(session: Session, letter_id: UUID, actor: Actor, verb: str) -> Letter:
    """The letter, locked, if the actor may do that with it."""
    if not actor.may(verb):
        raise NotAllowed("您的岗位不能处理督办文书")
    query = select(Letter).where(col(Letter.id) == letter_id, visible(actor, verb)).with_for_update()
    letter: Letter | None = session.execute(query).scalar_one_or_none()
    if letter is None:
        raise NotFound("没有找到这份督办文书,或它不是发给您的单位")
    return letter


def visible(actor: Actor, verb: str = "letter:read") -> ColumnElement[bool]:
    """Oversight sees every letter, a unit those signed and sent to it."""
    reach: list[ColumnElement[bool]] = [false()]
    for scope in actor.scopes(verb):
        if scope is Scope.ALL:
            reach.append(true())
        elif scope is Scope.ORGANISATION:
            own = col(Letter.organisation_code).in_(actor.under)
            reach.append(and_(own, col(Letter.state) != LetterState.DRAFT))
    return or_(*reach)


def listed(session: Session, actor: Actor) -> list[Letter]:
    """The letters that the actor may read, the most pressing first."""
    query = select(Letter).where(visible(actor)).order_by(col(Letter.due_at), col(Letter.drafted_at))
    return list(session.execute(query).scalars())


def todo(session: Session, actor: Actor) -> list[Letter]:
    """What waits for this actor: drafts and answers for oversight, letters to answer for a unit."""
    waiting = {LetterState.SIGNED}
    if actor.may("letter:sign"):
        waiting = {LetterState.DRAFT, LetterState.ANSWERED}
    return [x for x in listed(session, actor) if x.state in waiting or (x.escalated_at and not x.answered_at)]


def tickets(session: Session, letter: Letter) -> list[Ticket]:
    """The tickets of a letter, in the order of their noting."""
    query = (
        select(Ticket)
        .join(
            LetterTicket,
            and_(
                col(LetterTicket.intake_district) == col(Ticket.intake_district),
                col(LetterTicket.ticket_id) == col(Ticket.id),
            ),
        )
        .where(col(LetterTicket.letter_id) == letter.id)
        .order_by(col(LetterTicket.noted_at), col(Ticket.id))
    )
    return list(session.execute(query).scalars())


def grounds(session: Session, letter: Letter) -> dict[UUID, str]:
    """Why each ticket is on the letter, in words."""
    query = select(LetterTicket).where(col(LetterTicket.letter_id) == letter.id)
    return {row.ticket_id: GROUNDS[row.ground] for row in session.execute(query).scalars()}


def _must_be(letter: Letter, state: LetterState, what: str) -> None:
    if letter.state is not state:
        raise Conflict(f"这份{LABELS[letter.kind]}现在不能{what},请刷新后查看它的进展")


def _tell(session: Session, letter: Letter, happening: str, now: datetime) -> None:
    session.add(
        OutboxRow(
            intake_district=UNPLACED_DISTRICT,
            id=uuid7(),
            topic="notify",
            payload={"happening": happening, "event_id": None, "letter": str(letter.id)},
            created_at=now,
            available_at=now,
        )
    )
