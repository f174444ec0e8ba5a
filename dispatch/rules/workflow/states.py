"""Every state: its label, what the public reads, whether it is open, which limit runs in it and what the system
does when that limit runs out."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    SUBMITTED = "submitted"
    VERIFYING_PRE = "verifying_pre"
    NEED_INFO = "need_info"
    REJECT_PENDING = "reject_pending"
    REFER_PENDING = "refer_pending"
    FILED = "filed"
    DISPATCHED = "dispatched"
    OBJECTED = "objected"
    CONSULTING = "consulting"
    MAKING_SAFE = "making_safe"
    OWNER_PENDING = "owner_pending"
    IN_PROGRESS = "in_progress"
    EXT_PENDING = "ext_pending"
    SUSPEND_PENDING = "suspend_pending"
    SUSPENDED = "suspended"
    RAISE_PENDING = "raise_pending"
    TERMINATE_PENDING = "terminate_pending"
    ANSWER_PENDING = "answer_pending"
    HANDLED = "handled"
    VERIFIED = "verified"
    CALLBACK = "callback"
    REVIEWING = "reviewing"
    REWORK = "rework"
    CLOSED = "closed"
    ARCHIVED = "archived"
    REMINDED = "reminded"
    SELF_HANDLED = "self_handled"
    INSTANT = "instant"
    REJECTED = "rejected"
    REFERRED = "referred"
    MERGED = "merged"
    TERMINATED = "terminated"
    WITHDRAWN = "withdrawn"
    LEAD_REGISTERED = "lead_registered"
    LEAD_SCREENING = "lead_screening"
    LEAD_ASSIGNED = "lead_assigned"
    LEAD_RECTIFYING = "lead_rectifying"
    LEAD_CHECKING = "lead_checking"
    LEAD_PUBLISHING = "lead_publishing"
    LEAD_PUBLISHED = "lead_published"
    LEAD_DISMISSED = "lead_dismissed"


TICKET, LEAD = "ticket", "lead"


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state. `at_end` are the actions that the system tries, in order, when the stage's limit runs out."""

    state: State
    label: str
    public_label: str
    open: bool
    stage: str | None = None
    at_end: tuple[str, ...] = ()
    workflow: str = TICKET


_DECIDING, _WORKING, _ASKING = "正在确定承办单位", "承办单位正在办理", "已办理,等待您评价"

STATES: dict[State, StateRow] = {
    row.state: row
    for row in (
        StateRow(State.SUBMITTED, "待受理", "已收到,正在受理", True, "accept"),
        StateRow(State.VERIFYING_PRE, "待核实", "正在现场核实", True, "preverify"),
        StateRow(
            State.NEED_INFO,
            "待补充",
            "等待您补充情况",
            True,
            "supplement",
            ("supplement_over", "supplement_over_intake"),
        ),
        StateRow(State.REJECT_PENDING, "不予受理待审", "已收到,正在受理", True, "second_look"),
        StateRow(State.REFER_PENDING, "转送待回执", "正在转送有关单位", True, "receipt"),
        StateRow(State.FILED, "待派遣", _DECIDING, True, "dispatch"),
        StateRow(State.DISPATCHED, "待查阅", "已转承办单位", True, "open", ("auto_sign",)),
        StateRow(State.OBJECTED, "派单异议待审", _DECIDING, True, "ruling"),
        StateRow(State.CONSULTING, "会商裁定", _DECIDING, True, "consult"),
        StateRow(State.MAKING_SAFE, "围挡处置中", "正在现场围挡", True, "make_safe"),
        StateRow(State.OWNER_PENDING, "待确权", _DECIDING, True, "settle_owner"),
        StateRow(State.IN_PROGRESS, "办理中", _WORKING, True, "contact"),
        StateRow(State.EXT_PENDING, "延期待批", _WORKING, True, "extension"),
        StateRow(State.SUSPEND_PENDING, "挂账待批", _WORKING, True, "suspension"),
        StateRow(State.SUSPENDED, "挂账", "已列入计划办理", True, None),
        StateRow(State.RAISE_PENDING, "提级待批", _WORKING, True, "ruling"),
        StateRow(State.TERMINATE_PENDING, "终止待审", _WORKING, True, "ruling"),
        StateRow(State.ANSWER_PENDING, "答复待审", _WORKING, True, "leader_approval"),
        StateRow(State.HANDLED, "待核查", "已办理,正在核查", True, "verify"),
        StateRow(
            State.VERIFIED, "待回访", _ASKING, True, "callback", ("close_unanswered", "attempt_callback")
        ),
        StateRow(
            State.CALLBACK, "回访中", _ASKING, True, "callback", ("close_unanswered", "attempt_callback")
        ),
        StateRow(State.REVIEWING, "不满意待复核", "您的意见正在复核", True, "review"),
        StateRow(State.REWORK, "返工", "正在再次办理", True, "rework"),
        StateRow(State.CLOSED, "结案", "已办结", False),
        StateRow(State.ARCHIVED, "归档", "已办结", False),
        StateRow(State.REMINDED, "当场提醒", "已当场提醒", False),
        StateRow(State.SELF_HANDLED, "自行处置", "已当场处置", False),
        StateRow(State.INSTANT, "即时答复", "已答复", False),
        StateRow(State.REJECTED, "不予受理", "不予受理", False),
        StateRow(State.REFERRED, "已转送", "已转有关单位", False),
        StateRow(State.MERGED, "已并单", "已与同一事项合并办理", False),
        StateRow(State.TERMINATED, "终止办理", "终止办理", False),
        StateRow(State.WITHDRAWN, "已撤诉", "您已撤回", False),
        StateRow(State.LEAD_REGISTERED, "受理登记", "已收到", True, "lead_register", workflow=LEAD),
        StateRow(State.LEAD_SCREENING, "线索研判", "正在研判", True, "lead_screen", workflow=LEAD),
        StateRow(State.LEAD_ASSIGNED, "已交办", "已交办", True, "lead_assign", workflow=LEAD),
        StateRow(State.LEAD_RECTIFYING, "整改中", "正在整改", True, None, workflow=LEAD),
        StateRow(State.LEAD_CHECKING, "待现场核查", "正在核查", True, "lead_check", workflow=LEAD),
        StateRow(State.LEAD_PUBLISHING, "待通报", "已整改", True, "lead_publish", workflow=LEAD),
        StateRow(State.LEAD_PUBLISHED, "已通报", "已通报", False, workflow=LEAD),
        StateRow(State.LEAD_DISMISSED, "线索不予办理", "不予办理", False, workflow=LEAD),
    )
}

# The open states of tickets; leads are another workflow, seen and counted by its own roles only.
OPEN_STATES = frozenset(state for state, row in STATES.items() if row.open and row.workflow == TICKET)


def labels(states: Iterable[State]) -> str:
    return "、".join(STATES[state].label for state in sorted(states, key=list(STATES).index))
