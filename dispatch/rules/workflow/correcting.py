"""Rows that put right what kind of matter it is (改类别、改性质), and look again at those that moved a limit."""

from dispatch.rules.workflow.choices import NATURES, chosen, said
from dispatch.rules.workflow.shapes import Given, GivenKind, Need, Transition
from dispatch.rules.workflow.states import STATES, TICKET, State

CORRECTIONS = (("proper", "更正妥当"), ("improper", "更正不当"))
_ANY = frozenset(row.state for row in STATES.values() if row.workflow == TICKET)

CORRECTING: tuple[Transition, ...] = (
    Transition(
        "reclassify",
        "更正类别、性质",
        frozenset({State.SUBMITTED, State.FILED, State.OBJECTED, State.CONSULTING}),
        None,
        "ticket:accept",
        given=(
            Given("category", "正确的类别", GivenKind.CATEGORY),
            Given("nature", "正确的性质", GivenKind.CHOICE, Need.NEVER, choices=NATURES),
            said("reason", "更正的依据"),
        ),
    ),
    Transition(
        "audit_correction",
        "抽审更正",
        _ANY,
        None,
        "ticket:judge",
        given=(chosen("finding", "抽审结论", CORRECTIONS), said("note", "说明", must=False)),
        guards=("correction_drawn",),
    ),
)
