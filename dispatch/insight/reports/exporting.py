"""All tickets of a selection as CSV, line by line: personal data masked, formulas defused, memory constant.

Free text and the reporter's particulars are not in it unless they are asked for with a reason (a permission of its
own); what is asked for is noted before the first line leaves.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import col

from dispatch.insight.reports.masking import masked_name, masked_phone
from dispatch.insight.reports.sheets import BOM, Plain, csv_lines
from dispatch.record.models import Reporter, Ticket
from dispatch.rules.workflow import NATURES, SOLVED, STATES
from dispatch.rules.workflow.choices import SATISFACTION
from grid.database import Database

AT_ONCE = 2000
COLUMNS: tuple[tuple[str, str], ...] = (
    ("编号", "code"), ("环节", "state"), ("来源", "source"), ("性质", "nature"), ("类别", "category_code"),
    ("街道", "street_code"), ("社区", "community_code"), ("网格", "grid_code"), ("承办单位", "main_code"),
    ("登记", "reported_at"), ("派出", "dispatched_at"), ("反馈", "handled_at"), ("结案", "closed_at"),
    ("到期", "due_at"), ("返工次数", "reworks"), ("退单次数", "objections"), ("是否解决", "solved"), ("满意度", "satisfaction"),
)  # fmt: skip
PERSONAL = ("诉求人", "电话")
# What stored values are called, column by column: the same word means different things in two of them.
LABELS: Mapping[str, Mapping[Any, str]] = {
    "state": {str(state): row.label for state, row in STATES.items()},
    "nature": dict(NATURES),
    "solved": dict(SOLVED),
    "satisfaction": {int(score): label for score, label in SATISFACTION},
}


def lines(
    database: Database,
    conditions: Sequence[ColumnElement[bool]],
    names: Mapping[str, str],
    zone: ZoneInfo,
    *,
    sources: Mapping[Any, str],
    unmasked: bool = False,
) -> Iterator[str]:
    """The file's lines, the heads first; rows are read in small parts from one cursor."""
    labels = {**LABELS, "source": sources}
    looked_up: list[Mapping[Any, str]] = [labels.get(name, names) for _, name in COLUMNS]
    yield BOM
    yield from csv_lines([[*(head for head, _ in COLUMNS), *PERSONAL]])
    wanted = [col(getattr(Ticket, name)) for _, name in COLUMNS]
    of_ticket = and_(
        col(Reporter.intake_district) == col(Ticket.intake_district),
        col(Reporter.ticket_id) == col(Ticket.id),
    )
    query = (
        select(*wanted, col(Reporter.name), col(Reporter.phone), col(Reporter.confidential))
        .outerjoin(Reporter, of_ticket)
        .where(*conditions)
        .order_by(col(Ticket.reported_at), col(Ticket.id))
    )
    with database.reading() as session:
        rows = session.execute(query.execution_options(yield_per=AT_ONCE, stream_results=True))
        yield from csv_lines(
            [*_shown(row[:-3], looked_up, zone), *_person(row[-3:], unmasked)] for row in rows
        )


def _shown(values: Sequence[Any], looked_up: Sequence[Mapping[Any, str]], zone: ZoneInfo) -> Iterator[Plain]:
    for value, words in zip(values, looked_up, strict=True):
        if isinstance(value, datetime):
            yield value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        else:
            yield words.get(value, value)


def _person(values: Sequence[Any], unmasked: bool) -> tuple[Plain, Plain]:
    """Who asked for secrecy stays unknown whatever the permission."""
    name, phone, confidential = values
    if confidential:
        return "保密", "保密"
    return (name, phone) if unmasked else (masked_name(name), masked_phone(phone))
