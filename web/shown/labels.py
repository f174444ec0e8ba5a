"""Words for stored values, instants and clocks, and the masking of personal data: what templates may call."""

import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask, g
from flask_babel import gettext

from dispatch.record.models import Queue, Source, Ticket
from dispatch.rules.workflow import BY_ACTION, MARKS, NATURES, OPEN_STATES, STATES, SUBMIT, State
from grid.permissions import ROLES
from web.language import scripts
from web.language.in_templates import ProgramWords
from web.language.saying import said
from web.language.spoken import language
from web.service.context import now, settings
from web.service.look import look_of
from web.shown.navigation import menu_of

SOURCES: dict[Source, str] = {
    Source.PATROL: "网格巡查",
    Source.ON_BEHALF: "代群众上报",
    Source.HOTLINE: "12345 热线",
    Source.RESIDENT: "居民扫码",
    Source.UPPER: "上级平台",
}
QUEUES: dict[Queue, str] = {
    Queue.UNROUTED: "待确定承办单位",
    Queue.OUT_OF_AREA: "区域外",
    Queue.AMBIGUOUS: "边界疑义",
    Queue.OBJECTION: "派单异议",
    Queue.CONSULTATION: "会商裁定",
    Queue.REVIEW: "不满意复核",
    Queue.INTAKE: "待受理",
    Queue.SECOND_LOOK: "不予受理待审",
    Queue.RECEIPT: "转送待回执",
    Queue.OWNERSHIP: "待确权",
    Queue.APPLICATION: "申请待批",
}
OUTCOMES = {"upheld": "采纳", "refused": "驳回", "settled": "会商裁定"}
CLOCK_KINDS = {"total": "诉求总时限", "handle": "承办时限", "assist": "协办时限", "stage": "环节时限"}
UNITS = {
    "urgent_hour": "紧急工作时",
    "work_hour": "工作时",
    "work_day": "工作日",
    "hour": "小时",
    "day": "天",
}
WEEKDAYS = "一二三四五六日"
# Actions that one key opens on a ticket's page.
ACTION_KEYS = {
    "object": "r",
    "object_again": "r",
    "handle": "h",
    "draft_answer": "h",
    "contact": "c",
    "attempt_callback": "u",
    "decline_callback": "d",
}
WARN_SHARE = 0.8
WARN_WITHIN = timedelta(hours=1)

PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
IDENTITY = re.compile(r"(?<!\d)(\d{3})\d{11}(\d{3}[\dXx])(?!\d)")
LANDLINE = re.compile(r"(?<!\d)(0\d{2,3}-?\d{2})\d{4}(\d{1,2})(?!\d)")


def _(text: str, **values: object) -> str:
    return str(gettext(text, **values))


def masked(text: str | None) -> str:
    """The text with the middle of every phone and identity number hidden."""
    hidden = IDENTITY.sub(r"\1***********\2", text or "")
    hidden = PHONE.sub(r"\1****\2", hidden)
    return LANDLINE.sub(r"\1****\2", hidden)


def masked_name(name: str | None) -> str:
    """The family name alone."""
    return f"{name[0]}*" if name else _("未留姓名")


def masked_phone(phone: str | None) -> str:
    """The first three and last four digits."""
    digits = (phone or "").replace(" ", "").replace("-", "")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 8 else ("****" if digits else _("未留电话"))


def state_label(state: State | str) -> str:
    return str(said(STATES[State(state)].label))


def stage_label(ticket: Ticket) -> str:
    """Where the ticket stands; one that has been opened no longer waits to be read."""
    if ticket.state is State.DISPATCHED and ticket.opened_at is not None:
        return _("已查阅,待签收")
    return state_label(ticket.state)


def action_label(action: str) -> str:
    """The name of what was done."""
    row = BY_ACTION.get(action) or (SUBMIT if action == SUBMIT.action else None)
    return str(said(row.label if row else MARKS.get(action, action)))


