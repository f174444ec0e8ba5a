"""May somebody be asked now: reporters and their answers, calls back, what is to be supplied."""

from dispatch.rules.guards.table import guard
from dispatch.rules.workflow import Doer, Facts

CALLBACK_ATTEMPTS = 3
MOST_SUPPLEMENTS = 2


@guard
def has_reporter(facts: Facts, doer: Doer) -> str | None:
    return None if facts.can_contact else "本件没有可联系的诉求人,不需要联系记录"


@guard
def contacted(facts: Facts, doer: Doer) -> str | None:
    if facts.asks_contact and not facts.contacted:
        return "还没有联系诉求人的记录,请先登记一次联系(联系不上也要登记)"
    return None


@guard
def nobody_to_ask(facts: Facts, doer: Doer) -> str | None:
    if facts.from_upper:
        return "上级平台派来的工单由上级回访,等其结果"
    return "本件有诉求人,须回访" if facts.can_ask else None


@guard
def attempts_exhausted(facts: Facts, doer: Doer) -> str | None:
    return None if facts.callback_attempts >= CALLBACK_ATTEMPTS else f"未接通不足 {CALLBACK_ATTEMPTS} 次"


@guard
def attempts_left(facts: Facts, doer: Doer) -> str | None:
    if doer.system or facts.callback_attempts < CALLBACK_ATTEMPTS:
        return None
    return f"已回访 {CALLBACK_ATTEMPTS} 次未接通,到时限自动结案(不计满意)"


@guard
def not_quiet(facts: Facts, doer: Doer) -> str | None:
    if doer.system or doer.linked or facts.quiet_until is None:
        return None
    return f"现在是休息时间,请在 {facts.quiet_until:%H:%M} 之后再打电话"


@guard
def may_ask_more(facts: Facts, doer: Doer) -> str | None:
    if facts.supplements >= MOST_SUPPLEMENTS:
        return f"本件已要求补充 {MOST_SUPPLEMENTS} 次,不能再要求,请按已有情况办理"
    return None


@guard
def from_upper(facts: Facts, doer: Doer) -> str | None:
    return None if facts.from_upper else "只有上级平台派来的工单由上级回访、本级录入结果"


@guard
def progress_asked(facts: Facts, doer: Doer) -> str | None:
    return None if facts.asks_progress else "承办时限还没有期满,或已经问过进度"
