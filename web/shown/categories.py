"""Categories for choosing: those at hand, and the whole tree."""

from collections import Counter

from sqlmodel import Session, col, select

from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from grid.models import Category
from grid.permissions import Actor

CHIPS = 8
LOOKED_AT = 60
# The usual matters of the street, for who has not reported anything yet.
FREQUENT = (
    "200102",
    "200201",
    "200505",
    "200506",
    "200507",
    "200504",
    "200110",
    "100114",
    "100118",
    "200406",
)


def chips_of(session: Session, standing: Standing, actor: Actor) -> list[Category]:
    """Categories one tap away: what this person reported lately, most often first, then the usual ones."""
    query = (
        select(Ticket.category_code)
        .where(col(Ticket.reported_by) == actor.account_id)
        .order_by(col(Ticket.reported_at).desc())
        .limit(LOOKED_AT)
    )
    own = [code for code, _ in Counter(session.exec(query)).most_common(CHIPS)]
    found = [
        standing.categories[code] for code in dict.fromkeys([*own, *FREQUENT]) if code in standing.categories
    ]
    return [category for category in found if _is_choosable(category)][:CHIPS]


def classes_of(standing: Standing, *, kinds: tuple[str, ...]) -> list[tuple[str, list[Category]]]:
    """Each class with its leaves, kinds in the order given."""
    classes: dict[str, list[Category]] = {}
    fitting = [c for c in standing.categories.values() if c.kind in kinds and _is_choosable(c)]
    for category in sorted(fitting, key=lambda c: (kinds.index(c.kind), c.code)):
        classes.setdefault(category.parent_code or "", []).append(category)
    return [
        (standing.categories[code].name if code in standing.categories else "其他", leaves)
        for code, leaves in classes.items()
    ]


def _is_choosable(category: Category) -> bool:
    return category.leaf and category.retired_on is None
