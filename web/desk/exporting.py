"""Lists of tickets as CSV that spreadsheets open as they stand: no formulas, nobody's particulars."""

import csv
import io
from collections.abc import Iterable

from flask import Response

from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from web.shown.labels import SOURCES, exactly, is_late, state_label

MARK = "\ufeff"
RISKY = ("=", "+", "-", "@", "\t", "\r")
HEADINGS = (
    "编号",
    "类别",
    "状态",
    "来源",
    "街道",
    "社区",
    "网格",
    "承办单位",
    "上报时间",
    "到期时间",
    "超时",
    "催办次数",
)


def tickets_csv(
    tickets: Iterable[Ticket], standing: Standing, name: str, *, last: tuple[object, ...] = ()
) -> Response:
    """A download of these tickets, with a closing line of totals where there is one."""
    rows = [_row(ticket, standing) for ticket in tickets]
    return csv_file(name, HEADINGS, [*rows, *([last] if last else [])])


def csv_file(name: str, headings: Iterable[object], rows: Iterable[Iterable[object]]) -> Response:
    """A CSV download."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headings)
    writer.writerows([safe(value) for value in row] for row in rows)
    response = Response(MARK + out.getvalue(), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def safe(value: object) -> str:
    """The value as text that a spreadsheet does not take for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(RISKY) else text


def _row(ticket: Ticket, standing: Standing) -> list[object]:
    unit = standing.organisations.get(ticket.main_code or "")
    places = [ticket.street_code, ticket.community_code, ticket.grid_code]
    return [
        ticket.code,
        standing.categories[ticket.category_code].name,
        state_label(ticket.state),
        SOURCES[ticket.source],
        *(standing.area_name(code) or "" for code in places),
        unit.name if unit else "",
        exactly(ticket.reported_at),
        exactly(ticket.due_at),
        "是" if is_late(ticket) else "",
        ticket.urged or "",
    ]
