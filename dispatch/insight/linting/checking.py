"""The linter: gaps, conflicts, shadowed rows, dead and forbidden owners, for every category × atomic region."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dispatch.insight.linting.findings import WEIGHTS, Finding, Kind, Linted, Weight
from dispatch.insight.linting.owners import Resolver
from dispatch.insight.linting.sweeping import Family, slices, sweep
from dispatch.insight.linting.terrain import Terrain
from dispatch.rules.admission import Part, barred
from dispatch.rules.rulebook import KIND_PREFIX, Rule, RuleBook, TimeBand

MOST_NAMED = 5
GRAVITY = (Weight.ERROR, Weight.TICK, Weight.REMARK)
BAND_LABELS = {TimeBand.WORKING: "工作时间", TimeBand.NIGHT: "夜间与节假日"}


@dataclass(frozen=True, slots=True)
class Kinds:
    """A category as the linter knows it: its ancestors with itself first, its name, whether it takes enforcement."""

    lineage: tuple[str, ...]
    name: str
    enforcement: bool = False
    leaf: bool = True


def lint(book: RuleBook, categories: Iterable[Kinds], terrain: Terrain, on: date) -> Linted:
    """Hold the rows against every leaf category in every region on a date; contradictions also on later dates."""
    known = {kind.lineage[0]: kind for kind in categories}
    leaves = [kind for kind in known.values() if kind.leaf]
    resolver = Resolver(book, terrain, on)
    found = [*_rows(book, known, terrain, on), *_contradictions(book, terrain, on)]
    valid = [rule for rule in book.rules if _holds(rule, on)]
    found += _swept(_families(valid, leaves, book), resolver, {k.lineage[0]: k.name for k in leaves}, valid)
    unique = dict.fromkeys(found)
    ordered = sorted(unique, key=lambda f: (GRAVITY.index(WEIGHTS[f.kind]), f.kind, -f.cases, f.rules))
    return Linted(tuple(ordered), len(leaves), len(terrain), len(book.rules))


def _holds(rule: Rule, on: date) -> bool:
    return (rule.valid_from is None or rule.valid_from <= on) and (
        rule.valid_to is None or on <= rule.valid_to
    )


def _rows(book: RuleBook, known: dict[str, Kinds], terrain: Terrain, on: date) -> Iterator[Finding]:
    """What can be said of a row by itself."""
    kinds = {one.kind for one in book.organisations.values()}
    for rule in book.rules:
        if rule.category_code is not None and rule.category_code not in known:
            yield Finding(Kind.UNKNOWN, f"规则 {rule.id}:没有类别 {rule.category_code}", (rule.id,))
        if rule.area_code is not None and rule.area_code not in terrain.stretch:
            yield Finding(Kind.UNKNOWN, f"规则 {rule.id}:现行边界里没有区域 {rule.area_code}", (rule.id,))
        if rule.overlay_code is not None and rule.overlay_code not in terrain.overlay_order:
            yield Finding(Kind.UNKNOWN, f"规则 {rule.id}:没有管理面 {rule.overlay_code}", (rule.id,))
        if rule.valid_to is not None and rule.valid_to < on:
            yield Finding(Kind.PAST, f"规则 {rule.id}:{rule.valid_to} 已到期,可以删去", (rule.id,))
        elif rule.valid_from is not None and rule.valid_from > on:
            yield Finding(Kind.FUTURE, f"规则 {rule.id}:{rule.valid_from} 起才有效", (rule.id,))
        yield from _owner(rule, book, kinds, on)
        yield from _forbidden(rule, book, known)


def _owner(rule: Rule, book: RuleBook, kinds: set[str], on: date) -> Iterator[Finding]:
    for reference, what in ((rule.main, "主办"), *((a, "协办") for a in rule.assistants)):
        if reference.startswith(KIND_PREFIX):
            if reference.removeprefix(KIND_PREFIX) not in kinds:
                yield Finding(
                    Kind.CLOSED, f"规则 {rule.id}:还没有{book.name(reference)}的{what}单位", (rule.id,)
                )
            continue
        named = book.organisations.get(reference)
        if named is None:
            yield Finding(Kind.UNKNOWN, f"规则 {rule.id}:没有单位 {reference}({what})", (rule.id,))
        elif not named.open_on(on):
            sentence = f"规则 {rule.id}:{what}“{named.name}”已于 {named.closed_on} 撤销,请改派接手的单位"
            yield Finding(Kind.CLOSED, sentence, (rule.id,))


def _forbidden(rule: Rule, book: RuleBook, known: dict[str, Kinds]) -> Iterator[Finding]:
    """A row that names a unit which the list bars from its category, or from one of those that it speaks of."""
    if rule.category_code is not None and rule.category_code not in known:
        return
    below = [known[rule.category_code]] if rule.category_code else []
    if not below or not below[0].leaf:
        below += [k for k in known.values() if k.leaf and rule.category_code in (None, *k.lineage)]
    for reference, part in ((rule.main, Part.MAIN), *((a, Part.ASSISTANT) for a in rule.assistants)):
        named = book.organisations.get(reference)
        kind = (
            reference.removeprefix(KIND_PREFIX) if reference.startswith(KIND_PREFIX) else named and named.kind
        )
        if kind not in book.barred_kinds:
            continue
        for one in below:
            hit = barred(
                book.admission,
                categories=one.lineage,
                enforcement=one.enforcement,
                organisation_kind=str(kind),
                part=part,
            )
            if hit is not None:
                yield Finding(Kind.FORBIDDEN, f"规则 {rule.id}(类别“{one.name}”):{hit.sentence}", (rule.id,))
                break


def _contradictions(book: RuleBook, terrain: Terrain, on: date) -> Iterator[Finding]:
    """Equal rows whose dates overlap later on; those of today are found where they meet."""
    groups: dict[object, list[Rule]] = defaultdict(list)
    for rule in book.rules:
        if rule.valid_to is None or rule.valid_to >= on:
            key = (rule.category_code, rule.area_code, rule.overlay_code, rule.source, rule.time_band)
            groups[key].append(rule)
    for rules in groups.values():
        for one, other in combinations(rules, 2):
            begins = max(one.valid_from or date.min, other.valid_from or date.min)
            ends = min(one.valid_to or date.max, other.valid_to or date.max)
            if not (on < begins <= ends) or one.main == other.main:
                continue
            where = terrain.positions(one.area_code, one.overlay_code)
            if where is None or not _differ(Resolver(book, terrain, begins), one, other, where):
                continue
            sentence = (
                f"规则 {one.id} 与 {other.id} 同样具体,{begins} 起同时有效而主办单位不同"
                f"({book.name(one.main)}、{book.name(other.main)})"
            )
            yield Finding(Kind.CONFLICT, sentence, (one.id, other.id))


def _differ(resolver: Resolver, one: Rule, other: Rule, where: slice | NDArray[np.int32]) -> bool:
    size = len(resolver.terrain)
    first, second = (np.broadcast_to(resolver.owners(rule.main), (size,))[where] for rule in (one, other))
    return bool(((first != second) & (first != -1) & (second != -1)).any())


def _families(valid: Sequence[Rule], leaves: Sequence[Kinds], book: RuleBook) -> list[Family]:
    """Leaf categories put together where the same rows speak for them and the same kinds are barred."""
    by_category: dict[str | None, list[Rule]] = defaultdict(list)
    for rule in valid:
        by_category[rule.category_code].append(rule)
    found: dict[object, tuple[list[str], Family]] = {}
    for kind in leaves:
        rules = tuple(rule for code in (*kind.lineage, None) for rule in by_category.get(code, ()))
        never = frozenset(
            k
            for k in book.barred_kinds
            if barred(
                book.admission,
                categories=kind.lineage,
                enforcement=kind.enforcement,
                organisation_kind=k,
                part=Part.MAIN,
            )
        )
        key = (tuple(rule.id for rule in rules), never)
        if key in found:
            found[key][0].append(kind.lineage[0])
        else:
            codes = [kind.lineage[0]]
            found[key] = (codes, Family((), kind.lineage, rules, never))
    return [Family(tuple(codes), f.lineage, f.rules, f.barred_kinds) for codes, f in found.values()]


def _swept(
    families: Iterable[Family], resolver: Resolver, names: dict[str, str], valid: Sequence[Rule]
) -> Iterator[Finding]:
    terrain, book = resolver.terrain, resolver.book
    wins: dict[str, int] = defaultdict(int)
    gaps: dict[bytes, tuple[NDArray[np.int32], list[str], set[str]]] = {}
    clashes: dict[tuple[str, ...], tuple[NDArray[np.int32], list[str], tuple[int, ...]]] = {}
    several: dict[tuple[str, int], tuple[NDArray[np.int32], list[str]]] = {}
    for family in families:
        for source, band in slices(family.rules):
            swept = sweep(family, resolver, source, band)
            for rule_id, number in swept.wins.items():
                wins[rule_id] += number
            if len(swept.gaps):
                known = gaps.setdefault(swept.gaps.tobytes(), (swept.gaps, [], set()))
                known[1].extend(family.codes)
                if any(rule.time_band for rule in family.rules):
                    known[2].add(BAND_LABELS[band])
            for rules, places, owners in swept.conflicts:
                clashes.setdefault(rules, (places, [], owners))[1].extend(family.codes)
            for rule_id, places, group in swept.several:
                several.setdefault((rule_id, group), (places, []))[1].extend(family.codes)
    for rules, (places, codes, _) in clashes.items():
        mains = "、".join(dict.fromkeys(book.name(r.main) for r in valid if r.id in rules))
        sentence = f"规则 {'、'.join(rules)} 同样具体而主办单位不同({mains}),在{terrain.described(places)}"
        yield _touching(Kind.CONFLICT, sentence, rules, codes, len(places))
    for (rule_id, group), (places, codes) in several.items():
        sentence = f"规则 {rule_id} 所指的单位在{terrain.described(places)}不止一个({resolver.name(group)})"
        yield _touching(Kind.AMBIGUOUS, sentence, (rule_id,), codes, len(places))
    for places, codes, when in gaps.values():
        named = _named(codes, names)
        at = f"({'、'.join(sorted(when))})" if when else ""
        sentence = f"{named}在{terrain.described(places)}({len(places)} 个区域)没有承办单位{at}"
        yield _touching(Kind.GAP, sentence, (), codes, len(places))
    for rule in valid:
        if wins[rule.id] == 0:
            yield Finding(
                Kind.SHADOWED, f"规则 {rule.id}:在哪里都有更具体的规则先决定,或所指单位管不到", (rule.id,)
            )


def _touching(
    kind: Kind, sentence: str, rules: tuple[str, ...], codes: Sequence[str], regions: int
) -> Finding:
    unique = tuple(dict.fromkeys(codes))
    return Finding(kind, sentence, rules, unique, len(unique) * regions)


def _named(codes: Sequence[str], names: dict[str, str]) -> str:
    unique = list(dict.fromkeys(codes))
    shown = "、".join(f"“{names[code]}”" for code in unique[:MOST_NAMED])
    return shown + (f"等 {len(unique)} 类" if len(unique) > MOST_NAMED else "")
