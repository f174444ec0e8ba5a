"""The register of plans: whoever wants something inspected or re-checked enters it here first, in one table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from dispatch.record.oversight.models import InspectionTask, PlanEntry, PlanKind, Recheck
from grid.errors import InputError, NotAllowed
from grid.permissions import Actor

KINDS = {PlanKind.INSPECTION: "巡查", PlanKind.RECHECK: "抽查", PlanKind.APPRAISAL: "考评"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is entered: `approval` is the year's plan or the approval of a single matter (一事一报)."""

    number: str
    kind: PlanKind
    title: str
    approval: str
    organisation_code: str
    from_on: date
    to_on: date


def register(session: Session, plan: Plan, actor: Actor, now: datetime) -> PlanEntry:
    """Enter a plan."""
    if not actor.may("plan:register"):
        raise NotAllowed("您的岗位不能登记计划")
    wrong = {
        name: f"请填写{label}"
        for name, label in (("number", "计划号"), ("title", "事项"), ("approval", "审批依据"))
        if not str(getattr(plan, name)).strip()
    }
    if plan.to_on < plan.from_on:
        wrong["to_on"] = "结束日期早于开始日期"
    if not wrong and session.get(PlanEntry, plan.number) is not None:
        wrong["number"] = f"计划号 {plan.number} 已经登记"
    if wrong:
        raise InputError("计划没有登记:" + ";".join(wrong.values()), wrong)
    entry = PlanEntry(
        number=plan.number,
        kind=plan.kind,
        title=plan.title,
        approval=plan.approval,
        organisation_code=plan.organisation_code,
        from_on=plan.from_on,
        to_on=plan.to_on,
        registered_by=actor.account_id,
        registered_at=now,
    )
    session.add(entry)
    session.flush()
    return entry


def valid(session: Session, number: str, kind: PlanKind, on: date) -> str | None:
    """Why this number does not cover that day, or None when it does."""
    entry = session.get(PlanEntry, number) if number else None
    if entry is None:
        return "没有这个计划号;不得在计划外开展,请先登记年度计划或一事一报审批"
    if entry.kind is not kind:
        return f"计划 {number} 不是为此登记的"
    if not entry.from_on <= on <= entry.to_on:
        return f"计划 {number} 的期限是 {entry.from_on} 至 {entry.to_on},今天不在其内"
    return None


def totals(session: Session) -> Sequence[tuple[PlanEntry, int, int]]:
    """Every plan with how many tasks and how many re-checks it has led to: the load in one table."""
    tasks, drawn = _count(session, InspectionTask.plan_number), _count(session, Recheck.plan_number)
    entries = session.execute(select(PlanEntry).order_by(col(PlanEntry.registered_at))).scalars()
    return [(entry, tasks.get(entry.number, 0), drawn.get(entry.number, 0)) for entry in entries]


def _count(session: Session, column: str) -> dict[str, int]:
    query = select(col(column), func.count()).group_by(col(column))
    return {row[0]: row[1] for row in session.execute(query)}
