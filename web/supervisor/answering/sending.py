"""Tables as files."""

from urllib.parse import quote

from flask import Response

from dispatch.insight.reports.sheets import Sheet, as_csv, as_xlsx
from grid.errors import InputError

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def file_of(kind: str, sheet: Sheet, name: str) -> Response:
    """A sheet as CSV or XLSX, to be kept under its name."""
    if kind not in ("csv", "xlsx"):
        raise InputError("这张表只有 CSV 和 XLSX", {"format": "请选择 csv 或 xlsx"})
    body, media = (as_csv(sheet), "text/csv; charset=utf-8") if kind == "csv" else (as_xlsx([sheet]), XLSX)
    return named(Response(body, mimetype=None, content_type=media), f"{name}.{kind}")


def named(response: Response, name: str) -> Response:
    """Say under which name to keep an answer."""
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response
