"""What an assessment scheme may be, with the clause that says so. A scheme that breaks one is not kept."""

from dataclasses import dataclass, replace

from dispatch.insight.metrics.formulas import METRICS
from grid.errors import InputError

ALLOWED = {metric.key: metric for metric in METRICS if metric.is_for_schemes}
BASE, MOST_LEVELS, MOST_RULES = 100, 2, 3
OFF_PLAN = "不得在计划外随意开展督查检查考核,须填写已登记的考核计划号"
LEVELS = "除了二级指标外不再新增、细化指标"
RULES = "每项指标评分标准要求原则上不超过 3 条"
THOUSAND = "考核应当化繁为简,不搞“千分制”:总分只能是 100"
WEIGHTS = "各项指标的权重相加须为 100"
REGISTERED = (
    "指标只能取自指标注册表中承办单位的比率(结果、时效、质量),不得以件数、留痕、台账、使用率为评价标准"
)
GROUPS = "根据不同乡镇(街道)的发展定位、资源禀赋,差异化设置分值权重:每组须有自己的权重和成员"
ALONE = "每个单位只能在一组,组内才比较"


@dataclass(frozen=True)
class Indicator:
    """One indicator; `parts` are its second level. `rules` say how points are given."""

    title: str
    metric: str | None = None
    rules: tuple[str, ...] = ()
    parts: tuple["Indicator", ...] = ()


@dataclass(frozen=True)
class Group:
    """Units of one kind with their own weights, one for each first-level indicator."""

    name: str
    units: tuple[str, ...]
    weights: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Plan:
    """A whole scheme."""

    title: str
    plan_number: str
    indicators: tuple[Indicator, ...]
    groups: tuple[Group, ...]
    base: int = BASE


def problems(plan: Plan) -> dict[str, str]:
    """Every clause that the scheme breaks, by what breaks it."""
    found: dict[str, str] = {}
    if not plan.plan_number:
        found["plan_number"] = OFF_PLAN
    if plan.base != BASE:
        found["base"] = THOUSAND
    for indicator in plan.indicators:
        _examine(indicator, 1, found)
    titles = {indicator.title for indicator in plan.indicators}
    units = [unit for group in plan.groups for unit in group.units]
    if not plan.groups or any(not group.units for group in plan.groups):
        found["groups"] = GROUPS
    if len(units) != len(set(units)):
        found["groups"] = ALONE
    for group in plan.groups:
        weights = dict(group.weights)
        if (
            set(weights) != titles
            or abs(sum(weights.values()) - BASE) > 1e-6
            or min(weights.values(), default=0) < 0
        ):
            found[f"weights:{group.name}"] = WEIGHTS
    return found


def _examine(indicator: Indicator, level: int, found: dict[str, str]) -> None:
    if level > MOST_LEVELS:
        found[f"level:{indicator.title}"] = LEVELS
    if len(indicator.rules) > MOST_RULES:
        found[f"rules:{indicator.title}"] = RULES
    if not indicator.parts and indicator.metric not in ALLOWED:
        found[f"metric:{indicator.title}"] = REGISTERED
    for part in indicator.parts:
        _examine(part, level + 1, found)


def examine(plan: Plan) -> Plan:
    """The same scheme, if it may be.

    Raises
    ------
    InputError
        With every clause that it breaks.
    """
    found = problems(plan)
    if found:
        raise InputError("考评方案没有保存:" + ";".join(dict.fromkeys(found.values())), found)
    return plan


def without(plan: Plan, title: str) -> Plan:
    """The scheme without one indicator; its weight goes to the others in proportion, so that they are 100 again."""
    kept = tuple(indicator for indicator in plan.indicators if indicator.title != title)
    if len(kept) == len(plan.indicators):
        raise InputError(f"方案中没有指标“{title}”", {"title": "没有这项指标"})
    if not kept:
        raise InputError("方案至少要留一项指标", {"title": "不能删去最后一项"})
    return replace(plan, indicators=kept, groups=tuple(_spread(group, title) for group in plan.groups))


def _spread(group: Group, title: str) -> Group:
    rest = [(name, weight) for name, weight in group.weights if name != title]
    left = sum(weight for _, weight in rest)
    shares = [weight / left if left else 1 / len(rest) for _, weight in rest]
    weights = [round(BASE * share, 2) for share in shares]
    weights[-1] = round(BASE - sum(weights[:-1]), 2)  # the rounding goes to the last
    return replace(group, weights=tuple((name, w) for (name, _), w in zip(rest, weights, strict=True)))
