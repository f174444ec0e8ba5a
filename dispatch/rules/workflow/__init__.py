"""The ticket's workflow as rows: states, transitions, who may, what must be given, what the clocks do.

Buttons, validation, API, documents and tests read these rows; nobody repeats one. `docs/workflow.md` is generated
from them. Sources: the field manual's rulings (§00) and state table (§3). May import nothing of ours.

`states` and `shapes` say what a row is, `choices` what people choose from; the rows follow the life of a matter:
`intake`, `correcting`, `assigning`, `handling`, `joint`, `asking`, `conduct`; `leads` is the second workflow.
"""

from dispatch.rules.workflow import asking, assigning, conduct, correcting, handling, intake, joint, leads
from dispatch.rules.workflow.choices import (
    CONTACT_OUTCOMES,
    NATURES,
    OBJECTION_REASONS,
    SATISFACTION,
    SOLVED,
    SYSTEM,
)
from dispatch.rules.workflow.intake import SUBMIT
from dispatch.rules.workflow.shapes import (
    ClockKind,
    ClockStep,
    Doer,
    Facts,
    Given,
    GivenKind,
    Need,
    Refusal,
    Transition,
    Values,
)
from dispatch.rules.workflow.states import LEAD, OPEN_STATES, STATES, TICKET, State, StateRow, labels

__all__ = [
    "BY_ACTION",
    "CHAPTERS",
    "CONTACT_OUTCOMES",
    "LEAD",
    "MARKS",
    "NATURES",
    "OBJECTION_REASONS",
    "OPEN_STATES",
    "SATISFACTION",
    "SOLVED",
    "STATES",
    "SUBMIT",
    "SYSTEM",
    "TICKET",
    "TRANSITIONS",
    "ClockKind",
    "ClockStep",
    "Doer",
    "Facts",
    "Given",
    "GivenKind",
    "Need",
    "Refusal",
    "State",
    "StateRow",
    "Transition",
    "Values",
    "actions_from",
    "labels",
]

CHAPTERS: tuple[tuple[str, tuple[Transition, ...]], ...] = (
    ("受理与核实", intake.REPORTING),
    ("不予受理、转送", intake.REFUSING),
    ("补充情况", intake.ASKING_FOR_MORE),
    ("并单、拆单、关联", intake.SORTING),
    ("更正类别、性质", correcting.CORRECTING),
    ("派遣、异议、会商、提级", assigning.ASSIGNING),
    ("办理", handling.HANDLING),
    ("延期、挂账、终止", handling.APPLYING),
    ("催办", handling.URGING),
    ("联合办理(吹哨报到)", joint.JOINT),
    ("核查与返工", asking.VERIFYING),
    ("回访与复核", asking.CALLING_BACK),
    ("重办、抽查、归档、剔除", asking.ENDING),
    ("恶意诉求与澄清正名", conduct.CONDUCT),
    ("第二套流程:码上督", leads.LEADS),
)

# What the clocks and the calendar write into a history by themselves.
MARKS = {"overdue": "超时", "escalated": "督办升级", "calendar_changed": "因放假通知重算时限"}

TRANSITIONS: tuple[Transition, ...] = tuple(row for _, rows in CHAPTERS for row in rows)

BY_ACTION: dict[str, Transition] = {row.action: row for row in TRANSITIONS}

_FROM: dict[State, tuple[Transition, ...]] = {
    state: tuple(row for row in TRANSITIONS if state in row.sources) for state in State
}


def actions_from(state: State) -> tuple[Transition, ...]:
    """The rows that may leave a state, before asking who."""
    return _FROM[state]
