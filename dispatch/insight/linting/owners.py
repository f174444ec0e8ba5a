"""Whom a row means in each region, as numbers: an organisation, nobody (-1), or several of a kind (-2 and below)."""

from datetime import date
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dispatch.insight.linting.terrain import Terrain
from dispatch.rules.rulebook import KIND_PREFIX, Organisation, RuleBook

Owners = NDArray[np.int32]
NOBODY = -1


class Resolver:
    """Resolves references once for all regions."""

    def __init__(self, book: RuleBook, terrain: Terrain, on: date) -> None:
        self.book, self.terrain, self.on = book, terrain, on
        self.organisations = sorted(book.organisations.values(), key=lambda o: o.code)
        self.number = {o.code: n for n, o in enumerate(self.organisations)}
        self.groups: list[tuple[str, ...]] = []
        self.owners = cache(self._owners)

    def _owners(self, reference: str) -> Owners | int:
        """One number where the answer is the same everywhere, else one for each region."""
        if not reference.startswith(KIND_PREFIX):
            named = self.book.organisations.get(reference)
            return self.number[reference] if named is not None and named.open_on(self.on) else NOBODY
        by_area: dict[str | None, list[Organisation]] = {}
        for one in self.organisations:
            if one.kind == reference.removeprefix(KIND_PREFIX) and one.open_on(self.on):
                by_area.setdefault(one.area_code, []).append(one)
        found = np.full(len(self.terrain), NOBODY, dtype=np.int32)
        known = [area for area in by_area if area is None or area in self.terrain.stretch]
        for area in sorted(known, key=lambda a: -1 if a is None else self.terrain.depth[a]):
            begin, end = (0, len(self.terrain)) if area is None else self.terrain.stretch[area]
            found[begin:end] = self._numbered(by_area[area])
        first = int(found[0]) if len(found) else NOBODY
        return first if len(found) == 0 or bool((found == first).all()) else found

    def _numbered(self, here: list[Organisation]) -> int:
        if len(here) == 1:
            return self.number[here[0].code]
        self.groups.append(tuple(one.code for one in here))
        return -1 - len(self.groups)

    def kind_of(self, reference: str) -> str | None:
        """The kind of the organisations that a reference may mean; None when it means none."""
        if reference.startswith(KIND_PREFIX):
            return reference.removeprefix(KIND_PREFIX)
        named = self.book.organisations.get(reference)
        return named.kind if named else None

    def name(self, number: int) -> str:
        if number <= -2:
            return "、".join(self.book.name(code) for code in self.groups[-2 - number])
        return self.book.name(self.organisations[number].code)
