"""Training on the city's own closed tickets, each night; a tenth that was held back says how good it is.

Confidential tickets are left out, and so is every text that was erased. A category that somebody corrected counts
as what it was corrected to, for a ticket is read as it stands now.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists
from sqlalchemy import select as columns
from sqlmodel import Session, col, select
from uuid6 import uuid7

from dispatch.insight.suggesting.features import features, number
from dispatch.insight.suggesting.model import Example, Model, calmed, train
from dispatch.insight.suggesting.proposing import tree_examples
from dispatch.insight.tables import Learnt
from dispatch.record.models import Reporter, Statement, Ticket
from dispatch.record.world import Standing, World
from grid.database import Database

LOOK_BACK = timedelta(days=730)
MOST_EXAMPLES = 100_000
LEAST_EXAMPLES = 200
HELD_OUT = 10
KEPT_MODELS = 5


@dataclass(frozen=True)
class Evaluation:
    """How often the first, and one of the first three, was right on examples that were not trained on."""

    held_out: int
    trained_on: int
    top1: float
    top3: float


def train_nightly(database: Database, world: World, now: datetime) -> Learnt | None:
    """Train, measure on the held-out tenth, store; None while the city has closed too few tickets."""
    with database.reading() as session:
        standing = world.refresh(session)
        examples = list(closed_examples(session, standing, now))
    if len(examples) < LEAST_EXAMPLES:
        return None
    model, measured = learn(examples, list(tree_examples(standing.categories)))
    made = Learnt(
        id=uuid7(),
        trained_at=now,
        examples=len(examples),
        evaluation={
            "held_out": measured.held_out,
            "trained_on": measured.trained_on,
            "top1": round(measured.top1, 4),
            "top3": round(measured.top3, 4),
            "categories": len(model.categories),
        },
        weights=model.to_bytes(),
    )

    def keep(session: Session) -> Learnt:
        session.add(made)
        session.flush()
        old = select(Learnt).order_by(col(Learnt.trained_at).desc()).offset(KEPT_MODELS)
        for row in session.exec(old):
            session.delete(row)
        return made

    return database.write(keep)


def learn(examples: Sequence[Example], tree: Sequence[Example]) -> tuple[Model, Evaluation]:
    """A model trained on everything, and what one trained without every tenth example got right on those."""
    held = examples[::HELD_OUT]
    rest = [example for place, example in enumerate(examples) if place % HELD_OUT]
    tried = calmed(train([*tree, *rest]), held)
    evaluation = evaluate(tried, held, len(rest))
    return train([*tree, *examples], tried.calm), evaluation


def evaluate(model: Model, held: Sequence[Example], trained_on: int) -> Evaluation:
    """How often the model was right on these examples."""
    first = third = 0
    for example in held:
        best = [code for code, _ in model.best(example.features)]
        first += best[:1] == [example.category]
        third += example.category in best
    return Evaluation(len(held), trained_on, first / max(len(held), 1), third / max(len(held), 1))


def closed_examples(session: Session, standing: Standing, now: datetime) -> Iterator[Example]:
    """What was said of closed tickets, with the category that they ended with, the newest first."""
    of_ticket = and_(
        col(Statement.intake_district) == col(Ticket.intake_district),
        col(Statement.ticket_id) == col(Ticket.id),
        col(Statement.name) == "text",
        col(Statement.erased_at).is_(None),
        col(Statement.text).is_not(None),
    )
    in_confidence = exists().where(
        and_(
            col(Reporter.intake_district) == col(Ticket.intake_district),
            col(Reporter.ticket_id) == col(Ticket.id),
            col(Reporter.confidential),
        )
    )
    query = (
        columns(
            col(Statement.text),
            col(Ticket.category_code),
            col(Ticket.street_code),
            col(Ticket.district_code),
            col(Ticket.reported_at),
        )
        .join(Ticket, of_ticket)
        .where(col(Ticket.closed_at).is_not(None), col(Ticket.reported_at) >= now - LOOK_BACK, ~in_confidence)
        .order_by(col(Ticket.reported_at).desc(), col(Ticket.id))
        .limit(MOST_EXAMPLES)
    )
    for text, category, street, district, at in session.execute(query):
        known = standing.categories.get(category)
        if known is None or not known.leaf or known.retired_on is not None:
            continue
        found = features(text or "", area_code=street or district, at=at, zone=standing.zone)
        if found:
            yield Example(found, category)
    number.cache_clear()
