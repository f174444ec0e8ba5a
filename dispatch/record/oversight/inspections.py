"""Inspection by list (清单式巡查): a task needs a plan; two tasks at one place in one week are one visit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record import actions
from dispatch.record.intake import Report, Reported
from dispatch.record.judging.admitting import Barred
from dispatch.record.models import Source, Ticket, TicketCode
from dispatch.record.oversight import plans
from dispatch.record.oversight.models import (
    InspectionPoint,
    InspectionTask,
    InspectionVisit,
    PlanKind,
    PointResult,
)
from dispatch.record.world import Standing, World
from dispatch.rules.admission import Part, barred
from grid.errors import Conflict, InputError, NotAllowed, NotFound
from grid.permissions import Actor

FRAME = "wgs84"
LABELS = {
    PointResult.NORMAL: "正常",
    PointResult.ABNORMAL: "异常(转工单)",
    PointResult.NO_ENTRY: "无法进入",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to look; `key` is the place's own name in the register it comes from."""

    key: str
    name: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be looked through, for whom, by whom, under which plan."""

    plan_number: str
    title: str
    category_code: str
    organisation_code: str
    executor_code: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """Looked at and still to be looked at."""

    checked: int
    total: int

    @property
    def share(self) -> float:
        return self.checked / self.total if self.total else 0.0


def create(session: Session, task: Task, actor: Actor, world: World, now: datetime) -> InspectionTask:
    """Publish a list.

    Raises
    ------
    NotAllowed, InputError
        No right to, no plan, or the executor may not be given such a matter.
    """
    if not actor.may("inspection:create"):
        raise NotAllowed("您的岗位不能发布巡查任务")
    standing = world.refresh(session)
    category = standing.category(task.category_code)
    today = now.astimezone(world.settings.zone).date()
    wrong: dict[str, str] = {}
    problem = plans.valid(session, task.plan_number, PlanKind.INSPECTION, today)
    if problem:
        wrong["plan_number"] = problem
    clause = _forbidden(standing, task)
    if clause:
        raise Barred(clause, "executor_code", task.executor_code, category.code, "inspection")
    if not task.places:
        wrong["places"] = "请列出要看的地点"
    if wrong:
        raise InputError("任务没有发布:" + ";".join(wrong.values()), wrong)
    made = InspectionTask(
        id=uuid7(),
        plan_number=task.plan_number,
        title=task.title,
        category_code=category.code,
        organisation_code=standing.organisation(task.organisation_code).code,
        executor_code=standing.organisation(task.executor_code).code,
        week_on=week_of(now, world),
        created_by=actor.account_id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    for place in task.places:
        visit = _visit(session, place, made.executor_code, made.week_on, world)
        session.add(InspectionPoint(id=uuid7(), task_id=made.id, visit_id=visit.id))
    session.flush()
    return made


def week_of(now: datetime, world: World) -> date:
    """The Monday of the week in which it is now."""
    today = now.astimezone(world.settings.zone).date()
    return today - timedelta(days=today.weekday())


def visits(
    session: Session, actor: Actor, week_on: date
) -> Sequence[tuple[InspectionVisit, list[InspectionPoint]]]:
    """The visits of a week in the actor's grids, each with the points of all lists there."""
    query = (
        select(InspectionVisit, InspectionPoint)
        .join(InspectionPoint, col(InspectionPoint.visit_id) == col(InspectionVisit.id))
        .where(col(InspectionVisit.week_on) == week_on)
        .where(col(InspectionVisit.grid_code).in_(actor.area_codes))
        .order_by(col(InspectionVisit.id), col(InspectionPoint.id))
    )
    found: dict[UUID, tuple[InspectionVisit, list[InspectionPoint]]] = {}
    for visit, point in session.execute(query):
        found.setdefault(visit.id, (visit, []))[1].append(point)
    return list(found.values())


