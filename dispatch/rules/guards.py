"""The named conditions that transitions ask for, each a pure question with one sentence for 'no'."""

from collections.abc import Callable

from dispatch.rules.workflow import (
    BY_ACTION,
    STATES,
    SYSTEM,
    Doer,
    Facts,
    Refusal,
    Transition,
    actions_from,
    labels,
)

CALLBACK_ATTEMPTS = 3
MOST_SUPPLEMENTS = 2
MOST_EXTENSIONS = 1
REWORKS_TO_FORCE = 3
# What stands against a person, not against the moment: answered as "may not", not as "not now".
PERSON_GUARDS = frozenset(
    {
        "independent",
        "not_answerer",
        "second_person",
        "outside_the_assessed",
        "not_own_report",
        "another_judge",
    }
)

Guard = Callable[[Facts, Doer], str | None]
GUARDS: dict[str, Guard] = {}


def _guard(check: Guard) -> Guard:
    GUARDS[check.__name__] = check
    return check


def refusal(action: str, facts: Facts, doer: Doer) -> Refusal | None:
    """Why this action is refused now, or None when nothing stands in its way (permission is asked elsewhere)."""
    row = BY_ACTION[action]
    if facts.state not in row.sources:
        possible = "、".join(
            dict.fromkeys(other.label for other in actions_from(facts.state) if other.may != SYSTEM)
        )
        return Refusal(
            "state",
            f"工单现在是“{STATES[facts.state].label}”,不能{row.label}(只能在 {labels(row.sources)} 时进行);"
            f"现在可以:{possible or '查看'}",
        )
    for name in row.guards:
        sentence = GUARDS[name](facts, doer)
        if sentence is not None:
            return Refusal(name, sentence)
    return None


def possible(facts: Facts, doer: Doer) -> tuple[Transition, ...]:
    """The rows open to the ticket now as far as its facts go."""
    return tuple(row for row in actions_from(facts.state) if refusal(row.action, facts, doer) is None)


@_guard
def not_urgent(facts: Facts, doer: Doer) -> str | None:
    return "这是紧急类问题,不能只当场提醒,请上报派单" if facts.urgent else None


@_guard
def admitted(facts: Facts, doer: Doer) -> str | None:
    return facts.forbidden_clause


@_guard
def barred_here(facts: Facts, doer: Doer) -> str | None:
    return None if facts.own_clause else "负面清单没有禁止本单位承办这类事项,如认为不属于本单位请提出派单异议"


@_guard
def unopened(facts: Facts, doer: Doer) -> str | None:
    return "已经查阅过" if facts.opened else None


@_guard
def unsigned(facts: Facts, doer: Doer) -> str | None:
    return "已经签收" if facts.signed else None


@_guard
def has_reporter(facts: Facts, doer: Doer) -> str | None:
    return None if facts.can_contact else "本件没有可联系的诉求人,不需要联系记录"


@_guard
def contacted(facts: Facts, doer: Doer) -> str | None:
    if facts.asks_contact and not facts.contacted:
        return "还没有联系诉求人的记录,请先登记一次联系(联系不上也要登记)"
    return None


@_guard
def returnable(facts: Facts, doer: Doer) -> str | None:
    return "本件已指定承办,不得再退;仍可申请会商或提级" if facts.no_return else None


@_guard
def first_objection(facts: Facts, doer: Doer) -> str | None:
    return "本件已有过派单异议,再次异议转会商裁定" if facts.objections else None


@_guard
def repeated_objection(facts: Facts, doer: Doer) -> str | None:
    return None if facts.objections else "本件还没有过派单异议,请用“派单异议”"


@_guard
def within_objection_period(facts: Facts, doer: Doer) -> str | None:
    if facts.objection_until is not None and facts.now > facts.objection_until:
        return "异议期已过(自派出起算),请办理;确有困难可申请会商或提级"
    return None


@_guard
def before_contact(facts: Facts, doer: Doer) -> str | None:
    return "已经联系过诉求人,不能再提派单异议;可申请会商或提级" if facts.contacted else None


@_guard
def independent(facts: Facts, doer: Doer) -> str | None:
    if doer.person in facts.handlers:
        return "办理过本件的人不能核查本件(巡办分离)"
    if doer.organisations & facts.handling_organisations:
        return "承办单位及其下属的人员不能核查本件(巡办分离)"
    return None


