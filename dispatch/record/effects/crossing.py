"""Cross verification (交叉核查): of the share that a city draws, a neighbouring grid's worker looks, not the own one."""

from datetime import date
from zoneinfo import ZoneInfo

from shapely import from_wkb
from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record.change import Change
from dispatch.record.models import Ticket
from dispatch.rules.callbacks import Asking, sampled
from grid import accounts
from grid.models import Account, Area, Post

FIELD = "field"


def choose_verifiers(change: Change) -> None:
    """Give a drawn ticket to a neighbouring grid; where nobody can be sent, it stays at home and says so."""
    ticket = change.ticket
    ticket.verify_grid = None
    percent = change.standing.cross_check_percent
    if ticket.verify_mode != FIELD or ticket.grid_code is None or not percent:
        return
    draw = Asking(change.standing.zone, percent / 100, f"cross:{change.standing.asking.seed}")
    if not sampled(ticket.code, draw):
        return
    on = change.now.astimezone(ZoneInfo(change.standing.zone)).date()
    for code in _neighbours(change.session, ticket):
        if _has_worker(change.session, code, ticket, on):
            ticket.verify_grid = code
            change.reasons["cross_check"] = f"交叉核查:由相邻网格 {code} 核查"
            return
    change.reasons["cross_check"] = "抽中交叉核查,相邻网格没有可派的人,退回本网格核查"


def _neighbours(session: Session, ticket: Ticket) -> list[str]:
    """The grids of the same community that border on the ticket's own, in a fixed order."""
    home = session.get(Area, (ticket.generation_id, ticket.grid_code))
    if home is None:
        return []
    query = select(Area).where(
        col(Area.generation_id) == ticket.generation_id,
        col(Area.parent_code) == home.parent_code,
        col(Area.level) == home.level,
        col(Area.code) != home.code,
    )
    shape = from_wkb(home.wkb)
    found = session.execute(query.order_by(col(Area.code))).scalars()
    return [area.code for area in found if shape.intersects(from_wkb(area.wkb))]


def _has_worker(session: Session, grid_code: str, ticket: Ticket, on: date) -> bool:
    query = (
        select(col(Post.id))
        .join(Account, col(Account.id) == col(Post.account_id))
        .where(col(Post.role) == "grid_worker", col(Post.area_code) == grid_code)
        .where(col(Account.disabled_at).is_(None), col(Account.id) != ticket.reported_by)
        .where(accounts.held_on(on))
    )
    return session.execute(query.limit(1)).first() is not None
