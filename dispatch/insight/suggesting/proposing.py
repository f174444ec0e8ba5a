"""The three categories that a text most likely means, from the newest model, or from the tree alone at first."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from dispatch.insight.suggesting.features import features
from dispatch.insight.suggesting.model import Example, Model, train
from dispatch.insight.tables import Learnt
from dispatch.record.world import Standing
from grid.models import Category

MOST = 3
LEAST_CONFIDENCE = 0.02
NAME_WEIGHT, KEYWORD_WEIGHT, CLASS_WEIGHT = 2.0, 2.0, 0.5
APART = re.compile(r"[\s,;、,;/()()]+")

_models: dict[str, Model] = {}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A category that the text may mean, how likely that is (0 to 1), and on what the guess rests."""

    code: str
    name: str
    confidence: float
    why: str


def suggest(
    session: Session,
    standing: Standing,
    text: str,
    *,
    area_code: str | None = None,
    at: datetime | None = None,
    public_only: bool = False,
    most: int = MOST,
) -> list[Suggestion]:
    """Categories for a text, the likeliest first; nothing for a text that says nothing."""
    asked = features(text)
    if not asked:
        return []
    newest = session.exec(select(Learnt.id).order_by(col(Learnt.trained_at).desc()).limit(1)).first()
    model = _model(session, standing, str(newest) if newest else "")
    if newest:
        asked = features(text, area_code=area_code, at=at, zone=standing.zone)
    why = "依据本市已办结的工单" if newest else "依据类别名称和关键词"
    found = [
        Suggestion(code, standing.categories[code].name, round(likely, 3), why)
        for code, likely in model.best(asked, most + 20)
        if likely >= LEAST_CONFIDENCE and _offered(standing.categories.get(code), public_only)
    ]
    return found[:most]


def tree_examples(categories: Mapping[str, Category]) -> Iterator[Example]:
    """What the tree itself says of a category: its name, its keywords, faintly its class."""
    for category in categories.values():
        if not category.leaf or category.retired_on is not None:
            continue
        parent = categories.get(category.parent_code or "")
        said = [(category.name, NAME_WEIGHT), (parent.name if parent else "", CLASS_WEIGHT)]
        said += [(word, NAME_WEIGHT) for word in _words(category.name)]
        said += [(word, KEYWORD_WEIGHT) for word in _words(category.keywords or "")]
        for words, weight in said:
            if words:
                yield Example(features(words), category.code, weight)


def _words(text: str) -> Iterable[str]:
    return [word for word in APART.split(text) if len(word) > 1]


def _offered(category: Category | None, public_only: bool) -> bool:
    if category is None or not category.leaf or category.retired_on is not None:
        return False
    return category.public_space or not public_only


def _model(session: Session, standing: Standing, newest: str) -> Model:
    """The newest model, kept in this process; without one, a model of the tree as it is."""
    key = newest or f"tree:{standing.ruleset_version}:{len(standing.categories)}"
    if key not in _models:
        row = session.exec(select(Learnt).order_by(col(Learnt.trained_at).desc()).limit(1)).first()
        fresh = Model.from_bytes(row.weights) if newest and row else train(tree_examples(standing.categories))
        _models.clear()
        _models[key] = fresh
    return _models[key]
