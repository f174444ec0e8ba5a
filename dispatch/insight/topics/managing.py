"""What people do with candidates, and whether it helped: adopted with owner, plan and date; before and after counted."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlmodel import Session, col

from dispatch.insight.topics.finding import RULES
from dispatch.insight.topics.models import Topic, TopicState, TopicTicket
from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from dispatch.rules.workflow import TICKET
from grid.auditing import record_change
from grid.errors import InputError, NotAllowed, NotFound
from grid.permissions import Actor

MANAGE = "topic:manage"
BOX_DEGREES = 0.003  # about 300 m


def listed(session: Session) -> list[tuple[Topic, int]]:
    """Every class that has not been dismissed, the newest first, with how many tickets it has."""
    counts = dict(
        session.execute(
            select(col(TopicTicket.topic_id), func.count()).group_by(col(TopicTicket.topic_id))
        ).all()
    )
    query = (
        select(Topic)
        .where(col(Topic.state) != TopicState.DISMISSED)
        .order_by(col(Topic.found_at).desc(), col(Topic.id))
    )
    return [(topic, counts.get(topic.id, 0)) for topic in session.execute(query).scalars()]


def one(session: Session, topic_id: UUID) -> Topic:
    topic = session.get(Topic, topic_id)
    if topic is None:
        raise NotFound("没有找到这个专题,请从专题页面打开")
    return topic


def tickets(session: Session, topic: Topic) -> list[Ticket]:
    of_topic = and_(
        col(TopicTicket.intake_district) == col(Ticket.intake_district),
        col(TopicTicket.ticket_id) == col(Ticket.id),
    )
    query = select(Ticket).join(TopicTicket, of_topic).where(col(TopicTicket.topic_id) == topic.id)
    return list(session.execute(query.order_by(col(Ticket.reported_at), col(Ticket.id))).scalars())


def adopt(
    session: Session,
    topic: Topic,
    owner: str,
    plan: str,
    due_on: date,
    actor: Actor,
    standing: Standing,
    now: datetime,
) -> None:
    """The candidate becomes a topic: somebody answers for it, with a plan and a date."""
    _may(actor)
    if topic.state is not TopicState.CANDIDATE:
        raise InputError("这个专题已经有人负责或已结束", {"state": "不能再次采纳"})
    if not plan.strip():
        raise InputError("请写一句治理方案", {"plan": "请写一句治理方案"})
    if due_on < now.date():
        raise InputError("完成日期已经过去,请改成以后的日期", {"due_on": "须在今天之后"})
    topic.state, topic.owner_code = TopicState.ADOPTED, standing.organisation(owner).code
    topic.plan, topic.due_on = plan.strip(), due_on
    topic.adopted_by, topic.adopted_at = actor.account_id, now
    session.add(topic)
    record_change(
        session, actor, "topic", str(topic.id), "adopt", after={"owner": owner, "plan": plan}, now=now
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
