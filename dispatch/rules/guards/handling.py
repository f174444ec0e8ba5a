"""Is it ready for this step: filing, handling, assistants, extensions, plans."""

from dispatch.rules.guards.table import guard
from dispatch.rules.workflow import Doer, Facts

MOST_EXTENSIONS = 1
REWORKS_TO_FORCE = 3


@guard
def not_urgent(facts: Facts, doer: Doer) -> str | None:
    return "这是紧急类问题,不能只当场提醒,请上报派单" if facts.urgent else None


@guard
def needs_no_verification(facts: Facts, doer: Doer) -> str | None:
    return None if facts.verify_mode == "none" else "本类别需要核查"


@guard
def urgent_from_public(facts: Facts, doer: Doer) -> str | None:
    return None if facts.urgent and facts.from_public else "只有公众反映的紧急件才先派后核"


@guard
def not_yet_beside(facts: Facts, doer: Doer) -> str | None:
    return "已经核实过" if facts.checked_beside else None


@guard
def without_site(facts: Facts, doer: Doer) -> str | None:
    return "本类别有现场,须派单办理,不能即时答复了结" if facts.verify_mode == "field" else None


@guard
def with_unit(facts: Facts, doer: Doer) -> str | None:
    return None if facts.has_unit else "本件还没有承办单位"


@guard
def without_unit(facts: Facts, doer: Doer) -> str | None:
    return "本件已有承办单位" if facts.has_unit else None


@guard
def no_merged_children(facts: Facts, doer: Doer) -> str | None:
    return "已有别的工单并入本件,请把那一件并到这里,或先撤销并单" if facts.merged_open else None


@guard
def has_next_step(facts: Facts, doer: Doer) -> str | None:
    return None if facts.steps_left else "本类别没有分阶段时限,或已是最后阶段,请用“办理反馈”"


@guard
def enforcement_matter(facts: Facts, doer: Doer) -> str | None:
    return None if facts.enforcement else "只有执法类事项才能以“已移送执法程序”阶段性办结"


@guard
def assistants_done(facts: Facts, doer: Doer) -> str | None:
    if not facts.waiting_assistants:
        return None
    return f"还有协办单位没有反馈:{'、'.join(facts.waiting_assistants)};等其反馈,或写明理由免除"


@guard
def answers_itself(facts: Facts, doer: Doer) -> str | None:
    return "本单位的公开答复须分管领导审核,请送审" if facts.approves_answers else None


@guard
def answer_is_approved(facts: Facts, doer: Doer) -> str | None:
    return None if facts.approves_answers else "本单位没有设置答复审核,请直接反馈"


@guard
def first_extension(facts: Facts, doer: Doer) -> str | None:
    return f"本件已延期 {MOST_EXTENSIONS} 次,不能再延" if facts.extensions >= MOST_EXTENSIONS else None


@guard
def before_due(facts: Facts, doer: Doer) -> str | None:
    if facts.handle_due_at is not None and facts.now >= facts.handle_due_at:
        return "已经到期,不能再申请延期(须在到期前申请)"
    return None


@guard
def plan_ahead(facts: Facts, doer: Doer) -> str | None:
    if facts.plan_until is None or facts.plan_until <= facts.now:
        return "申请的计划完成日已过,请退回重新申请"
    return None


@guard
def plan_reached(facts: Facts, doer: Doer) -> str | None:
    return None if facts.plan_until is not None and facts.now >= facts.plan_until else "还没有到计划完成日"


@guard
def asked_to_help(facts: Facts, doer: Doer) -> str | None:
    if facts.waiting_units & doer.under:
        return None
    return "本单位没有被请来协办本件,或已经反馈"


@guard
def somebody_to_report(facts: Facts, doer: Doer) -> str | None:
    return None if facts.waiting_units else "没有协办单位还欠反馈,不用免除"


@guard
def whistled_by_own(facts: Facts, doer: Doer) -> str | None:
    return None if facts.whistled_by in doer.under else "只有吹哨的街道(乡镇)能评价报到单位"


@guard
def third_rework(facts: Facts, doer: Doer) -> str | None:
    return None if facts.reworks >= REWORKS_TO_FORCE else f"返工不足 {REWORKS_TO_FORCE} 次"
