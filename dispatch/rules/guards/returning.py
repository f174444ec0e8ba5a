"""May it be given back: by objection within its period, or by what the negative list bars."""

from dispatch.rules.guards.table import guard
from dispatch.rules.workflow import Doer, Facts


@guard
def admitted(facts: Facts, doer: Doer) -> str | None:
    return facts.forbidden_clause


@guard
def barred_here(facts: Facts, doer: Doer) -> str | None:
    return None if facts.own_clause else "负面清单没有禁止本单位承办这类事项,如认为不属于本单位请提出派单异议"


@guard
def unopened(facts: Facts, doer: Doer) -> str | None:
    return "已经查阅过" if facts.opened else None


@guard
def unsigned(facts: Facts, doer: Doer) -> str | None:
    return "已经签收" if facts.signed else None


@guard
def returnable(facts: Facts, doer: Doer) -> str | None:
    return "本件已指定承办,不得再退;仍可申请会商或提级" if facts.no_return else None


@guard
def first_objection(facts: Facts, doer: Doer) -> str | None:
    return "本件已有过派单异议,再次异议转会商裁定" if facts.objections else None


@guard
def repeated_objection(facts: Facts, doer: Doer) -> str | None:
    return None if facts.objections else "本件还没有过派单异议,请用“派单异议”"


@guard
def within_objection_period(facts: Facts, doer: Doer) -> str | None:
    if facts.objection_until is not None and facts.now > facts.objection_until:
        return "异议期已过(自派出起算),请办理;确有困难可申请会商或提级"
    return None


@guard
def before_contact(facts: Facts, doer: Doer) -> str | None:
    return "已经联系过诉求人,不能再提派单异议;可申请会商或提级" if facts.contacted else None


@guard
def cannot_return(facts: Facts, doer: Doer) -> str | None:
    over = facts.objection_until is not None and facts.now > facts.objection_until
    if facts.no_return or facts.contacted or over:
        return None
    return "现在还可以提派单异议,请用“派单异议”"
