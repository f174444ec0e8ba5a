"""Assessment schemes and switches: what the clauses forbid is refused, what is off stays off until somebody named acts."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from dispatch.insight.metrics.intervals import Value
from dispatch.insight.metrics.periods import Period
from dispatch.insight.rollups import keeping as sums
from dispatch.insight.schemes import keeping, limits, standing
from dispatch.insight.schemes.limits import Group, Indicator, Plan
from dispatch.record.oversight.models import PlanEntry, PlanKind
from grid.errors import InputError, NotAllowed
from tests.town import CENTRE, DRAINAGE, SANITATION, STREET_OFFICE, Town

PLAN = Plan(
    "二〇二六年度",
    "KP-2026-1",
    (
        Indicator("按时办理", "handling", ("每少一个百分点扣一分",)),
        Indicator("群众评价", parts=(Indicator("满意", "satisfying"), Indicator("解决", "solving"))),
        Indicator("一次办结", "once"),
    ),
    (
        Group("中心城区", (SANITATION,), (("按时办理", 50), ("群众评价", 30), ("一次办结", 20))),
        Group("城乡结合", (DRAINAGE,), (("按时办理", 30), ("群众评价", 50), ("一次办结", 20))),
    ),
)


def appraisal_plan(number: str, now: datetime) -> PlanEntry:
    return PlanEntry(
        number=number,
        kind=PlanKind.APPRAISAL,
        title="年度考核",
        approval="区委办〔2026〕1 号",
        organisation_code=CENTRE,
        from_on=date(2026, 1, 1),
        to_on=date(2026, 12, 31),
        registered_at=now,
    )


def register(town: Town) -> None:
    with town.database.writing() as session:
        session.add(appraisal_plan(PLAN.plan_number, town.now))


def test_a_scheme_within_the_clauses_is_kept_and_read_back(town: Town) -> None:
    register(town)
    with town.database.writing() as session:
        row = keeping.keep(session, PLAN, town.supervisor.actor, town.world, town.now)
    assert keeping.plan_of(row.body) == PLAN


@pytest.mark.acceptance("D9")
def test_a_third_level_and_a_fourth_rule_are_refused() -> None:
    deep = Indicator("一", parts=(Indicator("二", parts=(Indicator("三", "handling"),)),))
    with pytest.raises(InputError, match="二级指标外不再新增"):
        limits.examine(replace(PLAN, indicators=(deep, *PLAN.indicators)))
    four = replace(PLAN.indicators[0], rules=("一", "二", "三", "四"))
    with pytest.raises(InputError, match="不超过 3 条"):
        limits.examine(replace(PLAN, indicators=(four, *PLAN.indicators[1:])))
    three = replace(four, rules=four.rules[:3])
    assert limits.examine(replace(PLAN, indicators=(three, *PLAN.indicators[1:])))


@pytest.mark.acceptance("D10")
@pytest.mark.parametrize("base", [1000, 120, 10, 0])
def test_the_sum_of_points_is_one_hundred_and_nothing_else(base: int) -> None:
    with pytest.raises(InputError, match="千分制"):
        limits.examine(replace(PLAN, base=base))


@pytest.mark.acceptance("D11")
def test_groups_have_weights_of_their_own_and_are_not_compared(town: Town) -> None:
    assert limits.examine(PLAN).groups[0].weights != PLAN.groups[1].weights
    both = replace(PLAN.groups[1], units=(DRAINAGE, SANITATION))
    with pytest.raises(InputError, match="只能在一组"):
        limits.examine(replace(PLAN, groups=(PLAN.groups[0], both)))
    town.worker.reports()
    sums.catch_up(town.database, town.world.settings.zone, town.now)
    quarter = standing.quarter_of(date(2026, 3, 2))
    with town.database.reading() as session:
        for group in PLAN.groups:
            compared, _ = standing.compare(session, group, "handling", quarter)
            assert {one.organisation_code for one in compared} == set(group.units)


@pytest.mark.acceptance("D12")
@pytest.mark.parametrize("title", [indicator.title for indicator in PLAN.indicators])
def test_the_weight_of_a_removed_indicator_goes_to_the_others(title: str) -> None:
    less = limits.examine(limits.without(PLAN, title))
    for before, after in zip(PLAN.groups, less.groups, strict=True):
        old, new = dict(before.weights), dict(after.weights)
        assert round(sum(new.values()), 6) == 100
        kept = [name for name in old if name != title]
        assert abs(new[kept[0]] / new[kept[1]] - old[kept[0]] / old[kept[1]]) < 0.01


def test_without_a_registered_plan_nothing_is_kept_or_turned_on(town: Town) -> None:
    with town.database.writing() as session:
        with pytest.raises(InputError, match="计划"):
            keeping.keep(session, PLAN, town.supervisor.actor, town.world, town.now)
        with pytest.raises(InputError, match="计划"):
            keeping.turn(session, keeping.RANKING, True, town.supervisor.actor, town.world, town.now)
        with pytest.raises(NotAllowed):
            keeping.turn(session, keeping.WEEKLY, True, town.department.actor, town.world, town.now)
    with pytest.raises(InputError, match="注册表"):
        limits.examine(replace(PLAN, indicators=(Indicator("照片", "photos_uploaded"), *PLAN.indicators[1:])))


@pytest.mark.acceptance("D24")
def test_an_order_is_off_and_when_on_says_who_and_goes_by_quarter_and_group(town: Town) -> None:
    register(town)
    group = Group("全部", (SANITATION, DRAINAGE, STREET_OFFICE), (("x", 100),))
    quarter = standing.quarter_of(town.now.date())
    with town.database.writing() as session:
        before, who = standing.compare(session, group, "handling", quarter)
        assert who is None
        assert all(one.place is None for one in before)
        assert [one.organisation_code for one in before] == sorted(group.units)
        keeping.turn(
            session, keeping.RANKING, True, town.supervisor.actor, town.world, town.now, PLAN.plan_number
        )
        after, who = standing.compare(session, group, "handling", quarter)
        assert who == ("督查员", town.now)
        assert all(one.place is None for one in after), "below thirty there is no rate, and no place"
        with pytest.raises(InputError, match="季度"):
            standing.compare(session, group, "handling", Period.month(2026, 3))


def test_places_are_shared_where_the_intervals_overlap() -> None:
    found = [standing.Compared(code, Value(n, 100)) for code, n in (("a", 95), ("b", 90), ("c", 40))]
    assert [one.place for one in standing._placed(found)] == [1, 1, 3]


def test_points_of_a_quarter() -> None:
    assert standing.quarter_of(date(2026, 11, 20)) == Period(date(2026, 10, 1), date(2026, 12, 31))
    assert standing.quarter_of(date(2026, 3, 31)).days == (date(2026, 4, 1) - date(2026, 1, 1)) / timedelta(
        days=1
    )