@_guard
def needs_no_verification(facts: Facts, doer: Doer) -> str | None:
    return None if facts.verify_mode == "none" else "本类别需要核查"


@_guard
def nobody_to_ask(facts: Facts, doer: Doer) -> str | None:
    if facts.from_upper:
        return "上级平台派来的工单由上级回访,等其结果"
    return "本件有诉求人,须回访" if facts.can_ask else None


@_guard
def not_answerer(facts: Facts, doer: Doer) -> str | None:
    return "办理或答复过本件的人不能回访、复核本件,请由他人进行" if doer.person in facts.handlers else None


@_guard
def attempts_exhausted(facts: Facts, doer: Doer) -> str | None:
    return None if facts.callback_attempts >= CALLBACK_ATTEMPTS else f"未接通不足 {CALLBACK_ATTEMPTS} 次"


@_guard
def attempts_left(facts: Facts, doer: Doer) -> str | None:
    if doer.system or facts.callback_attempts < CALLBACK_ATTEMPTS:
        return None
    return f"已回访 {CALLBACK_ATTEMPTS} 次未接通,到时限自动结案(不计满意)"


@_guard
def not_quiet(facts: Facts, doer: Doer) -> str | None:
    if doer.system or doer.linked or facts.quiet_until is None:
        return None
    return f"现在是休息时间,请在 {facts.quiet_until:%H:%M} 之后再打电话"


@_guard
def urgent_from_public(facts: Facts, doer: Doer) -> str | None:
    return None if facts.urgent and facts.from_public else "只有公众反映的紧急件才先派后核"


@_guard
def not_yet_beside(facts: Facts, doer: Doer) -> str | None:
    return "已经核实过" if facts.checked_beside else None


@_guard
def without_site(facts: Facts, doer: Doer) -> str | None:
    return "本类别有现场,须派单办理,不能即时答复了结" if facts.verify_mode == "field" else None


@_guard
def second_person(facts: Facts, doer: Doer) -> str | None:
    return "须由提请人以外的第二人审核" if doer.person == facts.proposer else None


@_guard
def may_ask_more(facts: Facts, doer: Doer) -> str | None:
    if facts.supplements >= MOST_SUPPLEMENTS:
        return f"本件已要求补充 {MOST_SUPPLEMENTS} 次,不能再要求,请按已有情况办理"
    return None


@_guard
def with_unit(facts: Facts, doer: Doer) -> str | None:
    return None if facts.has_unit else "本件还没有承办单位"


@_guard
def without_unit(facts: Facts, doer: Doer) -> str | None:
    return "本件已有承办单位" if facts.has_unit else None


@_guard
def no_merged_children(facts: Facts, doer: Doer) -> str | None:
    return "已有别的工单并入本件,请把那一件并到这里,或先撤销并单" if facts.merged_open else None


@_guard
def cannot_return(facts: Facts, doer: Doer) -> str | None:
    over = facts.objection_until is not None and facts.now > facts.objection_until
    if facts.no_return or facts.contacted or over:
        return None
    return "现在还可以提派单异议,请用“派单异议”"


@_guard
def has_next_step(facts: Facts, doer: Doer) -> str | None:
    return None if facts.steps_left else "本类别没有分阶段时限,或已是最后阶段,请用“办理反馈”"


@_guard
def enforcement_matter(facts: Facts, doer: Doer) -> str | None:
    return None if facts.enforcement else "只有执法类事项才能以“已移送执法程序”阶段性办结"


@_guard
def assistants_done(facts: Facts, doer: Doer) -> str | None:
    if not facts.waiting_assistants:
        return None
    return f"还有协办单位没有反馈:{'、'.join(facts.waiting_assistants)};等其反馈,或写明理由免除"


@_guard
def answers_itself(facts: Facts, doer: Doer) -> str | None:
    return "本单位的公开答复须分管领导审核,请送审" if facts.approves_answers else None


@_guard
def answer_is_approved(facts: Facts, doer: Doer) -> str | None:
    return None if facts.approves_answers else "本单位没有设置答复审核,请直接反馈"


@_guard
def first_extension(facts: Facts, doer: Doer) -> str | None:
    return f"本件已延期 {MOST_EXTENSIONS} 次,不能再延" if facts.extensions >= MOST_EXTENSIONS else None


