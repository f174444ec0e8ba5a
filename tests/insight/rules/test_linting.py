"""The linter's findings one by one, and that it agrees with routing every case by itself."""

import random
from dataclasses import replace
from datetime import date

import pytest

from dispatch.insight.linting.checking import Kinds, lint
from dispatch.insight.linting.findings import Finding, Kind, Linted, Weight
from dispatch.insight.linting.terrain import Region, Terrain, build
from dispatch.rules.admission import AdmissionRule, Part
from dispatch.rules.routing import Facts, Unrouted, Why, route
from dispatch.rules.rulebook import Organisation, Rule, RuleBook, TimeBand

ON = date(2026, 11, 24)
AREAS = [("G1", "C1", "S1", "D"), ("G2", "C1", "S1", "D"), ("G3", "C2", "S2", "D"), ("G4", "C2", "S2", "D")]
TERRAIN = build(
    [
        *(Region(areas) for areas in AREAS),
        Region(AREAS[0], ("RIVER", "PARK")),
        Region(AREAS[1], ("PARK",)),
        Region(AREAS[2], ("PARK",)),
    ],
    ["RIVER", "PARK"],
    {"D": "示范区", "S1": "东街", "S2": "西街", "C1": "东社区", "C2": "西社区", "G3": "三格", "PARK": "公园"},
)
KINDS = [
    Kinds(("20",), "事件", leaf=False),
    Kinds(("2001", "20"), "市容", leaf=False),
    Kinds(("200101", "2001", "20"), "垃圾"),
    Kinds(("200102", "2001", "20"), "道路"),
    Kinds(("2005", "20"), "秩序", leaf=False),
    Kinds(("200505", "2005", "20"), "停车", enforcement=True),
]
ORGANISATIONS = {
    o.code: o
    for o in (
        Organisation("A", "环卫局", "sanitation", "D"),
        Organisation("B", "城管局", "chengguan", "D"),
        Organisation("S1-A", "东街环卫所", "sanitation", "S1"),
        Organisation("S1-B", "东街环卫二所", "sanitation", "S1"),
        Organisation("C1-COM", "东社区", "community", "C1"),
        Organisation("OLD", "旧环卫所", "sanitation_old", "D", closed_on=date(2026, 1, 1)),
        Organisation("P", "公园处", "parks"),
    )
}
LIST = (AdmissionRule("law", "行政执法", None, "community", frozenset(Part), "不得将社区作为执法主体"),)


def linted(*rules: Rule, terrain: Terrain = TERRAIN) -> Linted:
    return lint(RuleBook(rules, ORGANISATIONS, LIST), KINDS, terrain, ON)


def found(kind: Kind, *rules: Rule) -> list[Finding]:
    return [finding for finding in linted(*rules).findings if finding.kind is kind]


def test_a_whole_set_has_nothing_to_say() -> None:
    assert linted(Rule("all", "B")).findings == ()
    assert linted(Rule("all", "B")).may_begin


def test_a_gap_names_categories_and_the_widest_areas_that_are_bare() -> None:
    (gap,) = found(Kind.GAP, Rule("a", "A", "2001"), Rule("b", "B", "2005", "S1"))
    assert gap.sentence == "“停车”在西街(3 个区域)没有承办单位"
    assert (gap.categories, gap.cases, gap.weight) == (("200505",), 3, Weight.TICK)


def test_a_gap_by_night_says_so() -> None:
    (gap,) = found(Kind.GAP, Rule("day", "A", time_band=TimeBand.WORKING))
    assert gap.sentence == "“垃圾”、“道路”、“停车”在全部区域(7 个区域)没有承办单位(夜间与节假日)"


def test_equal_rows_of_different_owners_are_a_conflict_that_forbids_activation() -> None:
    (clash,) = found(Kind.CONFLICT, Rule("x", "A", "2001"), Rule("y", "B", "2001"), Rule("all", "B"))
    assert clash.rules == ("x", "y")
    assert "同样具体而主办单位不同(“环卫局”、“城管局”)" in clash.sentence
    assert not linted(Rule("x", "A", "2001"), Rule("y", "B", "2001")).may_begin
    assert found(Kind.CONFLICT, Rule("x", "A", "2001"), Rule("y", "A", "2001")) == []


def test_equal_rows_that_mean_the_same_unit_in_places_clash_only_where_they_differ() -> None:
    (clash,) = found(
        Kind.CONFLICT, Rule("x", "kind:sanitation", "2001"), Rule("y", "A", "2001"), Rule("z", "B")
    )
    assert "在东街" in clash.sentence  # west of it the nearest of the kind is the bureau itself


def test_a_conflict_that_begins_later_is_found_today() -> None:
    rules = (
        Rule("old", "A", "2001", valid_to=date(2026, 12, 31)),
        Rule("new", "B", "2001", valid_from=date(2026, 12, 15)),
    )
    (clash,) = found(Kind.CONFLICT, *rules)
    assert "2026-12-15 起同时有效" in clash.sentence
    after = Rule("new", "B", "2001", valid_from=date(2027, 1, 1))
    assert found(Kind.CONFLICT, rules[0], after) == []


def test_two_of_a_kind_for_one_area() -> None:
    (two,) = found(Kind.AMBIGUOUS, Rule("k", "kind:sanitation"))
    assert two.sentence == "规则 k 所指的单位在东街不止一个(“东街环卫所”、“东街环卫二所”)"


