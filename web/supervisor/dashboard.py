"""The dashboard, which is also the page of an organisation, a street, a grid, a category or a topic: the same pictures
over another slice."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.insight.metrics import counting, flow, present, waiting_times
from dispatch.insight.metrics.formulas import BY_KEY, METRICS, THREE_PARTIES
from dispatch.insight.metrics.measures import BY_KEY as MEASURES
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.registry import KIND_LABELS, Kind
from dispatch.insight.metrics.slices import DIMENSIONS, FIGURES
from dispatch.insight.reports.sheets import Plain, Sheet
from dispatch.insight.rollups import keeping
from dispatch.record.reading import telling
from dispatch.record.world import Standing
from dispatch.rules.workflow import STATES
from web.gate.access import permission_required
from web.service.context import database, now, settings, world
from web.supervisor.answering.asking import Asked, asked, names_of, title_of
from web.supervisor.answering.cells import cell
from web.supervisor.answering.sending import file_of
from web.supervisor.blueprint import blueprint

OF_NOW = ("states", "ages")  # pictures of the present, whatever the period
TREND = ("received", "closed", "dispatched")
STAGES = {**telling.STAGES, "accept": "受理", "dispatch": "派遣", "open": "查阅", "contact": "办理", "verify": "核查", "callback": "回访", "review": "复核", "rework": "返工", "preverify": "核实", "total": "", "handle": ""}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A way to look further into: by area, category, source."""

    by: str
    label: str
    rows: list[tuple[str, str, int]]


@blueprint.get("/")
@permission_required(FIGURES)
def figures() -> ResponseReturnValue:
    """Now, the trend, the rates with what they were before, how old the open ones are, and how long things took."""
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        keys = tuple(dict.fromkeys((*counting.needed(METRICS), *flow.KEYS)))
        stretches = {
            "now": its.slice.period,
            "before": its.slice.period.before,
            "last_year": its.slice.period.last_year,
        }
        counts = {name: counting.totals(session, its.slice.during(p), keys) for name, p in stretches.items()}
        by = "month" if its.slice.period.days > 92 else "day"
        trend = _every(counting.table(session, its.slice, TREND, by), its.slice.period, by)
        board = present.board(session, its.slice, its.actor, now())
        parts = [
            _part(its, standing, by, counting.table(session, its.slice, ("received",), by))
            for by in _further(its, standing)
        ]
        if its.query.format != "html":
            sheet = _behind(its.query.picture, trend, board, parts, counts["now"])
            is_now = its.query.picture in OF_NOW
            today = now().astimezone(settings().zone).date()
            covers = Period(today, today) if is_now else its.slice.period
            name = f"{sheet.title} {title_of(its.query, standing)}".strip()
            return file_of(its.query.format, sheet, name, covers)
        return render_template(
            "supervisor/dashboard.html",
            asked=its,
            about=title_of(its.query, standing),
            stretches=stretches,
            trend=trend,
            trend_by=by,
            trend_metrics=[BY_KEY[key] for key in TREND],
            **_rates(its, counts, stretches),
            **_now(board),
            today=_today(session, its),
            flow=flow.rows(counts["now"]),
            measures=MEASURES,
            **(_took(session, its) if waiting_times.are_kept(its.slice) else {}),
            parts=parts,
            waiting=keeping.waiting(session),
            dimensions=DIMENSIONS,
            at=now(),
        )


@blueprint.get("/durations")
@permission_required(FIGURES)
def durations() -> ResponseReturnValue:
    """How long things took in a slice that no sums are kept of: it comes after the rest of the page."""
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        piece = "HX-Request" in request.headers
        return render_template(
            "supervisor/took.html" if piece else "supervisor/durations.html",
            asked=its,
            about=title_of(its.query, standing),
            **_took(session, its),
        )


def _took(session: Session, its: Asked) -> dict[str, Any]:
    return {
        "took": waiting_times.of_slice(session, its.slice),
        "stages": STAGES,
        "clocks": waiting_times.CLOCK_LABELS,
        "in_words": waiting_times.words,
    }


def _every(trend: dict[str, Counter[str]], period: Period, by: str) -> dict[str, Counter[str]]:
    """The days (or months) of the period one by one: where nothing happened the line goes down to nought."""
    whole = counting.every_day(trend, period)
    return counting.months_of(whole | trend) if by == "month" else whole


