"""The named conditions that transitions ask for, each a pure question with one sentence for 'no'."""

from collections.abc import Callable

from dispatch.rules.workflow import BY_ACTION, STATES, Doer, Facts, Refusal, Transition, actions_from, labels

CALLBACK_ATTEMPTS = 3

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
            other.label for other in actions_from(facts.state) if other.may != "ticket:carry"
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
    return "本件有诉求人,须回访" if facts.can_ask else None


@_guard
def not_answerer(facts: Facts, doer: Doer) -> str | None:
    return "办理或答复过本件的人不能回访、复核本件,请由他人进行" if doer.person in facts.handlers else None


@_guard
def attempts_exhausted(facts: Facts, doer: Doer) -> str | None:
    return None if facts.callback_attempts >= CALLBACK_ATTEMPTS else f"未接通不足 {CALLBACK_ATTEMPTS} 次"
