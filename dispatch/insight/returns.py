"""What accepted returns teach: where a rule keeps sending matters to the wrong desk, and how to say it better.

Only rulings by people count. A proposal is evidence and a sentence; nothing changes until somebody accepts it, which
makes a draft and asks for its rehearsal.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from dispatch import duties
from dispatch.insight.rehearsing import running
from dispatch.insight.tables import RuleProposal
from dispatch.record import queries
from dispatch.record.models import Ticket, TicketEvent
from dispatch.record.world import Standing
from dispatch.rules.routing import ASSET_RULE
from grid.errors import Conflict, NotFound
from grid.models import Responsibility
from grid.permissions import Actor

RULINGS = ("uphold_objection", "settle")
LEAST_RETURNS = 3
LEAST_SHARE = 0.3
LOOK_BACK = timedelta(days=180)
REHEARSED = timedelta(days=90)
MOST_CODES = 20
ACCEPTED, DISMISSED = "accepted", "dismissed"


@dataclass(frozen=True, slots=True)
class Sent:
    """One matter that a rule sent to a unit, whether that objected, and to whom a ruling sent it instead."""

    code: str
    rule: str
    category_code: str
    areas: tuple[str, ...]
    first: str
    instead: str | None
    objected: bool
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of a rule with its evidence: which tickets, of how many that the rule sent there."""

    key: str
    rule: str
    category_code: str
    area_code: str | None
    first: str
    instead: str
    codes: tuple[str, ...]
    returned: int
    sent: int
    points: tuple[tuple[float, float, str], ...]

    @property
    def share(self) -> float:
        return self.returned / self.sent


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Matters that went by a rule (of a category, in an area): how many were objected to, and sent elsewhere by a ruling."""

    key: str
    sent: int
    objected: int
    returned: int

    @property
    def accuracy(self) -> float:
        return 1 - self.returned / self.sent

    @property
    def return_rate(self) -> float:
        return self.objected / self.sent


def sent_since(session: Session, since: datetime, until: datetime) -> list[Sent]:
    """Every matter that was dispatched by a rule in the period, with what a ruling made of it."""
    ruled = _rulings(session, since)
    query = columns(
        col(Ticket.id),
        col(Ticket.code),
        col(Ticket.category_code),
        col(Ticket.grid_code),
        col(Ticket.community_code),
        col(Ticket.street_code),
        col(Ticket.district_code),
        col(Ticket.routed),
        col(Ticket.objections),
        col(Ticket.lon),
        col(Ticket.lat),
    ).where(
        col(Ticket.reported_at) >= since, col(Ticket.reported_at) < until, col(Ticket.routed).is_not(None)
    )
    found = []
    for key, code, category, *own, routed, objections, lon, lat in session.execute(query):
        first, rule = routed.get("main"), routed.get("rule")
        if not first or not rule:
            continue
        areas = tuple(area for area in own if area)
        instead = ruled.get(key)
        instead = None if instead == first else instead
        found.append(Sent(code, rule, category, areas, first, instead, objections > 0, lon, lat))
    return found


def _rulings(session: Session, since: datetime) -> dict[object, str]:
    """To whom the first ruling sent each matter."""
    query = (
        columns(col(TicketEvent.ticket_id), col(TicketEvent.given))
        .where(queries.seldom(*RULINGS), col(TicketEvent.at) >= since)
        .order_by(col(TicketEvent.at).desc())
    )
    return {key: str((given or {}).get("organisation") or "") for key, given in session.execute(query)}


def accuracy(sent: Iterable[Sent], by: str) -> list[Accuracy]:
    """Accuracy by `rule`, `category` or `area` (the street, or what there is), the worst first; few cases last."""
    total: Counter[str] = Counter()
    objected: Counter[str] = Counter()
    returned: Counter[str] = Counter()
    for one in sent:
        key = {
            "rule": one.rule,
            "category": one.category_code,
            "area": one.areas[-2] if len(one.areas) > 1 else "",
        }[by]
        total[key] += 1
        objected[key] += one.objected
        returned[key] += one.instead is not None
    rows = [Accuracy(key, number, objected[key], returned[key]) for key, number in total.items()]
    return sorted(rows, key=lambda row: (row.sent < LEAST_RETURNS, row.accuracy, -row.sent, row.key))


def proposals(session: Session, standing: Standing, now: datetime) -> list[Proposal]:
    """Changes that the rulings of the last half year speak for, those with the most evidence first."""
    sent = sent_since(session, now - LOOK_BACK, now)
    decided = set(session.exec(select(RuleProposal.key)).all())
    known = {row.id for row in standing.responsibilities}
    found = [one for one in _proposed(sent) if one.key not in decided and one.rule in known]
    return sorted(found, key=lambda one: (-one.returned, one.key))


def _proposed(sent: Sequence[Sent]) -> Iterator[Proposal]:
    groups: dict[tuple[str, str, str], list[Sent]] = defaultdict(list)
    for one in sent:
        if one.rule != ASSET_RULE:
            groups[(one.rule, one.category_code, one.first)].append(one)
    for (rule, category, first), matters in sorted(groups.items()):
        for instead in sorted({one.instead for one in matters if one.instead}):
            wrong = [one for one in matters if one.instead == instead]
            area = _common_area(wrong)
            there = [one for one in matters if area is None or area in one.areas]
            if len(wrong) < LEAST_RETURNS or len(wrong) / len(there) < LEAST_SHARE:
                continue
            yield Proposal(
                key=f"{rule}|{category}|{area or ''}|{instead}",
                rule=rule,
                category_code=category,
                area_code=area,
                first=first,
                instead=instead,
                codes=tuple(one.code for one in wrong[:MOST_CODES]),
                returned=len(wrong),
                sent=len(there),
                points=tuple((one.lon, one.lat, one.code) for one in wrong),
            )


def _common_area(matters: Sequence[Sent]) -> str | None:
    """The narrowest area that holds all of them, below the widest: a row for all of it needs no area."""
    common = [area for area in matters[0].areas if all(area in one.areas for one in matters)]
    return common[0] if common and common[0] != matters[0].areas[-1] else None


def accept(session: Session, standing: Standing, key: str, actor: Actor, now: datetime) -> int:
    """A draft with the proposed row, and its rehearsal asked for; the version of the draft.

    Raises
    ------
    NotFound, Conflict
        The evidence no longer speaks for it; somebody decided it already.
    """
    one = _open_proposal(session, standing, key, now)
    row = next((r for r in standing.responsibilities if r.id == one.rule), None)
    note = f"按 {one.returned} 件裁定的退单:{one.category_code} 改由 {one.instead} 承办"
    version = duties.draft_with_row(
        session,
        one.category_code,
        one.area_code,
        one.instead,
        note[:200],
        actor,
        now,
        instead_of=one.rule if row is not None and _covers_exactly(row, one) else None,
    )
    today = now.astimezone(ZoneInfo(standing.zone)).date()
    running.ask(session, version, today - REHEARSED, today, actor, now)
    session.add(
        RuleProposal(
            key=key, outcome=ACCEPTED, decided_at=now, decided_by=actor.account_id, ruleset_version=version
        )
    )
    return version


def dismiss(session: Session, standing: Standing, key: str, actor: Actor, now: datetime) -> None:
    """Not to be proposed again."""
    _open_proposal(session, standing, key, now)
    session.add(RuleProposal(key=key, outcome=DISMISSED, decided_at=now, decided_by=actor.account_id))


def _covers_exactly(row: Responsibility, one: Proposal) -> bool:
    """Whether the row speaks of just this category and area: then it is changed, not outweighed by another."""
    plain = row.overlay_code is None and row.source_kind is None and row.time_band is None
    return plain and row.category_code == one.category_code and row.area_code == one.area_code


def _open_proposal(session: Session, standing: Standing, key: str, now: datetime) -> Proposal:
    if session.get(RuleProposal, key) is not None:
        raise Conflict("这条建议已有人处理,请刷新页面")
    found = next((one for one in proposals(session, standing, now) if one.key == key), None)
    if found is None:
        raise NotFound("这条建议已没有足够的依据,请刷新页面")
    return found
