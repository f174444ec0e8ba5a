"""The register of metrics, and a table of them by one dimension, as pages, as CSV or as XLSX. Rows stand in the order of
their codes."""

from collections import Counter
from dataclasses import replace

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.insight.metrics import counting
from dispatch.insight.metrics.formulas import METRICS
from dispatch.insight.metrics.measures import BY_KEY as MEASURES
from dispatch.insight.metrics.registry import KIND_LABELS, LEAST_FOR_RATE, PERSONS, TRACES, USAGE, Kind
from dispatch.insight.metrics.slices import DIMENSIONS, FIGURES, TIMES
from dispatch.insight.reports import sheets
from dispatch.insight.topics import managing
from dispatch.record.world import Standing
from web.gate.access import permission_required
from web.language.saying import said
from web.service.context import database, now, world
from web.shown.labels import _
from web.supervisor.answering.asking import Asked, asked, names_of, title_of
from web.supervisor.answering.cells import cell
from web.supervisor.answering.sending import file_of
from web.supervisor.blueprint import blueprint

SHOWN = tuple(
    metric
    for metric in METRICS
    if metric.key not in ("urgent_in_time", "forwarding", "accepting", "responding", "false_completion")
)

PAGE = 200  # rows
TOPIC = "topic"
LABELS = {**{key: name for key, (name, _) in DIMENSIONS.items()}, TOPIC: "专题", **TIMES}


@blueprint.get("/metrics")
@permission_required(FIGURES)
def metrics() -> ResponseReturnValue:
    """What every figure means: formula, what is counted and on which day, what is left out, source, version."""
    return render_template(
        "supervisor/metrics.html",
        kinds=[(KIND_LABELS[kind], [one for one in METRICS if one.kind == kind]) for kind in Kind],
        measures=MEASURES,
        refused=(TRACES, USAGE, PERSONS),
        least=LEAST_FOR_RATE,
    )


@blueprint.get("/table")
@permission_required(FIGURES)
def table() -> ResponseReturnValue:
    """All metrics by organisation, category, source, area or time."""
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        by = its.query.by
        keys = counting.needed(METRICS)
        if by == TOPIC:
            found, titles = _by_topic(session, its, standing, keys)
        else:
            found, titles = counting.table(session, its.slice, keys, by), {}
        if by == "month":
            found = counting.months_of(found)
        first = its.query.page * PAGE
        codes = list(found) if its.query.format != "html" else list(found)[first : first + PAGE]
        names = titles or names_of(standing, by, codes)
        rows = [
            (
                code,
                names.get(code) or (code if by in TIMES else "尚未确定"),
                [cell(its, m, found[code], **_at(by, code)) for m in SHOWN],
            )
            for code in codes
        ]
        label = LABELS[by]
    period = its.slice.period
    if its.query.format != "html":
        sheet = sheets.of_values(label, SHOWN, [(name, [c.value for c in cells]) for _, name, cells in rows])
        return file_of(its.query.format, sheet, f"按{label}分列", period)
    return render_template(
        "supervisor/table.html",
        asked=its,
        about=title_of(its.query, standing),
        title=_(
            "按%(what)s分列,%(from)s 至 %(to)s",
            **{"what": said(label), "from": period.from_on, "to": period.to_on},
        ),
        label=label,
        metrics=SHOWN,
        rows=rows,
        first=first,
        every=len(found),
        dimensions=LABELS,
        at=now(),
    )


def _by_topic(
    session: Session, its: Asked, standing: Standing, keys: tuple[str, ...]
) -> tuple[dict[str, Counter[str]], dict[str, str]]:
    """The sums of each topic in reach, and what it is called; a ticket of two topics counts in both."""
    found, titles = {}, {}
    for row, _number in managing.listed(session, its.actor):
        if its.query.topic in (None, row.id):
            found[str(row.id)] = counting.totals(session, replace(its.slice, topic=row.id), keys)
            titles[str(row.id)] = managing.title(row, standing)
    return found, titles


def _at(by: str, code: str) -> dict[str, str]:
    """Where the numbers of a row open."""
    return {TOPIC: code} if by == TOPIC else {"by": by, "only": code}
