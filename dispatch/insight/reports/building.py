"""Tables of one's own making: two dimensions, some metrics, a period; kept, shared, made anew whenever opened."""

from collections import Counter
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.insight.metrics import counting
from dispatch.insight.metrics.formulas import BY_KEY
from dispatch.insight.metrics.registry import Metric
from dispatch.insight.metrics.slices import DIMENSIONS, Slice
from dispatch.insight.reports.models import SavedTable
from grid.errors import InputError, NotFound
from grid.permissions import Actor

MOST_METRICS, MOST_COLUMNS = 8, 30


def made(
    session: Session, its: Slice, rows_by: str, columns_by: str | None, metrics: list[Metric]
) -> dict[str, dict[str, Counter[str]]]:
    """Row by column, the sums that the metrics are made of; without a second dimension there is one column.

    Raises
    ------
    InputError
        There are more columns than a page holds; none is left out unsaid.
    """
    keys = counting.needed(metrics)
    if columns_by is None:
        return {code: {"": counts} for code, counts in counting.table(session, its, keys, rows_by).items()}
    found: dict[str, dict[str, Counter[str]]] = {}
    columns = list(counting.table(session, its, keys, columns_by))
    if len(columns) > MOST_COLUMNS:
        sentence = f"列有 {len(columns)} 个,一页最多 {MOST_COLUMNS} 个:请把“{DIMENSIONS[columns_by][0]}”放到行,或缩小时段"
        raise InputError(sentence, {"columns_by": sentence})
    for column in columns:
        part = its.at(DIMENSIONS[columns_by][1], column)
        for code, counts in counting.table(session, part, keys, rows_by).items():
            found.setdefault(code, {})[column] = counts
    return dict(sorted(found.items()))


def chosen(keys: list[str], rows_by: str, columns_by: str | None) -> list[Metric]:
    """The metrics of a table that may be.

    Raises
    ------
    InputError
        None or too many, one that is not registered, or the same dimension twice.
    """
    wrong = {}
    unknown = [key for key in keys if key not in BY_KEY]
    if unknown or not 1 <= len(keys) <= MOST_METRICS:
        wrong["metrics"] = f"请选 1 至 {MOST_METRICS} 个已登记的指标"
    if rows_by not in DIMENSIONS or (columns_by is not None and columns_by not in DIMENSIONS):
        wrong["rows_by"] = "请从列表中选择维度"
    if rows_by == columns_by:
        wrong["columns_by"] = "行和列须是两个不同的维度"
    if wrong:
        raise InputError("报表没有生成:" + ";".join(wrong.values()), wrong)
    return [BY_KEY[key] for key in keys]


class Question(NamedTuple):
    """What a table asks: its dimensions, and the last so many days or the days from one to another."""

    rows_by: str
    columns_by: str | None
    days: int
    from_on: date | None = None
    to_on: date | None = None


def keep(
    session: Session,
    title: str,
    question: Question,
    metrics: list[Metric],
    actor: Actor,
    now: datetime,
    *,
    shared: bool,
) -> SavedTable:
    """Save what a table asks, never its numbers."""
    if not title.strip():
        raise InputError("请给报表起个名字", {"title": "请填写名称"})
    row = SavedTable(
        id=uuid7(),
        title=title.strip()[:60],
        metrics=",".join(metric.key for metric in metrics),
        shared=shared,
        made_by=actor.account_id,
        made_at=now,
        **question._asdict(),
    )
    session.add(row)
    return row


def saved(session: Session, actor: Actor) -> list[SavedTable]:
    """One's own and the shared ones, by title."""
    query = select(SavedTable).where(
        or_(col(SavedTable.made_by) == actor.account_id, col(SavedTable.shared).is_(True))
    )
    return list(session.execute(query.order_by(col(SavedTable.title), col(SavedTable.id))).scalars())


def remove(session: Session, table_id: UUID, actor: Actor) -> str:
    """Forget a question that the actor kept; the answer is its title.

    Raises
    ------
    NotFound
        There is none, or somebody else kept it.
    """
    row = session.get(SavedTable, table_id)
    if row is None or row.made_by != actor.account_id:
        raise NotFound("没有这张报表,或它是别人保存的")
    session.delete(row)
    return row.title
