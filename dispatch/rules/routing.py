"""Who answers for a matter at a place: dated rows, the most specific wins, every row tried says why it lost.

Order of specificity, the first difference decides:

0. a component's registered owner, where the asset register knows it;
1. an overlay (park, river, compound, exclusive grid), the one of highest priority first;
2. the category: the category itself, its class, its type, any;
3. the area: grid, community, street, district, city, anywhere;
4. a row for this source before one for any;
5. a row for this time of day before one for any.

Two rows equally specific that name different organisations are a conflict, and a kind of which two answer for
the same area is ambiguous: both are reported and never tossed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from dispatch.rules.admission import Part, barred
from dispatch.rules.rulebook import KIND_PREFIX, Organisation, Rule, RuleBook, TimeBand

ASSET_RULE = "asset"


class Bound(NamedTuple):
    """A team on shift that is bound to the grid, and the officer to propose."""

    organisation: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the matter; categories, areas and overlays come most specific (highest priority) first."""

    categories: tuple[str, ...]
    areas: tuple[str, ...]
    on: date
    overlays: tuple[str, ...] = ()
    source: str | None = None
    time_band: TimeBand = TimeBand.WORKING
    enforcement: bool = False
    asset_owner: str | None = None
    asset: str | None = None
    bound: tuple[Bound, ...] = ()


class Tried(NamedTuple):
    """One row that was looked at; `why_not` is None for the one that decided."""

    rule: str
    main: str | None
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Routed:
    """Who answers for it and by which row; `runner_up` is who would have without that row."""

    main: str
    assistants: tuple[str, ...]
    person: str | None
    rule: str
    tried: tuple[Tried, ...]
    runner_up: str | None
    reason: str
    notes: tuple[str, ...] = ()


