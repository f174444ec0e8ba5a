"""What each person of the made-up city enters in a form: the report, and what goes with every step."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch.demo.stories import Story
from dispatch.demo.texts import CONTACTS, OBJECTIONS, REPORTERS, REWORKS, WORDS, Said
from dispatch.record.intake import Mode, Report
from dispatch.record.models import Source, Ticket
from grid.models import Organisation

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


def given_for(
    action: str, case: Case, ticket: Ticket, units: Mapping[str, Organisation], rng: random.Random, photo: str
) -> dict[str, Any]:
    """What is filled in with an action; nothing where the form asks for nothing."""
    has_photos = case.said.place != "hotline"
    shown = (photo,) if has_photos else ()
    if action == "contact":
        return {"outcome": "unreached" if case.rolls[0] < 0.1 else "reached", "note": rng.choice(CONTACTS)}
    if action in ("object", "object_again"):
        reason = rng.choice(sorted(OBJECTIONS))
        return {"reason_code": reason, "organisation": _other(ticket, units), "basis": OBJECTIONS[reason]}
    if action == "uphold_objection":
        return {"organisation": _other(ticket, units), "reason": "依据充分,改派建议单位。"}
    if action == "refuse_objection":
        return {"reason": "经核对属本单位职责,指定承办。"}
    if action == "settle":
        return {"organisation": ticket.main_code, "reason": "会商议定由本单位牵头,相关单位配合。"}
    if action == "handle":
        unit = units[ticket.main_code or ""].name
        answer = case.said.answered.format(unit=unit)
        work = f"{unit}派员到场处置,材料和人工已登记。"
        solved = "partly" if case.rolls[1] < 0.07 else "solved"
        return {"solved": solved, "answer": answer, "work": work, "photos": shown}
    if action == "verify_pass":
        return {"photos": shown, "note": "现场已恢复。" if case.number % 3 else None}
    if action == "verify_fail":
        return {"photos": shown, "note": rng.choice(REWORKS)}
    if action == "answer_satisfied":
        score = 5 if case.rolls[0] < 0.55 else 4 if case.rolls[0] < 0.88 else 3
        words = rng.choice(WORDS[score]) if case.number % 2 else None
        return {"solved": "solved" if score > 3 else "partly", "satisfaction": str(score), "words": words}
    if action == "answer_unsolved":
        score = 1 if case.rolls[0] < 0.4 else 2
        return {"solved": "unsolved", "satisfaction": str(score), "words": rng.choice(WORDS[score])}
    if action == "uphold_dissatisfaction":
        return {"reason": "回访情况属实,请二次办理并先联系诉求人。"}
    if action == "dismiss_dissatisfaction":
        return {"reason": "经复核已按规定办理到位,诉求超出政策范围,已说明理由。"}
    if action == "withdraw":
        return {"words": "来电说明已自行解决,不再反映。"}
    if action == "attempt_callback":
        return {"note": "无人接听。"}
    return {}


def _other(ticket: Ticket, units: Mapping[str, Organisation]) -> str:
    """A unit of the same district that might do it just as well."""
    district = (ticket.main_code or "").rpartition("-")[2]
    number = district if district in ("1", "2") else "1"
    for kind in ("municipal", "sanitation", "chengguan", "drainage"):
        code = f"{kind}-{number}"
        if code != ticket.main_code and code in units:
            return code
    return "municipal-1"
