"""The city platform's tickets by file or paste, and their answers out the same way: nobody types anything twice."""

import csv
import io
from uuid import UUID

import xlsxwriter
from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.engine import jobs
from dispatch.insight.suggesting import proposing
from dispatch.record.lines import platform
from dispatch.record.lines.platform import Line
from grid.errors import InputError
from grid.importing.sheets import parse_sheet
from grid.registers import gazetteer
from web.desk.exporting import safe
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.labels import exactly
from web.standing.places import point_in
from web.switchboard.blueprint import REGISTER, blueprint

MOST_ROWS = 500
# A table is registered without anybody looking at each row, so a weak guess is asked back.
SURE_ENOUGH = 0.35
OUT = ("工单编号", "本系统编号", "公开答复", "答复时间")


@blueprint.get("/platform")
@permission_required(REGISTER)
def exchange() -> ResponseReturnValue:
    """Both directions on one page."""
    return _page()


@blueprint.post("/platform")
@permission_required(REGISTER)
def take_in() -> ResponseReturnValue:
    """Register the rows of a file or of a pasted table; each row says what became of it."""
    try:
        rows = _rows()
    except InputError as error:
        return _page(error=error), 422
    lines = [_line(row, number) for number, row in rows]
    jobs.wake(settings())
    return _page(lines=lines)


@blueprint.post("/platform/answers")
@permission_required(REGISTER)
def take_out() -> ResponseReturnValue:
    """Make a batch of everything that waits; it can be loaded down again, and none of it waits any more."""
    actor, at = current_actor(), now()
    key = database().write(lambda session: platform.take_out(session, actor, at))
    if key is None:
        flash("没有待送出的答复", "done")
        return redirect(url_for("switchboard.exchange"), 303)
    return redirect(url_for("switchboard.answers", key=key), 303)


@blueprint.get("/platform/answers/<uuid:key>.xlsx")
@permission_required(REGISTER)
def answers(key: UUID) -> ResponseReturnValue:
    """One batch as a workbook."""
    with database().reading() as session:
        found = platform.batch(session, current_actor(), key)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet("答复")
    sheet.write_row(0, 0, OUT)
    for number, one in enumerate(found, start=1):
        row = (one.ticket.upper_code or "", one.ticket.code, one.text, exactly(one.event.at))
        sheet.write_row(number, 0, [safe(value) for value in row])
    book.close()
    response = Response(
        out.getvalue(), mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="answers-{key.hex[-6:]}.xlsx"'
    return response


def _rows() -> list[tuple[int, dict[str, str]]]:
    upload, pasted = request.files.get("file"), request.form.get("pasted", "").strip()
    if upload is not None and upload.filename:
        table = parse_sheet(upload.filename, upload.read())
    elif pasted:
        # What is copied from a spreadsheet has tabs; quoting it as CSV lets one reader judge both.
        out = io.StringIO()
        csv.writer(out).writerows(csv.reader(io.StringIO(pasted), delimiter="\t" if "\t" in pasted else ","))
        table = parse_sheet("粘贴的内容", out.getvalue().encode())
    else:
        raise InputError("请选择文件,或从表格里复制后粘贴", {"table": "还没有内容"})
    places = platform.columns(table.headings)
    rows = [(row.number, {name: row.get(heading) or "" for name, heading in places.items()}) for row in table]
    if len(rows) > MOST_ROWS:
        raise InputError(f"一次最多 {MOST_ROWS} 行,请分几次", {"table": f"最多 {MOST_ROWS} 行"})
    return rows


def _line(row: dict[str, str], number: int) -> Line:
    actor, at = current_actor(), now()

    def work(session: Session) -> Line:
        def find(place: str) -> tuple[float, float] | None:
            return _find(session, place)

        def guess(text: str) -> str | None:
            best = proposing.suggest(session, world().refresh(session), text, at=at, most=1)
            return best[0].code if best and best[0].confidence >= SURE_ENOUGH else None

        return platform.take_in(session, row, number, actor, world(), at, find, guess)

    return database().write(work)


def _find(session: Session, place: str) -> tuple[float, float] | None:
    """A grid's code, a position, or a name that the gazetteer or the grids know."""
    try:
        lon, lat = (float(part) for part in place.replace(",", ",").split(","))
    except ValueError:
        pass
    else:
        return (lon, lat) if -180 <= lon <= 180 and -90 <= lat <= 90 else None
    point = point_in(world(), session, place)
    if point is not None:
        return point
    found = gazetteer.find(session, place, most=1)
    if found:
        return found[0].lon, found[0].lat
    named = [code for code, area in world().standing.areas.items() if area.name and area.name in place]
    best = max(named, key=len, default=None)
    return point_in(world(), session, best) if best else None


def _page(*, lines: list[Line] | None = None, error: InputError | None = None) -> str:
    with database().reading() as session:
        waiting = platform.waiting(session, current_actor())
    return render_template(
        "switchboard/platform.html",
        lines=lines,
        error=error,
        waiting=waiting,
        headings=[names[0] for names in platform.HEADINGS.values()],
        typed=request.form,
    )
