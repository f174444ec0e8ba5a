"""Behind every number: the list of exactly the tickets (or rows of a register) that it is made of."""

from datetime import date

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from dispatch.insight.load import measuring, registers
from dispatch.insight.metrics import opening, present, waiting_times
from dispatch.insight.metrics.measures import BY_KEY as MEASURES
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import DIMENSIONS, FIGURES, TIMES, Slice
from dispatch.insight.reports.sheets import Sheet
from dispatch.insight.rollups import durations
from dispatch.insight.rollups.models import NONE
from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.record.oversight import loads
from dispatch.record.world import Standing
from dispatch.rules.workflow import STATES, State
from dispatch.rules.worktime import WEEKDAYS
from grid.errors import InputError, NotFound
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.lists import area_names
from web.supervisor.answering.asking import Asked, asked, names_of, title_of
from web.supervisor.answering.sending import file_of
from web.supervisor.blueprint import blueprint
from web.supervisor.dashboard import STAGES

PAGE = 100
MOST_IN_A_FILE = 100_000


@blueprint.get("/tickets")
@permission_required(FIGURES)
def tickets() -> ResponseReturnValue:
    """The tickets behind one number; who was given a ticket twice stands twice."""
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        offset = its.query.page * PAGE
        if its.query.now:
            label, condition = _present(its)
            found = present.tickets(session, condition, _at(its), its.actor, size=PAGE + 1, offset=offset)
        else:
            label, counted = _counted(session, its, offset)
            found = [row.ticket for row in counted]
        return render_template(
            "supervisor/tickets.html",
            asked=its,
            label=label,
            about=title_of(its.query, standing),
            places=_places(its, standing),
            tickets=found[:PAGE],
            openable=queries.openable(session, found[:PAGE], its.actor),
            more=len(found) > PAGE,
            standing=standing,
            names=area_names(standing, found),
        )


@blueprint.get("/burden/<key>")
@permission_required(FIGURES)
def burden_rows(key: str) -> ResponseReturnValue:
    """The rows behind one number of the board."""
    register = registers.REGISTERS.get(key)
    if register is None or not current_actor().may(register.verb):
        raise NotFound("没有这本台账,请从减负账打开")
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        here = _at(its)
        reading = registers.Reading(standing, settings().zone)
        as_file = its.query.format != "html"
        size, offset = (MOST_IN_A_FILE, 0) if as_file else (PAGE + 1, its.query.page * PAGE)
        lines = registers.lines(session, here, register, reading, its.actor, size, offset)
    if as_file:
        rows = [[*line.cells, line.ticket_code] for line in lines]
        heads = [*register.heads, "工单"]
        sheet = Sheet(register.label, heads, rows)
        return file_of(its.query.format, sheet, f"减负账 {register.label}", its.slice.period)
    return render_template(
        "supervisor/burden_rows.html",
        asked=its,
        register=register,
        own=registers.OWN,
        of_city=register.is_of_city(here),
        unit=reading.unit(its.query.only) if its.query.only else "",
        lines=lines[:PAGE],
        has_tickets=any(line.ticket_code for line in lines),
        more=len(lines) > PAGE,
    )


def _at(its: Asked) -> Slice:
    """The slice, narrowed to the row (and the column) of the table that was opened."""
    here = its.slice
    for by, only in ((its.query.by, its.query.only), (its.query.across, its.query.across_only)):
        if by in TIMES and only is not None:
            here = here.during(_days(only, here.period))
        elif by in DIMENSIONS and only is not None:
            here = here.at(DIMENSIONS[by][1], only)
    return here


def _places(its: Asked, standing: Standing) -> list[str]:
    """What the row and the column that were opened are called."""
    chosen = ((its.query.by, its.query.only), (its.query.across, its.query.across_only))
    found = [(only, names_of(standing, by, [only])) for by, only in chosen if by and only]
    return ["尚未确定" if only == NONE else names.get(only, only) for only, names in found]


def _days(only: str, within: Period) -> Period:
    try:
        if len(only) == len("2026-01"):
            year, month = (int(part) for part in only.split("-"))
            wide = Period.month(year, month)
        else:
            day = date.fromisoformat(only)
            wide = Period(day, day)
    except ValueError:
        raise InputError(f"{only} 不是日期,请从数字页面打开", {"only": "不是日期"}) from None
    return Period(max(wide.from_on, within.from_on), min(wide.to_on, within.to_on))


def _counted(session: Session, its: Asked, offset: int) -> tuple[str, list[opening.Counted]]:
    """What a number of the past is made of: lengths of time, an hour of the week, or measures."""
    hour, here = its.query.hour, _at(its)
    part = {"size": PAGE + 1, "offset": offset}
    if its.query.took:
        clock, _, stage = its.query.took.partition(".")
        if clock not in waiting_times.CLOCK_LABELS or stage not in STAGES:
            raise InputError("没有这个环节,请从数字页面打开", {"took": "没有这个环节"})
        label = f"{waiting_times.CLOCK_LABELS[clock]} {STAGES[stage]}".strip()
        return label, opening.behind_lengths(session, here, (clock, stage), its.actor, **part)
    if hour is not None:
        label = f"{WEEKDAYS[hour // 24]} {hour % 24} 时登记"
        kind = (durations.ARRIVAL, durations.ARRIVAL)
        return label, opening.behind_lengths(session, here, kind, its.actor, minutes=hour * 60, **part)
    label, keys = _measures(its)
    return label, opening.behind(session, here, keys, its.actor, **part)


def _measures(its: Asked) -> tuple[str, tuple[str, ...]]:
    keys = tuple((its.query.measure or "").split("+"))
    if any(key not in MEASURES for key in keys):
        raise InputError("没有说明要看哪个数字,请从数字页面打开", {"measure": "没有这个计数"})
    return "、".join(MEASURES[key].label for key in keys), keys


def _present(its: Asked) -> tuple[str, ColumnElement[bool]]:
    """A number of the present: one of its rows, a state, an age or a colour."""
    kind, _, which = str(its.query.now).partition(":")
    if kind in present.BY_KEY:
        return present.BY_KEY[kind].label, present.BY_KEY[kind].condition(now())
    if kind == "state" and which in set(State):
        return STATES[State(which)].label, present.state_condition(State(which))
    if kind == "piece" and which in measuring.WORDS:
        return measuring.WORDS[which], col(Ticket.state).in_(loads.states_of(which))
    if kind == "age":
        for days, label in present.AGES:
            if label == which:
                return f"在办 {label}", present.age_condition(days, now())
    if kind == "colour" and which in present.COLOURS:
        return f"在办 · {present.COLOURS[which]}", present.colour_condition(which, now())
    raise InputError("没有这个数字,请从数字页面打开", {"now": "没有这个数字"})
