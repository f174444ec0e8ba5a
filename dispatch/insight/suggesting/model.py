"""A naive Bayes model of categories over hashed parts of text: numpy only, trained in one pass, small to store."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dispatch.insight.suggesting.features import SIZE

SMOOTHING = 0.1
MOST_CERTAIN = 30.0


@dataclass(frozen=True)
class Example:
    """What was said of one matter, as features, and its category; `weight` is how often it counts."""

    features: Sequence[int]
    category: str
    weight: float = 1.0


@dataclass(frozen=True)
class Model:
    """Log-weights of each feature for each category; `calm` tempers what the parts say together."""

    categories: tuple[str, ...]
    prior: NDArray[np.float32]
    weights: NDArray[np.float16]
    calm: float = 1.0

    def probabilities(self, features: Sequence[int]) -> NDArray[np.float64]:
        """How likely each category is."""
        score = self.prior + self.weights[np.asarray(features, dtype=np.int64)].sum(axis=0, dtype=np.float64)
        score *= self.calm
        likely = np.exp(np.clip(score - score.max(), -MOST_CERTAIN, 0))
        return np.asarray(likely / likely.sum())

    def best(self, features: Sequence[int], most: int = 3) -> list[tuple[str, float]]:
        """The likeliest categories with their probability."""
        likely = self.probabilities(features)
        return [(self.categories[n], float(likely[n])) for n in np.argsort(-likely, kind="stable")[:most]]

    def to_bytes(self) -> bytes:
        """For the database; half precision, compressed."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            categories=np.array(self.categories, dtype=np.str_),
            prior=self.prior,
            weights=self.weights,
            calm=np.float64(self.calm),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Model":
        with np.load(io.BytesIO(data), allow_pickle=False) as kept:
            return cls(
                tuple(str(code) for code in kept["categories"]),
                kept["prior"].astype(np.float32),
                kept["weights"],
                float(kept["calm"]),
            )


def train(examples: Iterable[Example], calm: float = 1.0) -> Model:
    """Count how often each feature goes with each category."""
    known = list(examples)
    categories = tuple(sorted({example.category for example in known}))
    place = {code: n for n, code in enumerate(categories)}
    counts = np.zeros((SIZE, len(categories)), dtype=np.float32)
    often = np.zeros(len(categories), dtype=np.float64)
    for example in known:
        column = place[example.category]
        counts[np.asarray(example.features, dtype=np.int64), column] += example.weight
        often[column] += example.weight
    seen = counts.sum(axis=1) > 0
    share = (counts + SMOOTHING) / (often.astype(np.float32) + SMOOTHING * 2)
    weights = np.where(seen[:, None], np.log(share), 0.0).astype(np.float16)
    prior = np.log((often + 1.0) / (often.sum() + len(categories))).astype(np.float32)
    return Model(categories, prior, weights, calm)


def calmed(model: Model, examples: Sequence[Example]) -> Model:
    """The model whose stated confidence fits how often it was right on these examples."""
    place = {code: n for n, code in enumerate(model.categories)}
    usable = [e for e in examples if e.category in place]
    if not usable:
        return model

    def surprise(calm: float) -> float:
        tried = Model(model.categories, model.prior, model.weights, calm)
        likely = [tried.probabilities(e.features)[place[e.category]] for e in usable]
        return float(-np.log(np.maximum(likely, 1e-9)).mean())

    calm = min((1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08), key=surprise)
    return Model(model.categories, model.prior, model.weights, calm)
