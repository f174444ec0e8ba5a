"""What people do with candidates, and whether it helped: adopted with owner, plan and date; before and after counted."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.insight.metrics.slices import FIGURES
from dispatch.insight.topics.finding import RULES
from dispatch.insight.topics.models import Topic, TopicState, TopicTicket
from dispatch.record import queries
from dispatch.record.models import UNPLACED_DISTRICT, Notice, Ticket
from dispatch.record.world import Standing, World
from dispatch.rules.workflow import TICKET
from grid.auditing import record_change
from grid.errors import InputError, NotAllowed, NotFound
from grid.permissions import Actor

MANAGE = "topic:manage"
BOX_DEGREES = 0.003  # about 300 m


def listed(session: Session, actor: Actor) -> list[tuple[Topic, int]]:
    """Every class within reach that has not been dismissed, the newest first, with how many of its tickets are."""
    counted = _in_reach(select(col(TopicTicket.topic_id), func.count()), actor)
    counts = dict(session.execute(counted.group_by(col(TopicTicket.topic_id))).all())
    query = (
        select(Topic)
        .where(col(Topic.state) != TopicState.DISMISSED)
        .order_by(col(Topic.found_at).desc(), col(Topic.id))
    )
    return [(topic, counts[topic.id]) for topic in session.execute(query).scalars() if counts.get(topic.id)]


def to_answer_for(session: Session, actor: Actor) -> list[Topic]:
    """The topics that the actor's units see to, the first due first."""
    query = select(Topic).where(
        col(Topic.state) == TopicState.ADOPTED, col(Topic.owner_code).in_(actor.under)
    )
    return list(session.execute(query.order_by(col(Topic.due_on), col(Topic.id))).scalars())


def one(session: Session, topic_id: UUID, actor: Actor) -> Topic:
    """A topic of which the actor may see at least one ticket."""
    topic = session.get(Topic, topic_id)
    known = _in_reach(select(col(TopicTicket.topic_id)), actor).where(col(TopicTicket.topic_id) == topic_id)
    if topic is None or session.execute(known.limit(1)).first() is None:
        raise NotFound("没有找到这个专题,请从专题页面打开")
    return topic


def tickets(session: Session, topic: Topic, actor: Actor) -> list[Ticket]:
    query = _in_reach(select(Ticket), actor).where(col(TopicTicket.topic_id) == topic.id)
    return list(session.execute(query.order_by(col(Ticket.reported_at), col(Ticket.id))).scalars())


def _in_reach(query: Any, actor: Actor) -> Any:
    """Tickets with their topics, as far as figures are seen; whoever sees to a topic has the whole of it."""
    of_ticket = and_(
        col(TopicTicket.intake_district) == col(Ticket.intake_district),
        col(TopicTicket.ticket_id) == col(Ticket.id),
    )
    joined = query.select_from(TopicTicket).join(Ticket, of_ticket)
    joined = joined.join(Topic, col(Topic.id) == col(TopicTicket.topic_id))
    return joined.where(or_(queries.visible(actor, FIGURES), col(Topic.owner_code).in_(actor.under)))


def title(topic: Topic, standing: Standing) -> str:
    """What a topic is called: where, and what."""
    place = standing.area_name(topic.grid_code) or "未落格"
    category = standing.categories.get(topic.category_code or "")
    return f"{place} · {category.name if category else '多类'}"


def adopt(
    session: Session,
    topic: Topic,
    owner: str,
    plan: str,
    due_on: date,
    actor: Actor,
    world: World,
    now: datetime,
) -> None:
    """The candidate becomes a topic: a unit answers for it, with a plan and a date, and is told so."""
    _may(actor)
    if topic.state is not TopicState.CANDIDATE:
        raise InputError("这个专题已经有人负责或已结束", {"state": "不能再次采纳"})
    if not plan.strip():
        raise InputError("请写一句治理方案", {"plan": "请写一句治理方案"})
    if due_on < now.astimezone(world.settings.zone).date():
        raise InputError("完成日期已经过去,请改成以后的日期", {"due_on": "须在今天之后"})
    topic.state, topic.owner_code = TopicState.ADOPTED, world.standing.organisation(owner).code
    topic.plan, topic.due_on = plan.strip(), due_on
    topic.adopted_by, topic.adopted_at = actor.account_id, now
    session.add(topic)
    record_change(
        session, actor, "topic", str(topic.id), "adopt", after={"owner": owner, "plan": plan}, now=now
    )
    told = f"专题“{title(topic, world.standing)}”由本单位负责,{due_on:%Y-%m-%d} 前完成:{topic.plan}"
    session.add(
        Notice(
            intake_district=UNPLACED_DISTRICT,
            id=uuid7(),
            outbox_id=topic.id,
            organisation_code=topic.owner_code,
            text=told,
            created_at=now,
        )
    )


def end(session: Session, topic: Topic, state: TopicState, actor: Actor, now: datetime) -> None:
    """Done, or no class of problems after all."""
    _may(actor)
    if state not in (TopicState.DONE, TopicState.DISMISSED):
        raise InputError("专题只能办结或不采纳", {"state": "请选办结或不采纳"})
    topic.state, topic.ended_at = state, now
    session.add(topic)
    record_change(session, actor, "topic", str(topic.id), str(state), now=now)


@dataclass(frozen=True)
class Effect:
    """How many alike came in the same number of days before and after the topic was adopted."""

    days: int
    before: int
    after: int


def effect(session: Session, topic: Topic, now: datetime) -> Effect | None:
    """Reports like the topic's around its place; None before there is a day to compare."""
    if topic.adopted_at is None:
        return None
    days = min((now - topic.adopted_at).days, RULES[topic.kind].days)
    if days < 1:
        return None
    span = timedelta(days=days)
    return Effect(
        days,
        _alike(session, topic, topic.adopted_at - span, topic.adopted_at),
        _alike(session, topic, topic.adopted_at, topic.adopted_at + span),
    )


def _alike(session: Session, topic: Topic, start: datetime, end_: datetime) -> int:
    query = (
        select(func.count())
        .select_from(Ticket)
        .where(
            col(Ticket.workflow) == TICKET, col(Ticket.reported_at) > start, col(Ticket.reported_at) <= end_
        )
    )
    if topic.category_code is not None:
        query = query.where(col(Ticket.category_code) == topic.category_code)
    if topic.lon is not None and topic.lat is not None and RULES[topic.kind].distance_m:
        query = query.where(
            col(Ticket.lon).between(topic.lon - BOX_DEGREES, topic.lon + BOX_DEGREES),
            col(Ticket.lat).between(topic.lat - BOX_DEGREES, topic.lat + BOX_DEGREES),
        )
    return int(session.execute(query).scalar_one())


def _may(actor: Actor) -> None:
    if not actor.may(MANAGE):
        raise NotAllowed("您的岗位不能处理专题(督查员可以)")
