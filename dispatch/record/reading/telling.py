"""A ticket's whole story in words: what happened, who decided, by what reason, and how each clock ran."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from dispatch.record import clocks, queries
from dispatch.record.models import Ticket, TicketClock
from dispatch.record.world import Standing
from dispatch.rules.clocks import UNIT_LABELS, Unit
from dispatch.rules.deadlines import Step
from dispatch.rules.workflow import BY_ACTION, MARKS, STATES, SUBMIT, Given, GivenKind, State

KINDS = {"total": "诉求总时限", "handle": "承办时限", "stage": "环节时限", "assist": "协办时限"}
STAGES = {row.stage: row.label for row in STATES.values() if row.stage} | {
    "handle": "承办",
    "rework": "二次办理",
    "step": "分阶段",
    "track": "移送后跟踪",
    "make_safe": "围挡处置",
    "assist": "协办反馈",
    "assist_sign": "报到",
    "lead_rectify": "整改",
    "callback": "回访",
    "contact": "先行联系",
    "total": "总",
}
# What the reporter said is theirs; what was decided is the story.
REPORTERS_WORDS = frozenset({"text", "words"})


@dataclass(frozen=True, slots=True)
class ClockTold:
    """One clock as people read it: its name, its sentence, and each day that counted or did not."""

    name: str
    sentence: str
    steps: tuple[Step, ...]
    runs: bool


def story(
    session: Session, ticket: Ticket, standing: Standing, mask: Callable[[str], str] = str
) -> Iterator[str]:
    """The lines that `flask dispatch explain` prints; `mask` hides numbers in what people wrote."""
    zone = ZoneInfo(standing.zone)
    category = standing.categories[ticket.category_code]
    yield f"工单 {ticket.code}:{category.name},{STATES[ticket.state].label},来源 {ticket.source}"
    yield f"落格:{(ticket.placed or {}).get('reason') or (ticket.placed or {}).get('how')}"
    yield f"派单:{(ticket.routed or {}).get('reason') or '还没有'}(规则版本 {ticket.ruleset_version})"
    yield ""
    for line in queries.history(session, ticket):
        event = line.event
        fields = _fields(event.action)
        unit = standing.organisations.get(event.organisation_code or "")
        who = "系统" if event.channel == "system" else unit.name if unit else "诉求人"
        moved = "" if event.state_from == event.state_to else f" → {STATES[State(event.state_to)].label}"
        yield f"{event.seq:>3} {_at(event.at, zone)} {who}:{_label(event.action)}{moved}"
        given = [
            said
            for name, value in (event.given or {}).items()
            if name not in ("statements", "photos")
            and (said := _said(fields.get(name), name, value, standing))
        ]
        if given:
            yield "      " + ";".join(given)
        for statement in line.statements:
            if statement.text and statement.name not in REPORTERS_WORDS:
                label = fields[statement.name].label if statement.name in fields else statement.name
                yield f"      {label}:{mask(statement.text)}"
        for reason in _reasons(event.reasons or {}):
            yield f"      理由:{reason}"
    for clock in queries.rows(session, TicketClock, ticket):
        yield ""
        told = tell_clock(clock, standing)
        yield f"{told.name}:{told.sentence}"
        yield from (f"  {'+' if step.counted else ' '} {step.text}" for step in told.steps)


def tell_clock(clock: TicketClock, standing: Standing) -> ClockTold:
    """One clock, day by day, by the present calendar; a paused one has no end yet, but has its pauses."""
    zone = ZoneInfo(standing.zone)
    unit = standing.organisations.get(clock.organisation_code or "")
    stage = STAGES.get(clock.stage or "", clock.stage or "")
    name = KINDS[str(clock.kind)] + (f"({stage})" if clock.stage and str(clock.kind) != "total" else "")
    name += f",{unit.name}" if unit and str(clock.kind) != "stage" else ""
    limit = f"{clock.amount:g} {UNIT_LABELS[Unit(clock.unit)]}"
    moment = _at(clock.started_at, zone)
    told = [limit, f"依据 {clock.limit_id or '默认'}", f"自 {moment} 起算"]
    if clock.paused_at is not None:
        moment = _at(clock.paused_at, zone)
        told.append(f"{moment} 起暂停")
        return ClockTold(name, ",".join(told), (), clock.stopped_at is None)
    end = clocks.ends(clock, standing)
    moment = _at(clock.due_at, zone)
    told.append(f"{moment} 到期(按推算的工作日历)" if clock.estimated else f"{moment} 到期")
    if clock.stopped_at is not None:
        moment = _at(clock.stopped_at, zone)
        told.append(f"{moment} 冻结" if clock.frozen else f"{moment} 停")
    return ClockTold(name, ",".join(told), end.steps, clock.stopped_at is None)


def _fields(action: str) -> dict[str, Given]:
    row = SUBMIT if action == SUBMIT.action else BY_ACTION.get(action)
    return {given.name: given for given in row.given} if row else {}


def _said(field: Given | None, name: str, value: Any, standing: Standing) -> str | None:
    """One thing that was given, in words where it has any."""
    if field is None or not isinstance(value, str | int):
        return f"{name}={value}" if value else None
    text = dict(field.choices).get(str(value), str(value))
    if field.kind is GivenKind.ORGANISATION and text in standing.organisations:
        text = standing.organisations[text].name
    return f"{field.label}:{text}"


def _reasons(reasons: Mapping[str, Any]) -> Iterator[str]:
    for reason in reasons.values():
        text = reason.get("reason") if isinstance(reason, dict) else reason
        if isinstance(text, str):
            yield text


def _label(action: str) -> str:
    if action == SUBMIT.action:
        return SUBMIT.label
    row = BY_ACTION.get(action)
    return row.label if row else MARKS.get(action, action)


def _at(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
