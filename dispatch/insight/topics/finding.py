"""Looks for classes of problems by rows: repeats of a place and matter, clusters, bursts, matters that come back.

Every look is idempotent: a candidate has a key, and what is found again adds its tickets to the row that is there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, pstdev

from sqlalchemy import and_, func, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.insight.topics.clustering import Placed, clusters
from dispatch.insight.topics.models import Topic, TopicKind, TopicState, TopicTicket
from dispatch.record.models import Reporter, Ticket
from dispatch.rules.workflow import TICKET, State
from grid.database import Database

NOT_COUNTED = (State.SELF_HANDLED, State.REJECTED, State.WITHDRAWN)


@dataclass(frozen=True)
class Rule:
    """A row: what counts as a class of problems."""

    kind: TopicKind
    least: int
    distance_m: float
    days: int
    words: str


RULES = {
    rule.kind: rule
    for rule in (
        Rule(TopicKind.REPEAT, 3, 100, 30, "30 天内 100 米内同一小类至少 3 件"),
        Rule(TopicKind.CLUSTER, 8, 300, 14, "14 天内 300 米内各类至少 8 件"),
        Rule(TopicKind.BURST, 10, 0, 7, "7 天内同一小类至少 10 件,且超过往常 3 个标准差"),
        Rule(TopicKind.PERSISTENT, 3, 300, 90, "90 天内同一诉求人同一小类至少 3 件(不显示是谁)"),
    )
}
WEEKS_BEFORE = 8
SIGMAS = 3.0


def look(database: Database, now: datetime) -> int:
    """Look for every kind; the answer is how many candidates are new."""
    return database.write(lambda session: find(session, now))


def find(session: Session, now: datetime) -> int:
    """Everything that the rules find in this session."""
    known = {topic.key: topic for topic in session.execute(select(Topic)).scalars()}
    new = 0
    for kind, members in (
        *((TopicKind.REPEAT, group) for group in _repeats(session, now)),
        *((TopicKind.CLUSTER, group) for group in _clusters(session, now)),
        *((TopicKind.BURST, group) for group in _bursts(session, now)),
        *((TopicKind.PERSISTENT, group) for group in _persistent(session, now)),
    ):
        new += _keep(session, known, kind, members, now)
    return new


def _since(session: Session, now: datetime, days: int) -> list[Ticket]:
    query = select(Ticket).where(
        col(Ticket.workflow) == TICKET,
        col(Ticket.reported_at) > now - timedelta(days=days),
        col(Ticket.reported_at) <= now,
        col(Ticket.state).not_in(NOT_COUNTED),
    )
    return list(session.execute(query.order_by(col(Ticket.reported_at), col(Ticket.id))).scalars())


def _placed(tickets: Iterable[Ticket]) -> list[Placed[Ticket]]:
    return [Placed(ticket, ticket.lon, ticket.lat, ticket.reported_at) for ticket in tickets]


def _groups(tickets: Sequence[Ticket], rule: Rule) -> list[list[Ticket]]:
    within = timedelta(days=rule.days)
    found = clusters(_placed(tickets), distance_m=rule.distance_m, within=within, least=rule.least)
    return [[point.thing for point in group] for group in found]


def _repeats(session: Session, now: datetime) -> list[list[Ticket]]:
    rule = RULES[TopicKind.REPEAT]
    by_category: dict[str, list[Ticket]] = defaultdict(list)
    for ticket in _since(session, now, rule.days):
        by_category[ticket.category_code].append(ticket)
    return [group for tickets in by_category.values() for group in _groups(tickets, rule)]


def _clusters(session: Session, now: datetime) -> list[list[Ticket]]:
    rule = RULES[TopicKind.CLUSTER]
    groups = _groups(_since(session, now, rule.days), rule)
    return [group for group in groups if len({ticket.category_code for ticket in group}) > 1]


def _bursts(session: Session, now: datetime) -> list[list[Ticket]]:
    """A category whose last week stands out from the weeks before it and from the same week a year ago."""
    rule = RULES[TopicKind.BURST]
    week = timedelta(days=rule.days)
    recent: dict[str, list[Ticket]] = defaultdict(list)
    for ticket in _since(session, now, rule.days):
        recent[ticket.category_code].append(ticket)
    many = {code: tickets for code, tickets in recent.items() if len(tickets) >= rule.least}
    if not many:
        return []
    starts = [now - week * (n + 1) for n in range(1, WEEKS_BEFORE + 1)] + [now - timedelta(days=364) - week]
    weeks = [_counts(session, start, start + week, list(many)) for start in starts]
    found = []
    for code, tickets in many.items():
        usual = [counts[code] for counts in weeks[:-1]]
        expected = max(fmean(usual), weeks[-1][code])
        spread = max(pstdev(usual), expected**0.5, 1.0)
        if len(tickets) > expected + SIGMAS * spread:
            found.append(tickets)
    return found


def _counts(session: Session, start: datetime, end: datetime, categories: list[str]) -> Counter[str]:
    query = (
        select(col(Ticket.category_code), func.count())
        .where(
            col(Ticket.workflow) == TICKET,
            col(Ticket.reported_at) > start,
            col(Ticket.reported_at) <= end,
            col(Ticket.category_code).in_(categories),
        )
        .group_by(col(Ticket.category_code))
    )
    return Counter(dict(session.execute(query).all()))


def _persistent(session: Session, now: datetime) -> list[list[Ticket]]:
    """Matters that one person keeps reporting; who it is is neither kept nor shown."""
    rule = RULES[TopicKind.PERSISTENT]
    query = (
        select(Ticket, col(Reporter.person_key))
        .join(
            Reporter,
            and_(
                col(Reporter.intake_district) == col(Ticket.intake_district),
                col(Reporter.ticket_id) == col(Ticket.id),
            ),
        )
        .where(
            col(Ticket.workflow) == TICKET,
            col(Ticket.reported_at) > now - timedelta(days=rule.days),
            col(Reporter.person_key).is_not(None),
            col(Ticket.state).not_in(NOT_COUNTED),
        )
        .order_by(col(Ticket.reported_at), col(Ticket.id))
    )
    by_person: dict[tuple[str, str], list[Ticket]] = defaultdict(list)
    for ticket, person in session.execute(query):
        by_person[(person, ticket.category_code)].append(ticket)
    return [group for tickets in by_person.values() for group in _groups(tickets, rule)]


def _keep(
    session: Session, known: dict[str, Topic], kind: TopicKind, members: list[Ticket], now: datetime
) -> int:
    """A new candidate, or more tickets for one that is there and has not ended."""
    ids = {(ticket.intake_district, ticket.id) for ticket in members}
    first = members[0]
    same = [
        t for t in known.values() if t.kind is kind and t.state in (TopicState.CANDIDATE, TopicState.ADOPTED)
    ]
    for topic in same:
        linked = _linked(session, topic)
        if linked & ids:
            for district, ticket in ids - linked:
                session.add(TopicTicket(topic_id=topic.id, intake_district=district, ticket_id=ticket))
            topic.last_at = max(topic.last_at, members[-1].reported_at)
            return 0
    key = f"{kind}:{first.code}"
    if key in known:
        return 0  # dismissed or done: it takes a new first ticket to be found again
    categories = {ticket.category_code for ticket in members}
    topic = Topic(
        id=uuid7(),
        key=key,
        kind=kind,
        category_code=first.category_code if len(categories) == 1 else None,
        grid_code=Counter(ticket.grid_code for ticket in members).most_common(1)[0][0],
        lon=fmean(ticket.lon for ticket in members),
        lat=fmean(ticket.lat for ticket in members),
        found_at=now,
        first_at=first.reported_at,
        last_at=members[-1].reported_at,
        reason=f"{RULES[kind].words}:现有 {len(members)} 件",
    )
    session.add(topic)
    session.flush()
    for district, ticket in ids:
        session.add(TopicTicket(topic_id=topic.id, intake_district=district, ticket_id=ticket))
    known[key] = topic
    return 1


def _linked(session: Session, topic: Topic) -> set[tuple[str, object]]:
    query = select(col(TopicTicket.intake_district), col(TopicTicket.ticket_id))
    return {(d, t) for d, t in session.execute(query.where(col(TopicTicket.topic_id) == topic.id))}
