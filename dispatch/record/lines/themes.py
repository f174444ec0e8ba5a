"""Theme desks (专席) and expert seats: a ticket with a theme stays with one desk, and one of it, from call to call back."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record import queries
from dispatch.record.lines.models import Theme, ThemeSeat, TicketTheme
from dispatch.record.models import Ticket
from grid.errors import InputError, NotAllowed
from grid.models import Account
from grid.permissions import Actor

CHANGE = "ticket:dispatch"
REGISTER = "ticket:register"


def themes(session: Session) -> list[Theme]:
    query = select(Theme).where(col(Theme.retired_at).is_(None)).order_by(col(Theme.key))
    return list(session.execute(query).scalars())


def seats_of(session: Session, actor: Actor) -> set[str]:
    """The themes at whose desk one sits."""
    query = select(col(ThemeSeat.theme_key)).where(col(ThemeSeat.account_id) == actor.account_id)
    return set(session.execute(query).scalars())


def seated(session: Session) -> dict[str, list[tuple[UUID, str]]]:
    """Who sits where."""
    query = select(col(ThemeSeat.theme_key), col(Account.id), col(Account.name)).join(
        Account, col(Account.id) == col(ThemeSeat.account_id)
    )
    found: dict[str, list[tuple[UUID, str]]] = {}
    for key, account_id, name in session.execute(query.order_by(col(Account.name))):
        found.setdefault(key, []).append((account_id, name))
    return found


def set_up(
    session: Session,
    actor: Actor,
    key: str,
    name: str,
    organisation_code: str | None,
    accounts: Iterable[UUID],
) -> None:
    """Make a desk, or say anew who sits at it.

    Raises
    ------
    NotAllowed, InputError
        Nothing was written.
    """
    if not actor.may(CHANGE):
        raise NotAllowed("专席由指挥中心设置")
    key, name = key.strip(), name.strip()
    if not (
        key.isascii() and key.replace("-", "").isalnum() and 1 <= len(key) <= 30 and 1 <= len(name) <= 30
    ):
        raise InputError(
            "专席没有保存:代号用小写字母、数字和连字符,名称 1—30 字", {"key": "请检查代号和名称"}
        )
    wanted = list(dict.fromkeys(accounts))
    known = set(session.execute(select(col(Account.id)).where(col(Account.id).in_(wanted))).scalars())
    if known != set(wanted):
        raise InputError("专席没有保存:有的人员不存在,请重新选择", {"accounts": "请重新选择"})
    session.merge(Theme(key=key, name=name, organisation_code=organisation_code or None))
    session.execute(delete(ThemeSeat).where(col(ThemeSeat.theme_key) == key))
    session.flush()
    session.add_all([ThemeSeat(theme_key=key, account_id=account_id) for account_id in wanted])


def tag(session: Session, ticket: Ticket, key: str, actor: Actor, now: datetime) -> TicketTheme:
    """Give a ticket its theme; whoever took the call stays with it if they sit at that desk, else the desk's first.

    Raises
    ------
    InputError
        There is no such desk, or nobody sits at it.
    """
    if not actor.may(REGISTER) or actor.account_id is None:
        raise NotAllowed("专题由受理员标注")
    seats = [account_id for account_id, _ in seated(session).get(key, [])]
    if key not in {theme.key for theme in themes(session)} or not seats:
        raise InputError("没有这个专席,或专席上没有人;请联系指挥中心设置", {"theme": "请重新选择"})
    session.execute(delete(TicketTheme).where(queries.of_ticket(TicketTheme, ticket)))
    row = TicketTheme(
        intake_district=ticket.intake_district,
        id=uuid7(),
        ticket_id=ticket.id,
        theme_key=key,
        account_id=actor.account_id if actor.account_id in seats else seats[0],
        set_at=now,
    )
    session.add(row)
    return row


def of_desk(keys: Iterable[str]) -> ColumnElement[bool]:
    """The tickets of these desks."""
    return exists().where(_belongs(), col(TicketTheme.theme_key).in_(sorted(keys)))


def not_elsewhere(actor: Actor) -> ColumnElement[bool]:
    """What has no theme, or is one's own to stay with: others' desks keep theirs."""
    return or_(
        ~exists().where(_belongs()),
        exists().where(_belongs(), col(TicketTheme.account_id) == actor.account_id),
    )


def without_desk() -> ColumnElement[bool]:
    """What has no theme."""
    return ~exists().where(_belongs())


def _belongs() -> ColumnElement[bool]:
    return and_(
        col(TicketTheme.intake_district) == col(Ticket.intake_district),
        col(TicketTheme.ticket_id) == col(Ticket.id),
    )