def _rates(its: Asked, counts: dict[str, Counter[str]], stretches: dict[str, Period]) -> dict[str, Any]:
    """Every metric with what it was before, those of the three parties, and what is in no denominator."""
    return {
        "kinds": [
            (
                KIND_LABELS[kind],
                [_compared(its, metric.key, counts, stretches) for metric in METRICS if metric.kind == kind],
            )
            for kind in Kind
        ],
        "parties": [
            (name, [cell(its, BY_KEY[key], counts["now"]) for key in of]) for name, of in THREE_PARTIES
        ],
        "excluded": _left_out(its, ("deferred", "excluded", "unanswered"), counts["now"]),
    }


def _now(board: present.Board) -> dict[str, Any]:
    """What is so now."""
    return {
        "present": [(row, board.numbers[row.key]) for row in present.PRESENT],
        "states": [(STATES[state].label, state, number) for state, number in board.states.items()],
        "ages": board.ages,
        "colours": [(present.COLOURS[colour], colour, number) for colour, number in board.colours.items()],
    }


def _today(session: Session, its: Asked) -> list[tuple[str, int, str]]:
    """What came and went today: its words, how many, and where that opens."""
    day = now().astimezone(settings().zone).date()
    counts = counting.totals(session, its.slice.during(Period(day, day)), TREND)
    at = {"start": day.isoformat(), "end": day.isoformat(), "days": None}
    return [
        (BY_KEY[key].label, counts[key], its.address("supervisor.tickets", measure=key, **at))
        for key in TREND
    ]


def _behind(
    picture: str | None,
    trend: dict[str, Counter[str]],
    board: present.Board,
    parts: list[Part],
    counts: Counter[str],
) -> Sheet:
    """The table behind one picture; behind none in particular, that of the trend."""
    for part in parts:
        if picture == f"part-{part.by}":
            return Sheet(f"登记按{part.label}", [part.label, "登记"], [[name, n] for _, name, n in part.rows])
    if picture == "flow":
        steps: list[list[Plain]] = [
            [MEASURES[step].label, MEASURES[key].label, counts[key]]
            for step, of in flow.STEPS
            for key in (step, *of)
        ]
        return Sheet("流转", ["环节", "其中", "件"], steps)
    if picture == "states":
        rows: list[list[Plain]] = [[STATES[state].label, n] for state, n in board.states.items()]
        return Sheet("在办各环节", ["环节", "件"], rows)
    if picture == "ages":
        return Sheet("在办多久", ["登记至今", "件"], [[label, n] for label, n in board.ages.items()])
    heads = ["日期", *(BY_KEY[key].label for key in TREND)]
    days: list[list[Plain]] = [[on, *(counts[key] for key in TREND)] for on, counts in trend.items()]
    return Sheet("登记结案派单", heads, days)


def _compared(
    its: Asked, key: str, counts: dict[str, Counter[str]], stretches: dict[str, Period]
) -> tuple[object, ...]:
    metric = BY_KEY[key]
    shown = []
    for name, period in stretches.items():
        days = {"start": period.from_on.isoformat(), "end": period.to_on.isoformat(), "days": None}
        shown.append(cell(its, metric, counts[name], **days))
    return metric, *shown, _left_out(its, metric.excluded, counts["now"])


def _left_out(its: Asked, keys: tuple[str, ...], counts: Counter[str]) -> list[tuple[str, int, str]]:
    """What is in no denominator: its words, how much, and where it opens."""
    return [
        (MEASURES[key].label, counts[key], its.address("supervisor.tickets", measure=key)) for key in keys
    ]


def _further(its: Asked, standing: Standing) -> list[str]:
    """The next finer area, and whatever is not fixed yet."""
    finer = {"district": "street", "street": "community", "community": "grid"}
    known = standing.area(its.query.area)
    level = known.level if known else None
    found = [finer[level]] if level in finer else ([] if level == "grid" else ["district"])
    found += [by for by in ("category", "organisation", "source") if getattr(its.query, by) is None]
    return found


def _part(its: Asked, standing: Standing, by: str, table: dict[str, Counter[str]]) -> Part:
    names = names_of(standing, by, list(table))
    rows = [(code, names.get(code) or "尚未确定", counts["received"]) for code, counts in table.items()]
    return Part(by, DIMENSIONS[by][0], rows)