def test_a_row_that_never_comes_to_its_turn() -> None:
    rules = (
        Rule("wide", "A", "2001"),
        Rule("one", "B", "200101"),
        Rule("two", "B", "200102"),
        Rule("all", "B"),
    )
    assert [finding.rules for finding in found(Kind.SHADOWED, *rules)] == [("wide",)]


@pytest.mark.parametrize(
    ("rule", "kind", "words"),
    [
        (Rule("r", "OLD", "2001"), Kind.CLOSED, "主办“旧环卫所”已于 2026-01-01 撤销"),
        (Rule("r", "kind:fire", "2001"), Kind.CLOSED, "还没有“fire”类单位的主办单位"),
        (Rule("r", "A", "2001", valid_to=date(2026, 1, 1)), Kind.PAST, "2026-01-01 已到期"),
        (Rule("r", "A", "2001", valid_from=date(2027, 1, 1)), Kind.FUTURE, "2027-01-01 起才有效"),
        (Rule("r", "C1-COM", "200505"), Kind.FORBIDDEN, "不得将社区作为执法主体"),
        (Rule("r", "kind:community", "2005"), Kind.FORBIDDEN, "(类别“停车”)"),
        (Rule("r", "kind:community"), Kind.FORBIDDEN, "(类别“停车”)"),
        (Rule("r", "A", "2005", assistants=("C1-COM",)), Kind.FORBIDDEN, "协办"),
        (Rule("r", "A", "9999"), Kind.UNKNOWN, "没有类别 9999"),
        (Rule("r", "A", None, "S9"), Kind.UNKNOWN, "没有区域 S9"),
        (Rule("r", "A", overlay_code="SEA"), Kind.UNKNOWN, "没有管理面 SEA"),
        (Rule("r", "NOBODY"), Kind.UNKNOWN, "没有单位 NOBODY(主办)"),
    ],
)
def test_what_a_row_says_wrong_by_itself(rule: Rule, kind: Kind, words: str) -> None:
    (finding,) = found(kind, rule, Rule("all", "B"))
    assert finding.rules == ("r",)
    assert words in finding.sentence


def test_algebra_agrees_with_routing_every_case() -> None:
    """Random sets: gaps, conflicts and rows that never decide are exactly those that routing one by one shows."""
    rng = random.Random(6)
    conflicts = gaps = 0
    for _ in range(300):
        rules = tuple(_any_rule(rng, n) for n in range(rng.randint(1, 8)))
        if rng.random() < 0.4:
            rules += (replace(rules[0], id="twin", main=rng.choice(["A", "B", "kind:sanitation"])),)
        book = RuleBook(rules, ORGANISATIONS, LIST)
        truth = _one_by_one(book)
        result = lint(book, KINDS, TERRAIN, ON)
        by_kind = {kind: [f for f in result.findings if f.kind is kind] for kind in Kind}
        conflicts, gaps = conflicts + bool(truth["conflict"]), gaps + bool(truth["gap"])
        assert {frozenset(f.rules) for f in by_kind[Kind.CONFLICT]} == truth["conflict"], rules
        assert {c for f in by_kind[Kind.GAP] for c in f.categories} == truth["gap"], rules
        assert {f.rules[0] for f in by_kind[Kind.AMBIGUOUS]} >= truth["ambiguous"], rules
        silent = {rule.id for rule in rules} - truth["heard"]
        assert {f.rules[0] for f in by_kind[Kind.SHADOWED]} == silent, rules
    assert conflicts > 20
    assert gaps > 20


def _any_rule(rng: random.Random, number: int) -> Rule:
    return Rule(
        f"r{number}",
        rng.choice(["A", "B", "P", "OLD", "C1-COM", "kind:sanitation", "kind:community"]),
        rng.choice([None, "20", "2001", "200101", "200505"]),
        rng.choice([None, None, "D", "S1", "C2", "G3"]),
        rng.choice([None, None, "PARK", "RIVER"]),
        rng.choice([None, None, "patrol"]),
        rng.choice([None, None, TimeBand.NIGHT]),
    )


def _one_by_one(book: RuleBook) -> dict[str, set[object]]:
    truth: dict[str, set[object]] = {"conflict": set(), "gap": set(), "ambiguous": set(), "heard": set()}
    for kind in KINDS:
        if not kind.leaf:
            continue
        for region in TERRAIN.regions:
            for source in ("patrol", "hotline"):
                for band in TimeBand:
                    facts = Facts(
                        kind.lineage, region.areas, ON, region.overlays, source, band, kind.enforcement
                    )
                    found = route(facts, book)
                    if not isinstance(found, Unrouted):
                        same = {t.rule for t in found.tried if (t.why_not or "").endswith("相同")}
                        truth["heard"] |= {found.rule, *same}
                        continue
                    equal = {t.rule for t in found.tried if (t.why_not or "").startswith("同样具体")}
                    truth["heard"] |= equal
                    if found.kind is Why.NO_RULE:
                        truth["gap"].add(kind.lineage[0])
                    elif (
                        found.kind is Why.CONFLICT and len({r.main for r in book.rules if r.id in equal}) > 1
                    ):
                        truth["conflict"].add(frozenset(equal))
                    else:
                        truth["ambiguous"] |= equal
    return truth
