"""What each person of the made-up city enters in a form: the report, and what goes with every step."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dispatch.demo.stories import Step, Story
from dispatch.demo.texts import CONTACTS, OBJECTIONS, REPORTERS, REWORKS, WORDS, Said
from dispatch.record.intake import Mode, Report
from dispatch.record.models import Source, Ticket
from grid.models import Category, Organisation

NOTICE_VERSION = "demo-1"
NATURES = {"3001": "consult", "3005": "suggestion", "400109": "complaint", "400107": "report"}


@dataclass
class Case:
    """One matter: what and where, who reports it, which way it will go, and its code once it has one."""

    number: int
    story: Story
    said: Said
    mode: str
    lon: float
    lat: float
    by: str
    has_reporter: bool
    accuracy_m: float
    spot: str
    uuid: UUID
    rolls: tuple[float, float]
    code: str = ""
    key: tuple[str, UUID] | None = None
    twin: "Case | None" = None
    steps: list[Step] = field(default_factory=list)


def report_for(case: Case, photo: str, now: datetime) -> Report:
    """The report as it is entered."""
    is_call = case.said.place == "hotline"
    source = Source.HOTLINE if is_call else (Source.ON_BEHALF if case.has_reporter else Source.PATROL)
    surname = REPORTERS[case.number % len(REPORTERS)]
    return Report(
        client_uuid=case.uuid,
        source=source,
        category_code=case.said.category_code,
        lon=case.lon,
        lat=case.lat,
        frame="wgs84",
        accuracy_m=None if is_call else case.accuracy_m,
        location_source="map" if is_call else "browser",
        captured_at=None if is_call else now,
        text=case.said.said.format(spot=case.spot),
        photos=() if is_call else (photo,),
        mode=Mode(case.mode),
        nature=NATURES.get(case.said.category_code, "help") if is_call else None,
        reporter_name=f"{surname}{'女士' if case.number % 2 else '先生'}" if case.has_reporter else None,
        reporter_phone=f"1990000{case.number % 10_000:04d}" if case.has_reporter else None,
        consented=case.has_reporter,
        notice_version=NOTICE_VERSION if case.has_reporter else None,
        synthetic=True,
    )


@dataclass(frozen=True, slots=True)
class Filling:
    """What somebody has before them who fills in a form."""

    action: str
    case: Case
    ticket: Ticket
    category: Category
    units: Mapping[str, Organisation]
    rng: random.Random
    photo: str
    at: datetime

    @property
    def photos(self) -> tuple[str, ...]:
        return (self.photo,) if self.category.needs_photo else ()


def given_for(form: Filling) -> dict[str, Any]:
    """What is filled in with an action; nothing where the form asks for nothing."""
    always = ALWAYS.get(form.action)
    if always is not None:
        return dict(always)
    write = WRITTEN.get(form.action)
    return write(form) if write else {}


ALWAYS: dict[str, dict[str, Any]] = {
    "refuse_objection": {"reason": "经核对属本单位职责,指定承办。"},
    "uphold_dissatisfaction": {"reason": "回访情况属实,请二次办理并先联系诉求人。"},
    "dismiss_dissatisfaction": {"reason": "经复核已按规定办理到位,诉求超出政策范围,已说明理由。"},
    "withdraw": {"words": "来电说明已自行解决,不再反映。"},
    "attempt_callback": {"note": "无人接听。"},
    "report_help": {"helped": "done", "work": "已按牵头单位要求到场配合。"},
    "ask_extension": {"days": "3", "reason": "需等配件到货,预计三个工作日内完成。"},
    "grant_extension": {"days": "3", "reason": "情况属实,请告知诉求人。"},
    "ask_more": {"reason": "请补充具体门牌号和发生时间段。"},
    "supply": {"text": "来电补充:三号楼二单元,多在傍晚。"},
    "answer_instantly": {"answer": "已按知识库逐项答复办理条件、地点和时间。"},
    "reject": {"reason_code": "R1", "reason": "属民事纠纷,已告知向人民法院起诉的途径。", "new_danger": "no"},
    "propose_rejection": {
        "reason_code": "R4",
        "reason": "同一事项上周已办结,没有新情况。",
        "new_danger": "no",
    },
    "confirm_rejection": {"reason": "经核对原件,同意并告知理由。"},
    "ask_termination": {"reason": "现场设施已随旧楼拆除,事项不再存在。"},
    "grant_termination": {"reason": "核对属实,同意终止。"},
    "urge": {"words": "诉求人来电催问进展。"},
    "pass_on": {"place": "neighbour", "receiver": "相邻地区指挥中心", "reason": "落点在界外,属相邻地区。"},
    "record_receipt": {"receipt": "LY-2026-0117"},
}


def _objection(form: Filling) -> dict[str, Any]:
    reason = form.rng.choice(sorted(OBJECTIONS))
    return {"reason_code": reason, "organisation": _other(form), "basis": OBJECTIONS[reason]}


def _answer(form: Filling) -> dict[str, Any]:
    unit = form.units[form.ticket.main_code or ""].name
    return {
        "solved": "partly" if form.case.rolls[1] < 0.07 else "solved",
        "answer": form.case.said.answered.format(unit=unit),
        "work": f"{unit}派员到场处置,材料和人工已登记。",
        "officers": "陈队员(执法证 Y0117)、林队员(执法证 Y0236)" if form.category.enforcement else None,
        "photos": form.photos,
    }


def _pleased(form: Filling) -> dict[str, Any]:
    score = 5 if form.case.rolls[0] < 0.55 else 4 if form.case.rolls[0] < 0.88 else 3
    words = form.rng.choice(WORDS[score]) if form.case.number % 2 else None
    return {"solved": "solved" if score > 3 else "partly", "satisfaction": str(score), "words": words}


def _unhappy(form: Filling) -> dict[str, Any]:
    score = 1 if form.case.rolls[0] < 0.4 else 2
    return {"solved": "unsolved", "satisfaction": str(score), "words": form.rng.choice(WORDS[score])}


def _contact(form: Filling) -> dict[str, Any]:
    outcome = "unreached" if form.case.rolls[0] < 0.1 else "reached"
    return {"outcome": outcome, "note": form.rng.choice(CONTACTS)}


def _plan(form: Filling) -> dict[str, Any]:
    return {
        "plan_until": form.at + timedelta(days=35),
        "person": "养护科周工程师",
        "reason_code": "funds",
        "reason": "须整段翻修,已列入下季度计划。",
    }


def _referral(form: Filling) -> dict[str, Any]:
    reason = "属信访事项,已说明受理机关和查询方式。"
    received_at = form.at - timedelta(minutes=10)
    return {"place": "petition", "received_by": "信访接待窗口", "received_at": received_at, "reason": reason}


WRITTEN: dict[str, Callable[[Filling], dict[str, Any]]] = {
    "contact": _contact,
    "object": _objection,
    "object_again": _objection,
    "uphold_objection": lambda f: {"organisation": _other(f), "reason": "依据充分,改派建议单位。"},
    "settle": lambda f: {"organisation": f.ticket.main_code, "reason": "会商议定由本单位牵头,相关单位配合。"},
    "handle": _answer,
    "draft_answer": _answer,
    "confirm_report": lambda f: {"photos": (f.photo,), "note": "现场属实。"},
    "verify_pass": lambda f: {"photos": f.photos, "note": "现场已恢复。" if f.case.number % 3 else None},
    "verify_fail": lambda f: {"photos": f.photos, "note": f.rng.choice(REWORKS)},
    "answer_satisfied": _pleased,
    "answer_unsolved": _unhappy,
    "ask_suspension": _plan,
    "grant_suspension": lambda f: {"told": "phone" if f.case.has_reporter else "none"},
    "refer": _referral,
    "merge": lambda f: {"into": f.case.twin.code if f.case.twin else "", "reason": "同一地点同一事项。"},
    "made_safe": lambda f: {"photos": f.photos, "note": "已围挡,放置警示。"},
    "settle_owner": lambda f: {"organisation": _other(f), "basis": "经现场会勘,管线图标明权属。"},
}


def _other(form: Filling) -> str:
    """A unit of the same district that might do it just as well."""
    ticket, units = form.ticket, form.units
    district = (ticket.main_code or "").rpartition("-")[2]
    number = district if district in ("1", "2") else "1"
    for kind in ("municipal", "sanitation", "chengguan", "drainage"):
        code = f"{kind}-{number}"
        if code != ticket.main_code and code in units:
            return code
    return "municipal-1"