def check(
    session: Session,
    point_id: UUID,
    result: PointResult,
    actor: Actor,
    world: World,
    now: datetime,
    *,
    text: str | None = None,
    photos: tuple[str, ...] = (),
) -> Reported | None:
    """Say what was found; something abnormal becomes a ticket that knows the point it comes from.

    The same answer of the same person, sent again because the first one's receipt got lost, is answered alike.

    Raises
    ------
    NotAllowed, NotFound, Conflict
        Not theirs to say, or somebody has said otherwise before.
    """
    if not actor.may("inspection:check"):
        raise NotAllowed("您的岗位不能登记巡查结果")
    point = session.get(InspectionPoint, point_id, with_for_update=True)
    visit = session.get(InspectionVisit, point.visit_id) if point else None
    task = session.get(InspectionTask, point.task_id) if point else None
    if point is None or visit is None or task is None or visit.grid_code not in actor.area_codes:
        raise NotFound("没有找到这个巡查点位,或它不在您的网格")
    if point.result is not None:
        if (point.result, point.checked_by) != (result, actor.account_id):
            raise Conflict(f"这个点位已经登记过:{LABELS[point.result]}")
        return _made(session, point)
    point.result, point.checked_at, point.checked_by = result, now, actor.account_id
    if result is not PointResult.ABNORMAL:
        return None
    report = Report(
        client_uuid=uuid5(point.id, "inspection"),
        source=Source.PATROL,
        category_code=task.category_code,
        lon=visit.lon,
        lat=visit.lat,
        frame=FRAME,
        location_source="map",
        text=text or f"{task.title}:{visit.name}异常",
        photos=photos,
    )
    made = actions.report(session, report, actor, world, now)
    point.ticket_code = made.code
    return made


def _made(session: Session, point: InspectionPoint) -> Reported | None:
    """The ticket that this point has led to."""
    query = select(Ticket).join(TicketCode, col(TicketCode.ticket_id) == col(Ticket.id))
    ticket = session.execute(query.where(col(TicketCode.code) == point.ticket_code)).scalar_one_or_none()
    if ticket is None:
        return None
    return Reported(ticket.code, ticket.id, ticket.intake_district, ticket.state, repeated=True)


def titles(session: Session, week_on: date) -> dict[UUID, str]:
    """What each list of that week is called."""
    query = select(col(InspectionTask.id), col(InspectionTask.title)).where(
        col(InspectionTask.week_on) == week_on
    )
    return {row[0]: row[1] for row in session.execute(query)}


def progress(session: Session, task_id: UUID) -> Progress:
    """How much of a list has been looked at."""
    query = select(func.count(), func.count(col(InspectionPoint.result))).where(
        col(InspectionPoint.task_id) == task_id
    )
    total, checked = session.execute(query).one()
    return Progress(checked, total)


def found_tickets(session: Session, task_id: UUID) -> list[str]:
    """The tickets that a list has led to."""
    query = select(col(InspectionPoint.ticket_code)).where(
        col(InspectionPoint.task_id) == task_id, col(InspectionPoint.ticket_code).is_not(None)
    )
    return [code for code in session.execute(query).scalars() if code]


def _visit(session: Session, place: Place, executor: str, week_on: date, world: World) -> InspectionVisit:
    """The week's visit to that place, made if nobody else goes there yet."""
    known: InspectionVisit | None = session.execute(
        select(InspectionVisit)
        .where(col(InspectionVisit.place_key) == place.key, col(InspectionVisit.week_on) == week_on)
        .where(col(InspectionVisit.executor_code) == executor)
    ).scalar_one_or_none()
    if known is not None:
        return known
    placed = world.locate(lon=place.lon, lat=place.lat, accuracy_m=None, frame=FRAME)
    visit = InspectionVisit(
        id=uuid7(),
        place_key=place.key,
        week_on=week_on,
        executor_code=executor,
        name=place.name,
        lon=place.lon,
        lat=place.lat,
        grid_code=placed.codes.get("grid"),
    )
    session.add(visit)
    session.flush()
    return visit


def _forbidden(standing: Standing, task: Task) -> str | None:
    executor = standing.organisation(task.executor_code)
    found = barred(
        standing.book.admission,
        categories=standing.lineage(task.category_code),
        enforcement=standing.categories[task.category_code].enforcement,
        organisation_kind=executor.kind,
        part=Part.INSPECTION,
    )
    return found.sentence if found else None