@_guard
def before_due(facts: Facts, doer: Doer) -> str | None:
    if facts.handle_due_at is not None and facts.now >= facts.handle_due_at:
        return "已经到期,不能再申请延期(须在到期前申请)"
    return None


@_guard
def plan_ahead(facts: Facts, doer: Doer) -> str | None:
    if facts.plan_until is None or facts.plan_until <= facts.now:
        return "申请的计划完成日已过,请退回重新申请"
    return None


@_guard
def plan_reached(facts: Facts, doer: Doer) -> str | None:
    return None if facts.plan_until is not None and facts.now >= facts.plan_until else "还没有到计划完成日"


@_guard
def asked_to_help(facts: Facts, doer: Doer) -> str | None:
    if facts.waiting_units & doer.under:
        return None
    return "本单位没有被请来协办本件,或已经反馈"


@_guard
def somebody_to_report(facts: Facts, doer: Doer) -> str | None:
    return None if facts.waiting_units else "没有协办单位还欠反馈,不用免除"


@_guard
def whistled_by_own(facts: Facts, doer: Doer) -> str | None:
    return None if facts.whistled_by in doer.under else "只有吹哨的街道(乡镇)能评价报到单位"


@_guard
def third_rework(facts: Facts, doer: Doer) -> str | None:
    return None if facts.reworks >= REWORKS_TO_FORCE else f"返工不足 {REWORKS_TO_FORCE} 次"


@_guard
def from_upper(facts: Facts, doer: Doer) -> str | None:
    return None if facts.from_upper else "只有上级平台派来的工单由上级回访、本级录入结果"


@_guard
def progress_asked(facts: Facts, doer: Doer) -> str | None:
    return None if facts.asks_progress else "承办时限还没有期满,或已经问过进度"


@_guard
def within_reopen_period(facts: Facts, doer: Doer) -> str | None:
    if facts.reopen_until is None or facts.now <= facts.reopen_until:
        return None
    return "结案已超过可以重新办理的期限,请作为新的诉求登记"


@_guard
def reopen_period_over(facts: Facts, doer: Doer) -> str | None:
    return (
        None
        if facts.reopen_until is not None and facts.now >= facts.reopen_until
        else "还在可重新办理的期限内"
    )


@_guard
def no_exclusion_yet(facts: Facts, doer: Doer) -> str | None:
    return "本件已申请过剔除" if facts.exclusion else None


@_guard
def exclusion_asked(facts: Facts, doer: Doer) -> str | None:
    return None if facts.exclusion == "asked" else "本件没有待裁定的剔除申请"


@_guard
def outside_the_assessed(facts: Facts, doer: Doer) -> str | None:
    if doer.organisations & facts.handling_organisations:
        return "剔除须由被考评单位以外的人裁定"
    return None


@_guard
def not_own_report(facts: Facts, doer: Doer) -> str | None:
    if facts.crossed and doer.person == facts.reporter:
        return "本件抽中交叉核查,上报人不能核查自己上报的"
    return None


@_guard
def no_conduct_yet(facts: Facts, doer: Doer) -> str | None:
    if facts.conduct in ("asked", "held", "appealed", "kept"):
        return "本件的恶意认定正在进行或已经作出,不能重复提请"
    return None


@_guard
def conduct_proposed(facts: Facts, doer: Doer) -> str | None:
    return None if facts.conduct == "asked" else "本件没有待审批的恶意认定"


@_guard
def conduct_held(facts: Facts, doer: Doer) -> str | None:
    return None if facts.conduct == "held" else "本件没有可以申诉的恶意认定"


@_guard
def conduct_appealed(facts: Facts, doer: Doer) -> str | None:
    return None if facts.conduct == "appealed" else "本件没有待处理的申诉"


@_guard
def another_judge(facts: Facts, doer: Doer) -> str | None:
    return "须由没有参加过前面认定的人决定" if doer.person in facts.conduct_judges else None


@_guard
def conduct_run_out(facts: Facts, doer: Doer) -> str | None:
    over = facts.conduct_until is not None and facts.now >= facts.conduct_until
    return None if over and facts.conduct in ("held", "appealed", "kept") else "认定还没有到期"


@_guard
def not_yet_clarified(facts: Facts, doer: Doer) -> str | None:
    return "本件已经澄清更正" if facts.clarified else None
