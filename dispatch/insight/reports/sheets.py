"""Sheets of values, as CSV and XLSX: the same bytes for the same values, and nothing in them that a spreadsheet runs."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter

from dispatch.insight.metrics.intervals import Value
from dispatch.insight.metrics.registry import Metric

BOM = "\ufeff"
RUNS = frozenset("=+-@\t\r\n|%")
MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed mark, so that the same values give the same file
Plain = str | int | float | None


@dataclass(frozen=True)
class Sheet:
    """A title, heads and rows."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Plain]]


def defused(value: Plain) -> Plain:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay numbers."""
    if not isinstance(value, str) or not value:
        return value
    first = value[0] if value[0] in RUNS else value.lstrip()[:1]
    return f"'{value}" if first and first in RUNS else value


def as_csv(sheet: Sheet) -> bytes:
    """For Excel: UTF-8 with a mark in front, so that it is not taken for GBK."""
    return (BOM + "".join(csv_lines([sheet.heads, *sheet.rows]))).encode()


def csv_lines(rows: Iterable[Sequence[Plain]]) -> Iterable[str]:
    """Line by line, so that a million rows need no more memory than one."""
    line = io.StringIO()
    writer = csv.writer(line)
    for row in rows:
        writer.writerow([defused(value) for value in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def as_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """All sheets in one workbook; text is written as text, never as a formula."""
    kept = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "constant_memory": False,
    }
    with xlsxwriter.Workbook(kept, options) as book:
        book.set_properties({"created": MADE})
        head = book.add_format({"bold": True, "bg_color": "#D6E6F2", "text_wrap": True})
        for sheet in sheets:
            page = book.add_worksheet(_tab(sheet.title))
            page.freeze_panes(1, 1)
            page.set_column(0, 0, 24)
            page.set_column(1, max(len(sheet.heads) - 1, 1), 14)
            for column, text in enumerate(sheet.heads):
                page.write_string(0, column, text, head)
            for line, row in enumerate(sheet.rows, start=1):
                for column, value in enumerate(row):
                    if isinstance(value, str):
                        page.write_string(line, column, str(defused(value)))
                    elif value is not None:
                        page.write_number(line, column, value)
    return kept.getvalue()


def _tab(title: str) -> str:
    return "".join("_" if sign in "[]:*?/\\'" else sign for sign in title)[:31] or "表"


def of_values(label: str, metrics: Sequence[Metric], rows: Sequence[tuple[str, Sequence[Value]]]) -> Sheet:
    """Metrics by rows: a rate takes four columns (number, of, rate, interval), a count one."""
    heads = [label]
    for metric in metrics:
        heads.append(metric.label if metric.denominator is None else f"{metric.label}:分子")
        if metric.denominator is not None:
            heads += [f"{metric.label}:分母", f"{metric.label}%", "95% 区间"]
    return Sheet(label, heads, [[name, *_flat(metrics, values)] for name, values in rows])


def _flat(metrics: Sequence[Metric], values: Sequence[Value]) -> list[Plain]:
    found: list[Plain] = []
    for metric, value in zip(metrics, values, strict=True):
        found.append(int(value.number) if float(value.number).is_integer() else value.number)
        if metric.denominator is not None:
            rate = round(value.rate * 100, 1) if value.rate is not None else None
            between = (
                f"{value.interval[0] * 100:.1f}—{value.interval[1] * 100:.1f}" if value.interval else None
            )
            found += [value.of, rate, between]
    return found
