"""The rows of responsibility with the organisations that they speak of, arranged to be asked often."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from dispatch.rules.admission import AdmissionRule

KIND_PREFIX = "kind:"


class TimeBand(StrEnum):
    """When a row applies; a night is every time outside office hours."""

    WORKING = "working"
    NIGHT = "night"


@dataclass(frozen=True, slots=True)
class Organisation:
    code: str
    name: str
    kind: str
    area_code: str | None = None
    parent_code: str | None = None
    closed_on: date | None = None

    def open_on(self, on: date) -> bool:
        """Whether it exists on that date; the day of closing is the first without it."""
        return self.closed_on is None or on < self.closed_on


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of responsibility; what is None does not matter. `valid_to` is the last day.

    `main` and `assistants` are codes of organisations, or `kind:x`: the one of that kind nearest to the place.
    """

    id: str
    main: str
    category_code: str | None = None
    area_code: str | None = None
    overlay_code: str | None = None
    source: str | None = None
    time_band: TimeBand | None = None
    assistants: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class RuleBook:
    """Rows, organisations and the negative list of one published set."""

    rules: tuple[Rule, ...]
    organisations: Mapping[str, Organisation]
    admission: tuple[AdmissionRule, ...] = ()
    kind_labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    barred_kinds: frozenset[str] = field(init=False, repr=False)
    _by_category: Mapping[str | None, Sequence[Rule]] = field(init=False, repr=False)
    _by_kind: Mapping[str, Sequence[Organisation]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_category: dict[str | None, list[Rule]] = defaultdict(list)
        for rule in sorted(self.rules, key=lambda r: r.id):
            by_category[rule.category_code].append(rule)
        by_kind: dict[str, list[Organisation]] = defaultdict(list)
        for organisation in sorted(self.organisations.values(), key=lambda o: o.code):
            by_kind[organisation.kind].append(organisation)
        object.__setattr__(self, "barred_kinds", frozenset(rule.organisation_kind for rule in self.admission))
        object.__setattr__(self, "_by_category", dict(by_category))
        object.__setattr__(self, "_by_kind", dict(by_kind))

    def speaking_of(self, categories: Sequence[str]) -> Iterator[Rule]:
        """The rows for the category, for one that contains it, or for all."""
        for code in (*categories, None):
            yield from self._by_category.get(code, ())

    def resolve(self, reference: str, areas: Sequence[str], on: date) -> tuple[Organisation, ...]:
        """The open organisation of that code; or all of the kind at the nearest level that has any."""
        if not reference.startswith(KIND_PREFIX):
            named = self.organisations.get(reference)
            return (named,) if named is not None and named.open_on(on) else ()
        of_kind = self._by_kind.get(reference.removeprefix(KIND_PREFIX), ())
        for area in (*areas, None):
            here = tuple(o for o in of_kind if o.area_code == area and o.open_on(on))
            if here:
                return here
        return ()

    def name(self, reference: str) -> str:
        """How people call what a row refers to."""
        known = self.organisations.get(reference)
        kind = reference.removeprefix(KIND_PREFIX)
        label = self.kind_labels.get(kind, kind)
        return f"“{known.name}”" if known else f"“{label}”类单位"
