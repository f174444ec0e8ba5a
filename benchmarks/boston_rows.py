"""Rows of responsibility learnt from Boston's service requests of 2015–2021, for routing those of 2022.

A row is made only where it changes what less specific rows would say. A queue that serves one public-works district
alone is a unit of the kind `crew` there, so that `kind:crew` reads "the crew of the district it lies in".
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from dispatch.rules.routing import Facts, Routed, route
from dispatch.rules.rulebook import Organisation, Rule, RuleBook

ON = date(2022, 1, 1)
CITY = "boston"
CREW = "kind:crew"
CREW_SHARE, CREW_LEAST = 0.9, 10


@dataclass(frozen=True)
class Request:
    """What is known when a request comes in, and what the city did with it."""

    categories: tuple[str, ...]
    works_district: str
    police_district: str
    department: str
    queue: str
    row: dict[str, str]

    @property
    def areas(self) -> tuple[str, ...]:
        own = (f"works:{self.works_district}" if self.works_district else "", self.police_district)
        return (*(code for code in own if code), CITY)


def read_requests(path: Path, locator: Any) -> list[Request]:
    """Every request with its police district by point in the imported polygons, by its label without a point."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = []
    for row in rows:
        lon, lat = row["LONGITUDE"].strip(), row["LATITUDE"].strip()
        police = row["police_district"].strip()
        if lon and lat:
            police = dict(locator.find(lon=float(lon), lat=float(lat)).codes).get("district", police)
        title, type_ = row["CASE_TITLE"].strip(), row["TYPE"].strip()
        categories = (
            f"t:{type_}|{title}",
            f"y:{type_}",
            f"r:{row['REASON'].strip()}",
            f"s:{row['SUBJECT'].strip()}",
        )
        found.append(
            Request(categories, row["pwd_district"].strip(), police, row["Department"], row["QUEUE"], row)
        )
    return found


def opened(request: Request) -> datetime:
    return datetime.fromisoformat(request.row["OPEN_DT"])


def learn(requests: Iterable[Request], target: str, *, by_area: bool) -> RuleBook:
    """The rows that give most of these requests what they were given, with rows for districts or without."""
    known = list(requests)
    units = {getattr(r, target) for r in known}
    crews = dict(_crews(known, target))
    organisations = {
        name: Organisation(name, name, "crew" if name in crews else "queue", crews.get(name))
        for name in units
    }
    votes: dict[tuple[str, str | None], Counter[str]] = defaultdict(Counter)
    for request in known:
        given = getattr(request, target)
        at_home = crews.get(given) in request.areas and given in crews
        for category in request.categories:
            for area in (None, request.areas[0]) if by_area and request.works_district else (None,):
                votes[(category, area)][CREW if at_home else given] += 1
    rules: list[Rule] = []
    said: dict[tuple[str, str | None], str] = {}
    order = {prefix: depth for depth, prefix in enumerate("sryt")}
    parents = {c: r.categories[n + 1 :] for r in known for n, c in enumerate(r.categories)}
    for (category, area), counts in sorted(
        votes.items(),
        key=lambda one: (order[one[0][0][0]], one[0][1] is not None, one[0][0], one[0][1] or ""),
    ):
        best = counts.most_common(1)[0][0]
        if best == _inherited(said, parents[category], category, area):
            continue
        said[(category, area)] = best
        rules.append(Rule(f"learnt-{len(rules) + 1}", best, category, area))
    return RuleBook(tuple(rules), organisations)


def _inherited(
    said: dict[tuple[str, str | None], str], parents: tuple[str, ...], category: str, area: str | None
) -> str | None:
    """What the rows so far say: the category's own for everywhere, then its parents', the place's before all."""
    keys = [(category, area), (category, None)]
    for parent in parents:
        keys += [(parent, area), (parent, None)]
    return next((said[key] for key in keys if key in said), None)


def _crews(requests: list[Request], target: str) -> Iterator[tuple[str, str]]:
    """Units that work in one works district alone, with that district."""
    where: dict[str, Counter[str]] = defaultdict(Counter)
    for request in requests:
        if request.works_district:
            where[getattr(request, target)][request.areas[0]] += 1
    for unit, counts in where.items():
        district, number = counts.most_common(1)[0]
        total = sum(counts.values())
        if total >= CREW_LEAST and number / total >= CREW_SHARE:
            yield unit, district


def accuracy(requests: Iterable[Request], book: RuleBook, target: str) -> tuple[float, int, int]:
    """The share that is routed where the city sent it; every request counts, one without an answer as wrong."""
    right = number = silent = 0
    for request in requests:
        found = route(Facts(request.categories, request.areas, ON), book)
        number += 1
        silent += not isinstance(found, Routed)
        right += isinstance(found, Routed) and found.main == getattr(request, target)
    return right / number, number, silent