def duration(span: timedelta) -> str:
    """A span in the two largest units that say enough."""
    minutes = max(0, int(span.total_seconds() // 60))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return _("%(d)d 天 %(h)d 小时", d=days, h=hours) if hours and days < 10 else _("%(d)d 天", d=days)
    if hours:
        return _("%(h)d 小时 %(m)d 分", h=hours, m=rest) if rest and hours < 10 else _("%(h)d 小时", h=hours)
    return _("%(m)d 分钟", m=rest) if rest else _("不到 1 分钟")


def clock_of(ticket: Ticket, at: datetime | None = None) -> tuple[str, str]:
    """How a ticket's nearest limit looks (calm, soon, late, paused, done) and the words beside it."""
    moment = at or now()
    if ticket.state not in OPEN_STATES:
        return "done", state_label(ticket.state)
    if ticket.due_at is None:
        return "paused", _("暂停计时")
    if ticket.due_at <= moment:
        return "late", _("已超时 %(span)s", span=duration(moment - ticket.due_at))
    left = ticket.due_at - moment
    began = ticket.dispatched_at or ticket.reported_at
    whole = ticket.due_at - began
    soon = left < WARN_WITHIN or (whole > timedelta(0) and left / whole < 1 - WARN_SHARE)
    return ("soon" if soon else "calm"), _("还剩 %(span)s", span=duration(left))


def is_late(ticket: Ticket) -> bool:
    """Whether a list says of this ticket that it is overdue: its nearest limit has run out and nothing has moved it."""
    return clock_of(ticket)[0] == "late"


def when(instant: datetime | None) -> str:
    """An instant in the city's time, as people say it."""
    if instant is None:
        return "—"
    zone = settings().zone
    local, today = instant.astimezone(zone), now().astimezone(zone).date()
    clock = f"{local:%H:%M}"
    names = {0: _("今天"), -1: _("昨天"), 1: _("明天")}
    distance = (local.date() - today).days
    if distance in names:
        return f"{names[distance]} {clock}"
    if language() == "en":
        year = "" if local.year == today.year else f" {local.year}"
        return f"{local:%a} {local.day} {local:%b}{year} {clock}"
    if local.year == today.year:
        return f"{local.month}月{local.day}日(周{WEEKDAYS[local.weekday()]}){clock}"
    return f"{local.year}年{local.month}月{local.day}日 {clock}"


def exactly(instant: datetime | None) -> str:
    """An instant to the second, in the city's time."""
    return "—" if instant is None else f"{instant.astimezone(settings().zone):%Y-%m-%d %H:%M:%S}"


def day(on: date | None) -> str:
    """A date; one of another year says which."""
    if on is None:
        return "—"
    is_of_now = on.year == now().astimezone(settings().zone).year
    if language() == "en":
        return f"{on:%a} {on.day} {on:%b}" + ("" if is_of_now else f" {on.year}")
    if is_of_now:
        return f"{on.month}月{on.day}日(周{WEEKDAYS[on.weekday()]})"
    return f"{on.year}年{on.month}月{on.day}日(周{WEEKDAYS[on.weekday()]})"


def machine(instant: datetime | None) -> str:
    """An instant for the `datetime` attribute."""
    return "" if instant is None else instant.astimezone(UTC).isoformat(timespec="seconds")


def cursor(instant: datetime) -> str:
    """An instant, exact, for the address of the next page."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def role_label(role: str) -> str:
    return str(said(ROLES[role].label if role in ROLES else role))


@cache
def _checksum(file: Path, _changed_ns: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def static_address(folder: Path, name: str) -> str:
    """The address of a static file, which changes with its content."""
    file = folder / name
    return scripts.address(name, _checksum(file, file.stat().st_mtime_ns))


def register(app: Flask) -> None:
    """Give the words to the templates."""
    folder = Path(app.static_folder or "")

    def static_url(name: str) -> str:
        return static_address(folder, name)

    filters: dict[str, Any] = {
        "masked": masked,
        "masked_name": masked_name,
        "masked_phone": masked_phone,
        "when": when,
        "exactly": exactly,
        "day": day,
        "machine": machine,
        "duration": duration,
        "state_label": state_label,
        "stage_label": stage_label,
        "action_label": action_label,
        "role_label": role_label,
        "clock_of": clock_of,
        "outcome_label": lambda outcome: said(OUTCOMES.get(outcome, outcome)),
        "source_label": lambda source: said(SOURCES[Source(source)]),
        "queue_label": lambda queue: said(QUEUES[Queue(queue)]),
        "clock_kind_label": lambda kind: said(CLOCK_KINDS[str(kind)]),
        "nature_label": lambda nature: said(dict(NATURES).get(nature or "", "")),
        "unit_label": lambda unit: said(UNITS.get(str(unit), str(unit))),
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.add_extension(ProgramWords)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.context_processor
    def everywhere() -> dict[str, object]:
        actor = g.get("actor")
        its = settings()
        return {
            "actor": actor,
            "menu": menu_of(actor),
            "static_url": static_url,
            "is_demo": its.demo,
            "city_name": its.city_name,
            "tile_url": its.tile_pattern,
            "tile_frame": its.tile_frame,
            "look": look_of(),
            "request_at": now(),
            "new_key": uuid4,
            "action_keys": ACTION_KEYS,
        }