class Why(StrEnum):
    NO_RULE = "no_rule"
    CONFLICT = "conflict"
    OUT_OF_AREA = "out_of_area"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Unrouted:
    """That no single organisation answers for it, why, what was tried and which ones come into question."""

    kind: Why
    tried: tuple[Tried, ...]
    reason: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the candidates of a doubtful place lead to, the largest share first."""

    differs: bool
    options: tuple[tuple[float, Routed | Unrouted], ...]


Rank = tuple[int, int, int, int, int, int]


class _Fit(NamedTuple):
    """A row that speaks of the matter and the organisations that it may mean."""

    rank: Rank
    rule: Rule
    owners: tuple[str, ...]

    def lost(self, why_not: str) -> Tried:
        return Tried(self.rule.id, self.owners[0] if len(self.owners) == 1 else None, why_not)


def route(facts: Facts, book: RuleBook) -> Routed | Unrouted:
    """The organisation that answers for the matter, or why there is none."""
    if not facts.areas and not facts.overlays:
        return Unrouted(Why.OUT_OF_AREA, (), "落点不在任何网格内,由指挥中心确定归属")
    tried: list[Tried] = []
    fits: list[_Fit] = []
    for rule in _rows(facts, book):
        why_not = _misses(rule, facts)
        owners = () if why_not else book.resolve(rule.main, facts.areas, facts.on)
        allowed = tuple(o.code for o in owners if not _forbids(o, facts, book))
        if allowed:
            fits.append(_Fit(_rank(rule, facts), rule, allowed))
            continue
        forbidden = _forbids(owners[0], facts, book) if owners else None
        missing = f"{book.name(rule.main)}已撤销或管不到这里"
        tried.append(Tried(rule.id, owners[0].code if owners else None, why_not or forbidden or missing))
    if not fits:
        return Unrouted(Why.NO_RULE, tuple(tried), "没有适用的职责规则,由指挥中心确定承办单位")
    fits.sort(key=lambda fit: (fit.rank, fit.rule.id))
    return _decide(facts, book, fits, tried)


def routes_differ(candidates: Iterable[tuple[float, Facts]], book: RuleBook) -> Doubt:
    """Whether it matters which candidate is the right place: only then is the worker asked."""
    by_share = sorted(candidates, key=lambda candidate: -candidate[0])
    options = tuple((share, route(facts, book)) for share, facts in by_share)
    owners = {found.main if isinstance(found, Routed) else None for _, found in options}
    return Doubt(len(owners) > 1, options)


def unanswered(doubt: Doubt, book: RuleBook) -> Routed | Unrouted:
    """The decision when the worker does not say: the larger share, and the likely other desk is named."""
    first = doubt.options[0][1]
    if not doubt.differs or not isinstance(first, Routed):
        return first
    others = [
        (share, found.main)
        for share, found in doubt.options[1:]
        if isinstance(found, Routed) and found.main != first.main
    ]
    if not others:
        return first
    share, other = others[0]
    note = f"定位精度不足,按占比较大的一侧派出;另一侧占 {percent(share)},承办单位是{book.name(other)}"
    return replace(first, runner_up=other, notes=(*first.notes, note))


def percent(share: float) -> str:
    """A share for people: a sliver is not called nothing, nor what is beside it everything."""
    return "不到 1%" if share < 0.01 else "99% 以上" if share > 0.99 else f"{share:.0%}"


def _decide(facts: Facts, book: RuleBook, fits: Sequence[_Fit], tried: Sequence[Tried]) -> Routed | Unrouted:
    first = fits[0]
    equal = [fit for fit in fits if fit.rank == first.rank]
    behind = [fit.lost(f"不如规则 {first.rule.id} 具体") for fit in fits[len(equal) :]]
    owners = sorted({code for fit in equal for code in fit.owners})
    if len(owners) > 1:
        return _conflict(equal, owners, [*behind, *tried], book)
    main = owners[0]
    hands = _bound_hands(main, facts, book)
    assistants, notes = _assistants(equal, hands.organisation, facts, book)
    same = [fit.lost(f"与规则 {first.rule.id} 相同") for fit in equal[1:]]
    later = [fit.owners[0] for fit in fits if len(fit.owners) == 1 and fit.owners[0] != main]
    return Routed(
        main=hands.organisation,
        assistants=assistants,
        person=hands.person,
        rule=first.rule.id,
        tried=(Tried(first.rule.id, main, None), *same, *behind, *tried),
        runner_up=later[0] if later else None,
        reason=_sentence(first.rule, main, hands, facts, book),
        notes=notes,
    )


def _conflict(
    equal: Sequence[_Fit], owners: Sequence[str], lost: Sequence[Tried], book: RuleBook
) -> Unrouted:
    rules = "、".join(fit.rule.id for fit in equal)
    names = "、".join(book.name(code) for code in owners)
    if len(equal) == 1:
        reason = f"规则 {rules} 所指的同类单位此地不止一个({names}),由指挥中心确定承办单位"
    else:
        reason = f"规则 {rules} 同样具体而承办单位不同({names}),由指挥中心确定承办单位"
    tied = [fit.lost("同样具体,承办单位不同") for fit in equal]
    return Unrouted(Why.AMBIGUOUS if len(equal) == 1 else Why.CONFLICT, (*tied, *lost), reason, tuple(owners))


def _rows(facts: Facts, book: RuleBook) -> Iterator[Rule]:
    if facts.asset_owner is not None:
        yield Rule(ASSET_RULE, facts.asset_owner)
    yield from book.speaking_of(facts.categories)


def _rank(rule: Rule, facts: Facts) -> Rank:
    return (
        0 if rule.id == ASSET_RULE else 1,
        facts.overlays.index(rule.overlay_code) if rule.overlay_code else len(facts.overlays),
        facts.categories.index(rule.category_code) if rule.category_code else len(facts.categories),
        facts.areas.index(rule.area_code) if rule.area_code else len(facts.areas),
        0 if rule.source else 1,
        0 if rule.time_band else 1,
    )


def _misses(rule: Rule, facts: Facts) -> str | None:
    """Why the row does not speak of these facts."""
    if rule.valid_from is not None and facts.on < rule.valid_from:
        return f"{rule.valid_from} 起才有效"
    if rule.valid_to is not None and facts.on > rule.valid_to:
        return f"{rule.valid_to} 之后失效"
    if rule.overlay_code is not None and rule.overlay_code not in facts.overlays:
        return f"落点不在管理面 {rule.overlay_code} 内"
    if rule.area_code is not None and rule.area_code not in facts.areas:
        return f"落点不在 {rule.area_code} 内"
    if rule.source is not None and rule.source != facts.source:
        return "只用于别的来源"
    if rule.time_band is not None and rule.time_band is not facts.time_band:
        return "只用于工作时间" if rule.time_band is TimeBand.WORKING else "只用于非工作时间"
    return None


def _forbids(organisation: Organisation, facts: Facts, book: RuleBook, part: Part = Part.MAIN) -> str | None:
    if organisation.kind not in book.barred_kinds:
        return None
    hit = barred(
        book.admission,
        categories=facts.categories,
        enforcement=facts.enforcement,
        organisation_kind=organisation.kind,
        part=part,
    )
    return hit.sentence if hit else None


def _bound_hands(main: str, facts: Facts, book: RuleBook) -> Bound:
    """The team bound to the grid and on shift if it belongs to the main organisation, else that itself."""
    for team in facts.bound:
        organisation = book.organisations.get(team.organisation)
        if organisation is None or main not in (organisation.code, organisation.parent_code):
            continue
        if organisation.open_on(facts.on) and not _forbids(organisation, facts, book):
            return team
    return Bound(main)


def _assistants(
    equal: Sequence[_Fit], main: str, facts: Facts, book: RuleBook
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who assists by the rows that decided, and a note for each one that could not be given it."""
    codes: list[str] = []
    notes: list[str] = []
    for reference in dict.fromkeys(a for fit in equal for a in fit.rule.assistants):
        found = book.resolve(reference, facts.areas, facts.on)
        if len(found) != 1:
            notes.append(f"协办未派:{book.name(reference)}此地{'不止一个' if found else '没有'}")
        elif clause := _forbids(found[0], facts, book, Part.ASSISTANT):
            notes.append(f"协办未派“{found[0].name}”:{clause}")
        elif found[0].code != main and found[0].code not in codes:
            codes.append(found[0].code)
    return tuple(codes), tuple(notes)


def _sentence(rule: Rule, main: str, hands: Bound, facts: Facts, book: RuleBook) -> str:
    then = [] if hands.organisation == main else [f"派给网格绑定的当班队伍{book.name(hands.organisation)}"]
    if rule.id == ASSET_RULE:
        which = f"“{facts.asset}”的" if facts.asset else ""
        return ",".join([f"部件台账登记的{which}权属单位是{book.name(main)}", "由其承办", *then])
    what = f"类别 {rule.category_code}" if rule.category_code else "全部类别"
    where = [code for code in (rule.overlay_code, rule.area_code) if code]
    unit = book.name(main)
    words = f"管这里的最近一级单位是{unit}" if rule.main.startswith(KIND_PREFIX) else f"指定承办单位为{unit}"
    return ",".join([f"职责规则 {rule.id}({'、'.join([what, *where])}):{words}", *then])
