"""The named checks that fields of an action must meet, each with one sentence for 'no'."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from dispatch.record.models import Ticket
from dispatch.record.oversight import plans, rechecks
from dispatch.record.oversight.models import PlanKind
from dispatch.record.world import Standing
from dispatch.rules.workflow import Facts

LONGEST_CONDUCT = timedelta(days=183)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a check may look at."""

    session: Session
    ticket: Ticket
    standing: Standing
    facts: Facts
    now: datetime


Check = Callable[[Any, Asked], str | None]
CHECKS: dict[str, Check] = {}


def _check(check: Check) -> Check:
    CHECKS[check.__name__] = check
    return check


@_check
def no_new_danger(value: Any, asked: Asked) -> str | None:
    return "含有新的安全事实的一律受理,请改用“受理”或“派遣”" if value == "yes" else None


@_check
def in_future(value: Any, asked: Asked) -> str | None:
    return None if value > asked.now else "须是将来的日期"


@_check
def not_in_future(value: Any, asked: Asked) -> str | None:
    return "不能晚于现在" if value > asked.now else None


@_check
def reporter_told(value: Any, asked: Asked) -> str | None:
    if value == "none" and asked.facts.can_contact:
        return "本件有诉求人,须先告知挂账原因和计划完成日,再批准"
    return None


@_check
def not_the_same_unit(value: Any, asked: Asked) -> str | None:
    return "提级须由另一个单位接手" if value == asked.ticket.main_code else None


@_check
def below_the_unit(value: Any, asked: Asked) -> str | None:
    if value in asked.standing.units_below(asked.ticket.main_code):
        return None
    return "只能交给本单位的科室或二级单位"


@_check
def still_to_report(value: Any, asked: Asked) -> str | None:
    return None if value in asked.facts.waiting_units else "这个单位没有被请来协办,或已经反馈"


@_check
def took_part(value: Any, asked: Asked) -> str | None:
    helped = (asked.ticket.assistant_codes or "").split(",")
    return None if value in helped else "这个单位没有参加本件的联合办理"


@_check
def within_half_a_year(value: Any, asked: Asked) -> str | None:
    if not asked.now < value <= asked.now + LONGEST_CONDUCT:
        return f"须是将来的日期,最长 {LONGEST_CONDUCT.days} 天"
    return None


@_check
def two_officers(value: Any, asked: Asked) -> str | None:
    names = {name for name in re.split(r"[、,，;；\s]+", str(value)) if name}
    return None if len(names) >= 2 else "执法须至少两人到场,请写明两人以上的姓名或执法证号,用顿号分开"


@_check
def registered_plan(value: Any, asked: Asked) -> str | None:
    on = asked.now.astimezone(ZoneInfo(asked.standing.zone)).date()
    problem = plans.valid(asked.session, str(value), PlanKind.RECHECK, on)
    if problem is None and not rechecks.is_drawn(asked.session, str(value), asked.ticket):
        return f"计划 {value} 没有抽中本件,请核对计划号;抽查须先随机抽取"
    return problem
