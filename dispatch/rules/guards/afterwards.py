"""What may follow the end: opening again, leaving out of figures, malicious matters, clearing a name."""

from dispatch.rules.guards.table import guard
from dispatch.rules.workflow import Doer, Facts


@guard
def within_reopen_period(facts: Facts, doer: Doer) -> str | None:
    if facts.reopen_until is None or facts.now <= facts.reopen_until:
        return None
    return "结案已超过可以重新办理的期限,请作为新的诉求登记"


@guard
def reopen_period_over(facts: Facts, doer: Doer) -> str | None:
    return (
        None
        if facts.reopen_until is not None and facts.now >= facts.reopen_until
        else "还在可重新办理的期限内"
    )


@guard
def no_exclusion_yet(facts: Facts, doer: Doer) -> str | None:
    return "本件已申请过剔除" if facts.exclusion else None


@guard
def exclusion_asked(facts: Facts, doer: Doer) -> str | None:
    return None if facts.exclusion == "asked" else "本件没有待裁定的剔除申请"


@guard
def no_conduct_yet(facts: Facts, doer: Doer) -> str | None:
    if facts.conduct in ("asked", "held", "appealed", "kept"):
        return "本件的恶意认定正在进行或已经作出,不能重复提请"
    return None


@guard
def conduct_proposed(facts: Facts, doer: Doer) -> str | None:
    return None if facts.conduct == "asked" else "本件没有待审批的恶意认定"


@guard
def conduct_held(facts: Facts, doer: Doer) -> str | None:
    return None if facts.conduct == "held" else "本件没有可以申诉的恶意认定"


@guard
def conduct_appealed(facts: Facts, doer: Doer) -> str | None:
    return None if facts.conduct == "appealed" else "本件没有待处理的申诉"


@guard
def conduct_run_out(facts: Facts, doer: Doer) -> str | None:
    over = facts.conduct_until is not None and facts.now >= facts.conduct_until
    return None if over and facts.conduct in ("held", "appealed", "kept") else "认定还没有到期"


@guard
def not_yet_clarified(facts: Facts, doer: Doer) -> str | None:
    return "本件已经澄清更正" if facts.clarified else None


@guard
def correction_drawn(facts: Facts, doer: Doer) -> str | None:
    return None if facts.correction_drawn else "本件没有抽中待审的更正"
