"""Turns rows of responsibility into the values that the rules of routing judge, and back into a decision."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from grid.models import Organisation, Responsibility


@dataclass(frozen=True, slots=True)
class Routed:
    """Who answers for the ticket and why; without a main unit, the queue in which it waits."""

    main: str | None
    assistants: tuple[str, ...]
    rule: str | None
    queue: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def route(standing: Standing, ticket: Ticket, at: datetime) -> Routed:
    lineage = standing.lineage(ticket.category_code)
    areas = [ticket.grid_code, ticket.community_code, ticket.street_code, ticket.district_code]
    overlays = (ticket.overlay_codes or "").split(",")
    best: tuple[tuple[int, int, int], Responsibility, str] | None = None
    for row in standing.responsibilities:
        if row.category_code and row.category_code not in lineage:
            continue
        if (row.area_code and row.area_code not in areas) or (
            row.overlay_code and row.overlay_code not in overlays
        ):
            continue
        main = resolve(standing, row.main, areas)
        if main is None or forbidden(standing, ticket, standing.organisations[main]):
            continue
        rank = (
            overlays.index(row.overlay_code) if row.overlay_code else len(overlays),
            lineage.index(row.category_code) if row.category_code else len(lineage),
            areas.index(row.area_code) if row.area_code else len(areas),
        )
        if best is None or rank < best[0]:
            best = (rank, row, main)
    if best is None:
        return Routed(None, (), None, "unrouted", "没有适用的职责规则,由指挥中心确定承办单位")
    _, row, main = best
    name = standing.organisations[main].name
    return Routed(main, (), row.id, "unrouted", f"按职责规则 {row.id},由“{name}”承办")


def resolve(standing: Standing, reference: str, areas: list[str | None]) -> str | None:
    """An organisation's code, or of a kind the one nearest to the place, from the grid upwards."""
    if reference in standing.organisations:
        return reference
    of_kind = [
        o
        for o in standing.organisations.values()
        if o.kind == reference.removeprefix("kind:") and not o.closed_on
    ]
    for area in [*areas, None]:
        for organisation in of_kind:
            if organisation.area_code == area:
                return organisation.code
    return None


def forbidden(standing: Standing, ticket: Ticket, organisation: Organisation) -> str | None:
    lineage = standing.lineage(ticket.category_code)
    for rule in standing.admission:
        if rule.organisation_kind == organisation.kind and rule.category_code in lineage:
            return f"“{organisation.name}”不得承办此类事项:{rule.clause}"
    return None
