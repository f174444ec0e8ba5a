"""Tables as files."""

from dataclasses import replace
from urllib.parse import quote

from flask import Response

from dispatch.insight.metrics.periods import Period
from dispatch.insight.reports.sheets import Sheet, as_csv, as_xlsx
from grid.errors import InputError

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

TITLE = 13  # signs; with two dates the tab of a workbook is full


def file_of(kind: str, sheet: Sheet, name: str, covers: Period | None = None) -> Response:
    """A sheet as CSV or XLSX, to be kept under its name and the days that it covers; a workbook's tab says them too."""
    if kind not in ("csv", "xlsx"):
        raise InputError("这张表只有 CSV 和 XLSX", {"format": "请选择 csv 或 xlsx"})
    if covers is not None:
        name = f"{name} {days_of(covers)}"
        tab = "-".join(dict.fromkeys((f"{covers.from_on:%Y%m%d}", f"{covers.to_on:%Y%m%d}")))
        sheet = replace(sheet, title=f"{sheet.title[:TITLE]} {tab}")
    body, media = (as_csv(sheet), "text/csv; charset=utf-8") if kind == "csv" else (as_xlsx([sheet]), XLSX)
    return named(Response(body, mimetype=None, content_type=media), f"{name}.{kind}")


def days_of(period: Period) -> str:
    """A period in a file's name; a single day is said once."""
    first, last = period.from_on, period.to_on
    return f"{first} 至 {last}" if first != last else f"{first}"


def named(response: Response, name: str) -> Response:
    """Say under which name to keep an answer."""
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response
