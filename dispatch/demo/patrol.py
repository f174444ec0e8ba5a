"""This week's list for the worker whose login everybody tries: under a registered plan, in their own grid."""

from datetime import datetime, timedelta

from shapely import from_wkb
from sqlmodel import Session, col, select

from dispatch.demo.cast import Cast
from dispatch.record.oversight import inspections, plans
from dispatch.record.oversight.inspections import Place, Task
from dispatch.record.oversight.models import PlanKind
from dispatch.record.oversight.plans import Plan
from dispatch.record.world import World
from grid.models import Account, Area, Post
from grid.settings import Settings

PLAN = "巡-001"
WORKER, UNIT = "wangge1", "sanitation-1"
CATEGORY = "200102"
PLACES = ("早市东门收集点", "老粮站路口收集点", "河边步道收集点")
APART_DEGREES = 0.0003


def publish(session: Session, settings: Settings, now: datetime) -> None:
    """Register the plan and publish the list; the caller commits."""
    today = now.astimezone(settings.zone).date()
    cast, world = Cast(session, today), World(settings)
    query = select(Post).join(Account, col(Account.id) == col(Post.account_id))
    post = session.exec(query.where(Account.login == WORKER).order_by(col(Post.area_code))).first()
    area = session.exec(select(Area).where(Area.code == post.area_code)).first() if post else None
    if post is None or area is None:
        return
    middle = from_wkb(area.wkb).representative_point()
    until = today + timedelta(days=365)
    plan = Plan(
        PLAN, PlanKind.INSPECTION, "垃圾收集点巡查", "年度督查检查计划第 1 项(虚构)", UNIT, today, until
    )
    plans.register(session, plan, cast["ducha"], now)
    places = tuple(
        Place(key=name, name=name, lon=middle.x + number * APART_DEGREES, lat=middle.y)
        for number, name in enumerate(PLACES)
    )
    task = Task(PLAN, "收集点是否满溢", CATEGORY, UNIT, post.organisation_code or "", places)
    inspections.create(session, task, cast[UNIT], world, now)
