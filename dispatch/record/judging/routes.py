"""Turns the standing rows and a ticket into the values that the rules of routing judge, and keeps the decision."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.record.judging.nearby import Nearby
from dispatch.record.models import Queue, Source, Ticket
from dispatch.record.world import Standing
from dispatch.rules.admission import Part, barred
from dispatch.rules.routing import Facts, Routed, Unrouted, Why, routes_differ, unanswered
from dispatch.rules.rulebook import RuleBook, TimeBand
from dispatch.rules.worktime import local_date, open_on
from geo.placed import Placed
from grid.models import Organisation

NOBODY_NEAR = Nearby()
LEAST_SHARE = 0.01  # of the accuracy circle: a thinner sliver is no doubt, and nobody is asked about it
SETTLED = ("by_hand", "chosen")  # somebody said where it is: the accuracy circle does not matter any more
QUEUES = {
    Why.NO_RULE: Queue.UNROUTED,
    Why.CONFLICT: Queue.AMBIGUOUS,
    Why.AMBIGUOUS: Queue.AMBIGUOUS,
    Why.OUT_OF_AREA: Queue.OUT_OF_AREA,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Who answers for the ticket, or the queue in which it waits for somebody to say so."""

    main: str | None
    assistants: tuple[str, ...]
    queue: Queue | None
    kept: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AboutToReport:
    """What a report has in common with a ticket before there is one."""

    category_code: str
    source: Source
    overlay_codes: str | None


def decide(
    standing: Standing,
    ticket: Ticket,
    at: datetime,
    near: Nearby = NOBODY_NEAR,
    *,
    book: RuleBook | None = None,
) -> Decision:
    """Route a placed ticket; a doubtful place goes by its larger share and names the likely other desk."""
    doubt = routes_differ(
        ((share, facts_at(standing, ticket, areas, at, near)) for areas, share in _places(standing, ticket)),
        book or standing.book,
    )
    found = unanswered(doubt, book or standing.book)
    if isinstance(found, Unrouted):
        return Decision(
            None, (), QUEUES[found.kind], _kept(standing, found) | {"options": list(found.options)}
        )
    kept = _kept(standing, found) | {
        "main": found.main,
        "person": found.person,
        "assistants": list(found.assistants),
        "rule": found.rule,
        "runner_up": found.runner_up,
        "notes": [*found.notes, *near.notes],
        "doubtful": doubt.differs,
    }
    if is_accused(standing, ticket, found.main):
        return _upward(standing, ticket, kept)
    return Decision(found.main, found.assistants, None, kept)


def is_accused(standing: Standing, ticket: Ticket, organisation_code: str | None) -> bool:
    """Whether the complaint is about this unit or one that it answers to: it may not handle that itself."""
    return ticket.accused_code is not None and ticket.accused_code in standing.superiors(organisation_code)


def _upward(standing: Standing, ticket: Ticket, kept: dict[str, Any]) -> Decision:
    """To the unit above the accused one; where that is the centre, a dispatcher chooses."""
    accused = standing.organisations[str(ticket.accused_code)]
    above = standing.organisations.get(accused.parent_code or "")
    at_centre = above is None or above.code == standing.centre_code
    note = f"被诉对象就是“{accused.name}”,不交其自办:"
    note += "请选定其上级或另一单位" if above is None or at_centre else f"交其上级“{above.name}”"
    told = {**kept, "reason": f"{kept['reason']};{note}", "notes": [*kept["notes"], note]}
    if above is None or at_centre:
        return Decision(None, (), Queue.UNROUTED, told)
    return Decision(above.code, (), None, {**told, "main": above.code})


def _kept(standing: Standing, found: Routed | Unrouted) -> dict[str, Any]:
    tried = [{"rule": t.rule, "main": t.main, "why_not": t.why_not} for t in found.tried]
    return {"reason": found.reason, "tried": tried, "ruleset": standing.ruleset_version}


def doubt_at(
    standing: Standing, category_code: str, source: Source, found: Placed, at: datetime
) -> list[tuple[str, float, str | None]]:
    """Grids that the accuracy circle touches with their share and unit, if it matters which one is right; else none."""
    candidates = sorted((one for one in found.candidates if one.share >= LEAST_SHARE), key=lambda c: -c.share)
    if len(candidates) < 2:
        return []
    asked = AboutToReport(
        category_code=category_code, source=source, overlay_codes=",".join(found.overlays) or None
    )
    doubt = routes_differ(
        ((one.share, facts_at(standing, asked, standing.area_lineage(one.code), at)) for one in candidates),
        standing.book,
    )
    if not doubt.differs:
        return []
    return [
        (one.code, one.share, option.main if isinstance(option, Routed) else None)
        for one, (_, option) in zip(candidates, doubt.options, strict=True)
    ]


def _places(standing: Standing, ticket: Ticket) -> list[tuple[tuple[str, ...], float]]:
    """The areas from narrow to wide, once per candidate of a doubtful place."""
    own = (ticket.grid_code, ticket.community_code, ticket.street_code, ticket.district_code)
    areas = tuple(code for code in own if code)
    given = (ticket.placed or {}).get("candidates") or []
    candidates = [one for one in given if float(one["share"]) >= LEAST_SHARE]
    if len(candidates) < 2 or (ticket.placed or {}).get("how") in SETTLED:
        return [(areas, 1.0)]
    return [(standing.area_lineage(c["code"]), float(c["share"])) for c in candidates]


def facts_at(
    standing: Standing,
    ticket: Ticket | AboutToReport,
    areas: tuple[str, ...],
    at: datetime,
    near: Nearby = NOBODY_NEAR,
) -> Facts:
    """What the rules of routing are told, if the ticket lies in these areas."""
    hours = standing.hours(None)
    on = local_date(at, hours)
    working = standing.calendar.day(on).works and any(s.from_at <= at < s.to_at for s in open_on(on, hours))
    return Facts(
        categories=standing.lineage(ticket.category_code),
        areas=areas,
        on=on,
        overlays=tuple((ticket.overlay_codes or "").split(",")) if ticket.overlay_codes else (),
        source=str(ticket.source),
        time_band=TimeBand.WORKING if working else TimeBand.NIGHT,
        enforcement=standing.categories[ticket.category_code].enforcement,
        asset_owner=near.asset.owner_code if near.asset else None,
        asset=f"{near.asset.name}({near.asset.code}),距上报点 {near.distance_m:.0f} 米"
        if near.asset
        else None,
        bound=near.bound,
    )


def forbidden(
    standing: Standing, ticket: Ticket, organisation: Organisation, part: Part = Part.MAIN
) -> str | None:
    """The clause by which this unit may not be given this matter, on whatever path it would come."""
    found = barred(
        standing.book.admission,
        categories=standing.lineage(ticket.category_code),
        enforcement=standing.categories[ticket.category_code].enforcement,
        organisation_kind=organisation.kind,
        part=part,
    )
    return found.sentence if found else None
