"""Rows that judge a report itself: malicious (恶意诉求) by two persons, for a time, with appeal; untrue, put right.

Neither closes the door: a new fact of safety is always accepted, and a unit is cleared where everybody can read it.
"""

from dispatch.rules.workflow.asking import DISPATCHED_ONCE
from dispatch.rules.workflow.choices import SYSTEM, said
from dispatch.rules.workflow.shapes import Given, GivenKind, Transition
from dispatch.rules.workflow.states import STATES, TICKET, State

_ANY = frozenset(row.state for row in STATES.values() if row.workflow == TICKET)
_WHY = said("reason", "认定意见")

CONDUCT: tuple[Transition, ...] = (
    Transition(
        "propose_malicious",
        "提请认定恶意诉求(须第二人审批)",
        _ANY,
        None,
        "ticket:accept",
        given=(said("reason", "事实和依据"),),
        guards=("no_conduct_yet",),
        happening="malicious_proposed",
    ),
    Transition(
        "confirm_malicious",
        "审批认定恶意诉求(有期限,可申诉)",
        _ANY,
        None,
        "ticket:judge",
        given=(Given("until", "认定有效至", GivenKind.INSTANT, check="within_half_a_year"), _WHY),
        guards=("conduct_proposed", "another_judge"),
        happening="malicious_held",
    ),
    Transition(
        "refuse_malicious",
        "不认定恶意诉求",
        _ANY,
        None,
        "ticket:judge",
        given=(_WHY,),
        guards=("conduct_proposed", "another_judge"),
    ),
    Transition(
        "appeal_malicious",
        "对恶意认定申诉",
        _ANY,
        None,
        "ticket:supplement",
        given=(said("words", "申诉理由"),),
        guards=("conduct_held",),
        happening="malicious_appealed",
    ),
    Transition(
        "keep_malicious",
        "申诉不成立,维持认定",
        _ANY,
        None,
        "ticket:judge",
        given=(_WHY,),
        guards=("conduct_appealed", "another_judge"),
    ),
    Transition(
        "lift_malicious",
        "申诉成立,撤销认定",
        _ANY,
        None,
        "ticket:judge",
        given=(_WHY,),
        guards=("conduct_appealed", "another_judge"),
        happening="malicious_lifted",
    ),
    Transition(
        "malicious_over",
        "恶意认定到期",
        _ANY,
        None,
        SYSTEM,
        guards=("conduct_run_out",),
    ),
    Transition(
        "clarify",
        "认定不实,更正记录(澄清正名)",
        DISPATCHED_ONCE | {State.ARCHIVED, State.TERMINATED, State.WITHDRAWN},
        None,
        "ticket:judge",
        given=(said("reason", "查明的事实(公开)", public=True),),
        guards=("not_yet_clarified", "outside_the_assessed"),
        happening="clarified",
    ),
)
