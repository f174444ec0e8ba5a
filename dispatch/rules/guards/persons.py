"""Who may not do it: whoever handled, answered, proposed or reported the matter himself."""

from dispatch.rules.guards.table import guard
from dispatch.rules.workflow import Doer, Facts


@guard
def independent(facts: Facts, doer: Doer) -> str | None:
    if doer.person in facts.handlers:
        return "办理过本件的人不能核查本件(巡办分离)"
    if doer.organisations & facts.handling_organisations:
        return "承办单位及其下属的人员不能核查本件(巡办分离)"
    return None


@guard
def not_answerer(facts: Facts, doer: Doer) -> str | None:
    return "办理或答复过本件的人不能回访、复核本件,请由他人进行" if doer.person in facts.handlers else None


@guard
def second_person(facts: Facts, doer: Doer) -> str | None:
    return "须由提请人以外的第二人审核" if doer.person == facts.proposer else None


@guard
def outside_the_assessed(facts: Facts, doer: Doer) -> str | None:
    if doer.organisations & facts.handling_organisations:
        return "剔除须由被考评单位以外的人裁定"
    return None


@guard
def not_own_report(facts: Facts, doer: Doer) -> str | None:
    if facts.crossed and doer.person == facts.reporter:
        return "本件抽中交叉核查,上报人不能核查自己上报的"
    return None


@guard
def another_judge(facts: Facts, doer: Doer) -> str | None:
    return "须由没有参加过前面认定的人决定" if doer.person in facts.conduct_judges else None
