"""Keeps schemes and switches: under a plan number, off by default, with the name of who turned them on."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select
from uuid6 import uuid7

from dispatch.insight.schemes.limits import OFF_PLAN, Group, Indicator, Plan, examine, without
from dispatch.insight.schemes.models import FigureSwitch, ObservationPoint, Scheme
from dispatch.record.oversight import plans
from dispatch.record.oversight.models import PlanKind
from dispatch.record.world import World
from grid.auditing import record_change
from grid.errors import InputError, NotAllowed
from grid.models import Account
from grid.permissions import Actor

SWITCH = "figures:switch"
RANKING, WEEKLY = "ranking", "weekly"
SWITCHES = {
    RANKING: "单位名次(只到单位、同组、按季度,附样本量和区间)",
    WEEKLY: "周报(月报之外更密的报告)",
}
NEEDS_PLAN = frozenset({RANKING})


def keep(session: Session, plan: Plan, actor: Actor, world: World, now: datetime) -> Scheme:
    """Keep a scheme that breaks no clause, under a registered plan for appraisals."""
    _may(actor)
    examine(plan)
    _planned(session, plan.plan_number, world, now)
    alike = (
        Scheme.title == plan.title,
        Scheme.plan_number == plan.plan_number,
        col(Scheme.ended_at).is_(None),
    )
    if session.exec(select(Scheme.id).where(*alike)).first() is not None:
        sentence = f"计划 {plan.plan_number} 下已有同名的方案“{plan.title}”,请先停用它,或另起名称"
        raise InputError(sentence, {"title": sentence})
    row = Scheme(
        id=uuid7(),
        title=plan.title,
        plan_number=plan.plan_number,
        body=asdict(plan),
        made_by=actor.account_id,
        made_at=now,
    )
    session.add(row)
    record_change(session, actor, "scheme", str(row.id), "create", after=row.body, now=now)
    return row


def remove(session: Session, row: Scheme, title: str, actor: Actor, now: datetime) -> None:
    """Take one indicator out of a scheme; its weight goes to the others in proportion."""
    _may(actor)
    before = row.body
    row.body = asdict(without(plan_of(before), title))
    session.add(row)
    record_change(session, actor, "scheme", str(row.id), "change", before=before, after=row.body, now=now)


def end(session: Session, row: Scheme, actor: Actor, now: datetime) -> None:
    """A scheme no longer holds; it stays to be read."""
    _may(actor)
    row.ended_at = row.ended_at or now
    session.add(row)
    record_change(session, actor, "scheme", str(row.id), "end", now=now)


def plan_of(body: dict[str, Any]) -> Plan:
    """The stored scheme as values."""
    return Plan(
        body["title"],
        body["plan_number"],
        tuple(_indicator(one) for one in body["indicators"]),
        tuple(
            Group(g["name"], tuple(g["units"]), tuple((title, float(w)) for title, w in g["weights"]))
            for g in body["groups"]
        ),
        int(body["base"]),
    )


def _indicator(one: dict[str, Any]) -> Indicator:
    return Indicator(
        one["title"], one["metric"], tuple(one["rules"]), tuple(_indicator(p) for p in one["parts"])
    )


def turn(
    session: Session,
    key: str,
    is_on: bool,
    actor: Actor,
    world: World,
    now: datetime,
    plan_number: str | None = None,
) -> None:
    """Turn something on or off; who did it stands beside it wherever it shows."""
    _may(actor)
    if key not in SWITCHES:
        raise InputError(f"没有名为 {key} 的开关", {"key": "没有这个开关"})
    if is_on and key in NEEDS_PLAN:
        _planned(session, plan_number or "", world, now)
    row = session.get(FigureSwitch, key) or FigureSwitch(key=key, turned_at=now)
    before = {"is_on": row.is_on}
    row.is_on, row.turned_by, row.turned_at, row.plan_number = is_on, actor.account_id, now, plan_number
    session.add(row)
    after = {"is_on": is_on, "plan_number": plan_number}
    record_change(session, actor, "figure_switch", key, "change", before=before, after=after, now=now)


def who_turned_on(session: Session, key: str) -> tuple[str, datetime] | None:
    """The name of who turned it on and when; None while it is off."""
    row = session.get(FigureSwitch, key)
    if row is None or not row.is_on:
        return None
    account = session.get(Account, row.turned_by) if row.turned_by else None
    return (account.name if account else "系统", row.turned_at)


def mark_point(session: Session, grid_code: str, marked: bool, actor: Actor, now: datetime) -> None:
    """Make a grid an observation point, or end that."""
    _may(actor)
    row = session.get(ObservationPoint, grid_code)
    if marked and row is None:
        session.add(ObservationPoint(grid_code=grid_code, marked_by=actor.account_id, marked_at=now))
    elif row is not None and not marked:
        session.delete(row)
    action = "create" if marked else "delete"
    record_change(session, actor, "observation_point", grid_code, action, now=now)


def points(session: Session) -> list[str]:
    return list(session.exec(select(ObservationPoint.grid_code).order_by(col(ObservationPoint.grid_code))))


def _planned(session: Session, number: str, world: World, now: datetime) -> None:
    today = now.astimezone(world.settings.zone).date()
    problem = plans.valid(session, number, PlanKind.APPRAISAL, today) if number else OFF_PLAN
    if problem:
        raise InputError(problem, {"plan_number": problem})


def _may(actor: Actor) -> None:
    if not actor.may(SWITCH):
        raise NotAllowed("您的岗位不能改变数字的开关和考评方案(督查员可以)")
