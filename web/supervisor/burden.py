"""The burden board: what this software asks of people; each of its numbers opens to the rows that it counts."""

from flask import render_template
from flask.typing import ResponseReturnValue

from dispatch.insight.load import burden, registers
from dispatch.insight.metrics.slices import FIGURES
from dispatch.insight.reports.sheets import Sheet
from grid.errors import NotFound
from web.gate.access import current_actor, permission_required
from web.service.context import database, settings, world
from web.supervisor.answering.asking import asked, title_of
from web.supervisor.answering.sending import file_of
from web.supervisor.blueprint import blueprint
from web.supervisor.opened import PAGE, narrowed

MOST_IN_A_FILE = 100_000


@blueprint.get("/burden")
@permission_required(FIGURES)
def burden_() -> ResponseReturnValue:
    """What this software asks of people; never who used it how much."""
    zone = settings().zone
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        return render_template(
            "supervisor/burden.html",
            asked=its,
            about=title_of(its.query, standing),
            asks=burden.ASKS,
            units=burden.by_unit(session, its.slice, zone, its.actor),
            names={code: o.name for code, o in standing.organisations.items()},
            board=burden.board(session, its.slice, zone, its.actor),
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
        here = narrowed(its)
        reading = registers.Reading(standing, settings().zone)
        as_file = its.query.format != "html"
        size, offset = (MOST_IN_A_FILE, 0) if as_file else (PAGE + 1, its.query.page * PAGE)
        lines = registers.lines(session, here, register, reading, its.actor, size, offset)
    if as_file:
        rows = [[*line.cells, line.ticket_code] for line in lines]
        heads = [*register.heads, "工单"]
        return file_of(its.query.format, Sheet(register.label, heads, rows), f"减负账 {register.label}")
    return render_template(
        "supervisor/burden_rows.html",
        asked=its,
        register=register,
        of_city=register.is_of_city(here),
        unit=reading.unit(its.query.only) if its.query.only else "",
        lines=lines[:PAGE],
        has_tickets=any(line.ticket_code for line in lines),
        more=len(lines) > PAGE,
    )
