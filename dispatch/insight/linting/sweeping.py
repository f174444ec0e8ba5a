"""Decides every region for one family of categories at once: rows in order of specificity, stretch by stretch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from dispatch.insight.linting.owners import NOBODY, Resolver
from dispatch.insight.linting.terrain import Terrain
from dispatch.rules.rulebook import Rule, TimeBand

UNDECIDED = -1
Rank = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Family:
    """Categories for which the same rows speak in the same order and the same kinds of units are barred."""

    codes: tuple[str, ...]
    lineage: tuple[str, ...]
    rules: tuple[Rule, ...]
    barred_kinds: frozenset[str]


@dataclass
class Swept:
    """What came out: who decides where, what nobody decides, rows that contradict, kinds that are several."""

    gaps: NDArray[np.int32]
    wins: dict[str, int] = field(default_factory=dict)
    conflicts: list[tuple[tuple[str, ...], NDArray[np.int32], tuple[int, ...]]] = field(default_factory=list)
    several: list[tuple[str, NDArray[np.int32], int]] = field(default_factory=list)


def rank(rule: Rule, family: Family, terrain: Terrain) -> Rank:
    """The order of `dispatch.rules.routing`, without a place: rows that meet in a region compare alike."""
    return (
        terrain.overlay_order.get(rule.overlay_code, 0) if rule.overlay_code else len(terrain.overlay_order),
        family.lineage.index(rule.category_code) if rule.category_code else len(family.lineage),
        -terrain.depth.get(rule.area_code, 0) if rule.area_code else 1,
        0 if rule.source else 1,
        0 if rule.time_band else 1,
    )


def slices(rules: Sequence[Rule]) -> Iterable[tuple[str | None, TimeBand]]:
    """Every source and time of day that the rows tell apart; `None` is every other source."""
    sources = sorted({rule.source for rule in rules if rule.source})
    bands = list(TimeBand) if any(rule.time_band for rule in rules) else [TimeBand.WORKING]
    return [(source, band) for source in (*sources, None) for band in bands]


def sweep(family: Family, resolver: Resolver, source: str | None, band: TimeBand) -> Swept:
    """Decide all regions for this source and time of day."""
    terrain = resolver.terrain
    speaking = [
        rule
        for rule in family.rules
        if rule.source in (None, source)
        and rule.time_band in (None, band)
        and resolver.kind_of(rule.main) not in family.barred_kinds
    ]
    keyed = sorted(speaking, key=lambda rule: (rank(rule, family, terrain), rule.area_code or "", rule.id))
    free = np.ones(len(terrain), dtype=bool)
    left = len(terrain)
    swept = Swept(np.zeros(0, dtype=np.int32))
    for _, group in groupby(keyed, key=lambda rule: (rank(rule, family, terrain), rule.area_code or "")):
        if left == 0:
            break
        left -= _decide(list(group), resolver, free, swept)
    swept.gaps = np.flatnonzero(free).astype(np.int32)
    return swept


def _decide(rules: list[Rule], resolver: Resolver, free: NDArray[np.bool_], swept: Swept) -> int:
    """Let equally specific rows decide where nothing has been decided; the answer is how many regions they did."""
    where = resolver.terrain.positions(rules[0].area_code, rules[0].overlay_code)
    if where is None:
        return 0
    here = free[where]
    if not here.any():
        return 0
    taken = np.zeros(len(here), dtype=bool)
    owner = np.full(len(here), NOBODY, dtype=np.int32)
    clash = np.zeros(len(here), dtype=bool)
    spoke: list[str] = []
    places = np.arange(where.start, where.stop, dtype=np.int32) if isinstance(where, slice) else where
    for rule in rules:
        found = resolver.owners(rule.main)
        its = np.full(len(here), found, dtype=np.int32) if isinstance(found, int) else found[where]
        speaks = here & (its != NOBODY)
        if not speaks.any():
            continue
        spoke.append(rule.id)
        clash |= speaks & taken & (its != owner)
        swept.wins[rule.id] = swept.wins.get(rule.id, 0) + int(speaks.sum())
        for number in np.unique(its[speaks & (its <= -2)]).tolist():
            swept.several.append((rule.id, places[speaks & (its == number)], number))
        owner = np.where(speaks & ~taken, its, owner)
        taken |= speaks
    if clash.any():
        swept.conflicts.append((tuple(spoke), places[clash], tuple(np.unique(owner[clash]).tolist())))
    free[where] = here & ~taken
    return int(taken.sum())
