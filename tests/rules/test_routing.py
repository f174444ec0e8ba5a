"""Routing: the order of specificity, rows that do not apply and why, conflicts, doubt, the negative list."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import data
from dispatch.rules.admission import AdmissionRule, Part, read_parts
from dispatch.rules.routing import (
    Bound,
    Facts,
    Routed,
    Tried,
    Unrouted,
    Why,
    route,
    routes_differ,
    unanswered,
)
from dispatch.rules.rulebook import Organisation, Rule, RuleBook, TimeBand

ORGANISATIONS = {
    o.code: o
    for o in (
        Organisation("D-CG", "城管局", "chengguan", "D1"),
        Organisation("T-CG", "城管三中队", "enforcement_team", "S1", parent_code="D-CG"),
        Organisation("D-PARK", "园林局", "parks", "D1"),
        Organisation("S1-OFF", "东街街道", "street", "S1"),
        Organisation("S2-OFF", "西街街道", "street", "S2"),
        Organisation("C1-COM", "东街社区", "community", "C1"),
        Organisation("CITY-W", "市水务", "water"),
        Organisation("OLD", "旧环卫所", "sanitation", "D1", closed_on=date(2026, 1, 1)),
        Organisation("RIVER", "河道所", "river", "D1"),
    )
}
LIST = (
    AdmissionRule(
        "city", "城市管理", "2005", "community", frozenset(Part), "不得将社区作为城市管理事务的责任主体"
    ),
    AdmissionRule("law", "行政执法", None, "community", frozenset(Part), "不得将社区作为行政执法的责任主体"),
)
FACTS = Facts(
    categories=("200505", "2005", "20"),
    areas=("G1", "C1", "S1", "D1"),
    overlays=("RIVER-1", "PARK-1"),
    on=date(2026, 11, 23),
    source="patrol",
    enforcement=True,
)


def book(*rules: Rule) -> RuleBook:
    return RuleBook(rules, ORGANISATIONS, LIST)


def main(*rules: Rule, facts: Facts = FACTS) -> str:
    found = route(facts, book(*rules))
    assert isinstance(found, Routed), found
    assert found.tried[0].rule == found.rule
    return found.main


# From the most specific to the least; each must beat all that follow.
LADDER = [
    Rule("overlay-first", "RIVER", overlay_code="RIVER-1"),
    Rule("overlay-second", "D-PARK", "200505", "G1", "PARK-1", "patrol", TimeBand.WORKING),
    Rule("leaf-grid-source-band", "CITY-W", "200505", "G1", None, "patrol", TimeBand.WORKING),
    Rule("leaf-grid-source", "D-PARK", "200505", "G1", None, "patrol"),
    Rule("leaf-grid-band", "CITY-W", "200505", "G1", None, None, TimeBand.WORKING),
    Rule("leaf-grid", "D-CG", "200505", "G1"),
    Rule("leaf-street", "S1-OFF", "200505", "S1"),
    Rule("leaf", "D-CG", "200505"),
    Rule("class-grid", "D-PARK", "2005", "G1"),
    Rule("class", "RIVER", "2005"),
    Rule("type", "CITY-W", "20"),
    Rule("any-grid", "S1-OFF", None, "G1"),
    Rule("any", "kind:street"),
]


@pytest.mark.parametrize("at", range(len(LADDER)), ids=[rule.id for rule in LADDER])
def test_the_more_specific_row_wins(at: int) -> None:
    found = route(FACTS, book(*reversed(LADDER[at:])))
    assert isinstance(found, Routed)
    assert found.rule == LADDER[at].id
    assert len(found.tried) == len(LADDER) - at
    assert all(tried.why_not == f"不如规则 {found.rule} 具体" for tried in found.tried[1:])


@pytest.mark.parametrize(
    ("rule", "why_not"),
    [
        (Rule("x", "D-CG", "200505", valid_from=date(2026, 11, 24)), "2026-11-24 起才有效"),
        (Rule("x", "D-CG", "200505", valid_to=date(2026, 11, 22)), "2026-11-22 之后失效"),
        (Rule("x", "D-CG", "200505", "S2"), "落点不在 S2 内"),
        (Rule("x", "D-CG", "200505", overlay_code="RAIL-1"), "落点不在管理面 RAIL-1 内"),
        (Rule("x", "D-CG", "200505", source="hotline"), "只用于别的来源"),
        (Rule("x", "D-CG", "200505", time_band=TimeBand.NIGHT), "只用于非工作时间"),
        (Rule("x", "OLD", "200505"), "“旧环卫所”已撤销或管不到这里"),
        (Rule("x", "kind:fire", "200505"), "“fire”类单位已撤销或管不到这里"),
        (
            Rule("x", "C1-COM", "200505"),
            "“城市管理”类事项不得由村(社区)主办:不得将社区作为城市管理事务的责任主体",
        ),
    ],
)
def test_a_row_that_does_not_apply_says_why_and_the_next_one_decides(rule: Rule, why_not: str) -> None:
    found = route(FACTS, book(rule, Rule("next", "D-PARK", "20")))
    assert isinstance(found, Routed)
    assert (found.main, found.rule) == ("D-PARK", "next")
    assert found.tried[1].why_not == why_not
    alone = route(FACTS, book(rule))
    assert isinstance(alone, Unrouted)
    assert alone.kind is Why.NO_RULE
    assert [tried.why_not for tried in alone.tried] == [why_not]


def test_dates_include_both_ends() -> None:
    assert main(Rule("x", "D-CG", valid_from=FACTS.on, valid_to=FACTS.on)) == "D-CG"


def test_rows_of_other_categories_are_not_even_tried() -> None:
    found = route(FACTS, book(Rule("x", "D-CG"), Rule("other", "CITY-W", "100101")))
    assert isinstance(found, Routed)
    assert [tried.rule for tried in found.tried] == ["x"]


def test_a_kind_is_the_nearest_of_its_kind_upwards() -> None:
    assert main(Rule("x", "kind:street")) == "S1-OFF"
    assert main(Rule("x", "kind:street"), facts=replace(FACTS, areas=("G9", "S2", "D1"))) == "S2-OFF"
    assert main(Rule("x", "kind:chengguan")) == "D-CG"
    assert main(Rule("x", "kind:water")) == "CITY-W"


def test_equally_specific_rows_with_different_owners_are_a_conflict_and_no_coin_toss() -> None:
    rules = (Rule("a", "D-CG", "200505"), Rule("b", "D-PARK", "200505"), Rule("c", "RIVER", "2005"))
    for order in (rules, rules[::-1]):
        found = route(FACTS, book(*order))
        assert isinstance(found, Unrouted)
        assert found.kind is Why.CONFLICT
        assert found.options == ("D-CG", "D-PARK")
        assert "“城管局”、“园林局”" in found.reason
        assert {tried.rule for tried in found.tried} == {"a", "b", "c"}


def test_equal_rows_with_one_owner_are_no_conflict() -> None:
    rules = (
        Rule("a", "D-CG", "200505", assistants=("D-PARK",)),
        Rule("b", "kind:chengguan", "200505", assistants=("RIVER",)),
    )
    found = route(FACTS, book(*rules))
    assert isinstance(found, Routed)
    assert (found.main, found.assistants) == ("D-CG", ("D-PARK", "RIVER"))
    assert found.runner_up is None


def test_two_of_a_kind_for_one_area_are_ambiguous() -> None:
    twins = {**ORGANISATIONS, "S1-B": Organisation("S1-B", "东街二所", "street", "S1")}
    found = route(FACTS, RuleBook((Rule("x", "kind:street", "200505"), Rule("y", "D-CG")), twins))
    assert isinstance(found, Unrouted)
    assert (found.kind, found.options) == (Why.AMBIGUOUS, ("S1-B", "S1-OFF"))


def test_the_runner_up_is_who_would_have_had_it_next() -> None:
    found = route(FACTS, book(Rule("a", "D-CG", "200505"), Rule("b", "D-CG", "2005"), Rule("c", "S1-OFF")))
    assert isinstance(found, Routed)
    assert found.runner_up == "S1-OFF"


def test_components_go_to_the_registered_owner_of_the_asset() -> None:
    facts = replace(FACTS, asset_owner="CITY-W")
    found = route(facts, book(*LADDER))
    assert isinstance(found, Routed)
    assert (found.main, found.rule) == ("CITY-W", "asset")
    assert found.reason == "部件台账登记的权属单位是“市水务”,由其承办"
    gone = route(replace(FACTS, asset_owner="OLD"), book(Rule("x", "D-CG")))
    assert isinstance(gone, Routed)
    assert gone.main == "D-CG"


def test_the_team_bound_to_the_grid_goes_first_and_an_officer_is_proposed() -> None:
    rule = Rule("x", "D-CG", "200505")
    found = route(replace(FACTS, bound=(Bound("T-CG", "officer-7"),)), book(rule))
    assert isinstance(found, Routed)
    assert (found.main, found.person) == ("T-CG", "officer-7")
    unbound = route(FACTS, book(rule))
    assert isinstance(unbound, Routed)
    assert (unbound.main, unbound.person) == ("D-CG", None)
    foreign = route(replace(FACTS, bound=(Bound("T-CG", "officer-7"),)), book(Rule("x", "D-PARK")))
    assert isinstance(foreign, Routed)
    assert (foreign.main, foreign.person) == ("D-PARK", None)


def test_assistants_are_resolved_and_the_list_holds_for_them() -> None:
    rule = Rule("x", "D-CG", "200505", assistants=("kind:street", "C1-COM", "kind:fire", "D-CG", "S1-OFF"))
    found = route(FACTS, book(rule))
    assert isinstance(found, Routed)
    assert found.assistants == ("S1-OFF",)
    assert found.notes == (
        "协办未派“东街社区”:“城市管理”类事项不得由村(社区)协办:不得将社区作为城市管理事务的责任主体",
        "协办未派:“fire”类单位此地没有",
    )


def test_a_community_may_have_what_the_list_does_not_name() -> None:
    facts = replace(FACTS, categories=("400114", "4001", "40"), enforcement=False)
    assert main(Rule("x", "kind:community", "400114"), facts=facts) == "C1-COM"
    enforced = route(replace(facts, enforcement=True), book(Rule("x", "kind:community", "400114")))
    assert isinstance(enforced, Unrouted)


def test_a_place_outside_all_areas_is_said_to_be_so() -> None:
    found = route(replace(FACTS, areas=(), overlays=()), book(Rule("x", "D-CG")))
    assert isinstance(found, Unrouted)
    assert found.kind is Why.OUT_OF_AREA


def test_the_worker_is_asked_only_when_the_answer_matters() -> None:
    here, there = FACTS, replace(FACTS, areas=("G2", "C2", "S2", "D1"))
    same = routes_differ([(0.4, here), (0.6, there)], book(Rule("x", "D-CG")))
    assert not same.differs
    different = routes_differ([(0.4, here), (0.6, there)], book(Rule("x", "kind:street")))
    assert different.differs
    found = unanswered(different, book(Rule("x", "kind:street")))
    assert isinstance(found, Routed)
    assert (found.main, found.runner_up) == ("S2-OFF", "S1-OFF")
    assert found.notes == ("定位精度不足,按占比较大的一侧派出;另一侧占 40%,承办单位是“东街街道”",)


rules = st.builds(
    Rule,
    id=st.text("abcdefgh", min_size=1, max_size=4),
    main=st.sampled_from([*ORGANISATIONS, "kind:street", "kind:chengguan", "kind:community", "gone"]),
    category_code=st.sampled_from([None, "20", "2005", "200505", "100101"]),
    area_code=st.sampled_from([None, "G1", "S1", "D1", "S2"]),
    overlay_code=st.sampled_from([None, "RIVER-1", "PARK-1", "RAIL-1"]),
    source=st.sampled_from([None, "patrol", "hotline"]),
    time_band=st.sampled_from([None, TimeBand.WORKING, TimeBand.NIGHT]),
)


@given(st.lists(rules, max_size=12, unique_by=lambda rule: rule.id), st.randoms())
def test_the_order_of_rows_never_matters_and_every_row_is_accounted_for(
    some: list[Rule], random: object
) -> None:
    shuffled = some[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found, again = route(FACTS, book(*some)), route(FACTS, book(*shuffled))
    assert found == again
    speaking = {rule.id for rule in some if rule.category_code in (*FACTS.categories, None)}
    assert {tried.rule for tried in found.tried} == speaking
    deciding = [tried for tried in found.tried if tried.why_not is None]
    assert len(deciding) == (1 if isinstance(found, Routed) else 0)
    if isinstance(found, Routed):
        assert ORGANISATIONS[found.main].kind != "community"
        assert deciding == [Tried(found.rule, found.main, None)]


def test_the_shipped_rows_route_every_category_in_a_district_with_one_of_each_kind() -> None:
    kinds = data.organisation_kinds().rows
    everybody = {
        k.kind: Organisation(k.kind, k.label, k.kind, None if k.level == "city" else "D1") for k in kinds
    }
    shipped = RuleBook(
        tuple(
            Rule(
                r.id, r.main, r.category_code, assistants=tuple(filter(None, (r.assistants or "").split(";")))
            )
            for r in data.responsibilities().rows
        ),
        everybody,
        tuple(
            AdmissionRule(
                r.id, r.matter, r.category_code, r.organisation_kind, read_parts(r.applies_to), r.clause
            )
            for r in data.admission().rows
        ),
    )
    parents = {row.code: row.parent_code for row in data.categories().rows}
    for row in data.categories().rows:
        if not row.leaf:
            continue
        step, lineage = row.code, []
        while step:
            lineage.append(step)
            step = parents[step] or ""
        found = route(Facts(tuple(lineage), ("G1", "D1"), FACTS.on, enforcement=row.enforcement), shipped)
        assert isinstance(found, Routed), (row.name, found)
        assert found.notes == (), row.name
