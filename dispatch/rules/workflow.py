"""The ticket's workflow as rows: states, transitions, who may, what must be given, what the clocks do.

Buttons, validation, API, documents and tests read these rows; nobody repeats one. `docs/workflow.md` is
generated from them. Sources: the field manual's rulings (§00) and state table (§3).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    SUBMITTED = "submitted"
    VERIFYING_PRE = "verifying_pre"
    NEED_INFO = "need_info"
    FILED = "filed"
    DISPATCHED = "dispatched"
    OBJECTED = "objected"
    CONSULTING = "consulting"
    IN_PROGRESS = "in_progress"
    EXT_PENDING = "ext_pending"
    SUSPENDED = "suspended"
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


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state: what staff and the public read, whether it is open, and which stage limit runs in it."""

    state: State
    label: str
    public_label: str
    open: bool
    stage: str | None = None


STATES: dict[State, StateRow] = {
    row.state: row
    for row in (
        StateRow(State.SUBMITTED, "待受理", "已收到,正在受理", True, "accept"),
        StateRow(State.VERIFYING_PRE, "待核实", "正在现场核实", True, "preverify"),
        StateRow(State.NEED_INFO, "待补充", "等待您补充情况", True, "supplement"),
        StateRow(State.FILED, "待派遣", "正在确定承办单位", True, "dispatch"),
        StateRow(State.DISPATCHED, "待查阅", "已转承办单位", True, "open"),
        StateRow(State.OBJECTED, "派单异议待审", "正在确定承办单位", True, "ruling"),
        StateRow(State.CONSULTING, "会商裁定", "正在确定承办单位", True, "consult"),
        StateRow(State.IN_PROGRESS, "办理中", "承办单位正在办理", True, "contact"),
        StateRow(State.EXT_PENDING, "延期待批", "承办单位正在办理", True, "extension"),
        StateRow(State.SUSPENDED, "挂账", "已列入计划办理", True, None),
        StateRow(State.HANDLED, "待核查", "已办理,正在核查", True, "verify"),
        StateRow(State.VERIFIED, "待回访", "已办理,等待您评价", True, "callback"),
        StateRow(State.CALLBACK, "回访中", "已办理,等待您评价", True, "callback"),
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
    )
}

OPEN_STATES = frozenset(state for state, row in STATES.items() if row.open)


class GivenKind(StrEnum):
    """What a field of an action holds; `statement` is free text kept apart from the chained events."""

    STATEMENT = "statement"
    CHOICE = "choice"
    PHOTOS = "photos"
    ORGANISATION = "organisation"
    AREA = "area"
    INSTANT = "instant"
    SCORE = "score"


class Need(StrEnum):
    """When a field must be given."""

    ALWAYS = "always"
    NEVER = "never"
    CATEGORY_PHOTO = "category_photo"
    CATEGORY_VERIFY_PHOTO = "category_verify_photo"


@dataclass(frozen=True, slots=True)
class Given:
    name: str
    label: str
    kind: GivenKind
    need: Need = Need.ALWAYS
    choices: tuple[tuple[str, str], ...] = ()
    public: bool = False


class ClockKind(StrEnum):
    """The three clocks (§00): the matter's total, the handling organisation's, the stage's."""

    TOTAL = "total"
    HANDLE = "handle"
    STAGE = "stage"


class ClockStep(StrEnum):
    START = "start"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: action × states it may leave → state it enters (None: stays).

    `may` is the verb of the permission, without its scope. Stage clocks need no row: each entry to a state
    stops the old one and starts that state's own.
    """

    action: str
    label: str
    sources: frozenset[State]
    target: State | None
    may: str
    given: tuple[Given, ...] = ()
    guards: tuple[str, ...] = ()
    clocks: tuple[tuple[ClockKind, ClockStep], ...] = ()
    happening: str | None = None
    automatic: bool = False


SYSTEM = "ticket:carry"

OBJECTION_REASONS = (("territory", "属地不符"), ("ownership", "权属不清"), ("function", "职能不符"))
CONTACT_OUTCOMES = (("reached", "已联系上"), ("unreached", "未联系上"), ("declined", "对方不愿沟通"))
SOLVED = (("solved", "已解决"), ("partly", "部分解决"), ("unsolved", "未解决"))
SATISFACTION = (("5", "非常满意"), ("4", "满意"), ("3", "基本满意"), ("2", "不满意"), ("1", "非常不满意"))

_END_ALL = ((ClockKind.HANDLE, ClockStep.STOP), (ClockKind.TOTAL, ClockStep.STOP))
_DISPATCHABLE = frozenset({State.FILED})
_WITH_UNIT = frozenset({State.DISPATCHED, State.IN_PROGRESS})
_WORKING = frozenset({State.DISPATCHED, State.IN_PROGRESS, State.REWORK})
_ASKING = frozenset({State.VERIFIED, State.CALLBACK})

SUBMIT = Transition(
    "submit",
    "上报",
    frozenset(),
    State.SUBMITTED,
    "ticket:report",
    given=(
        Given("text", "情况", GivenKind.STATEMENT, Need.NEVER),
        Given("photos", "现场照片", GivenKind.PHOTOS, Need.NEVER),
    ),
)

TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        "accept",
        "受理",
        frozenset({State.SUBMITTED}),
        State.FILED,
        "ticket:accept",
        clocks=((ClockKind.TOTAL, ClockStep.START),),
        automatic=True,
    ),
    Transition(
        "remind",
        "当场提醒",
        frozenset({State.SUBMITTED}),
        State.REMINDED,
        "ticket:remind",
        guards=("not_urgent",),
    ),
    Transition("self_handle", "自行处置", frozenset({State.SUBMITTED}), State.SELF_HANDLED, "ticket:remind"),
    Transition(
        "place",
        "人工落格",
        frozenset({State.FILED}),
        None,
        "ticket:dispatch",
        given=(
            Given("area", "所在网格", GivenKind.AREA),
            Given("reason", "依据", GivenKind.STATEMENT, Need.NEVER),
        ),
    ),
    Transition(
        "dispatch",
        "派遣",
        _DISPATCHABLE,
        State.DISPATCHED,
        "ticket:dispatch",
        given=(
            Given("organisation", "承办单位", GivenKind.ORGANISATION),
            Given("reason", "派单依据", GivenKind.STATEMENT, Need.NEVER),
        ),
        guards=("admitted",),
        clocks=((ClockKind.HANDLE, ClockStep.START),),
        happening="dispatched",
        automatic=True,
    ),
    Transition("open", "查阅", frozenset({State.DISPATCHED}), None, "ticket:handle", guards=("unopened",)),
    Transition(
        "auto_sign",
        "视为已签收",
        frozenset({State.DISPATCHED}),
        State.IN_PROGRESS,
        SYSTEM,
        guards=("unsigned",),
        happening="auto_signed",
    ),
    Transition(
        "contact",
        "联系诉求人",
        _WORKING,
        State.IN_PROGRESS,
        "ticket:handle",
        given=(
            Given("outcome", "联系结果", GivenKind.CHOICE, choices=CONTACT_OUTCOMES),
            Given("note", "联系情况", GivenKind.STATEMENT, Need.NEVER),
        ),
        guards=("has_reporter",),
    ),
    Transition(
        "start",
        "开始办理",
        frozenset({State.DISPATCHED, State.REWORK}),
        State.IN_PROGRESS,
        "ticket:handle",
        given=(Given("note", "办理打算", GivenKind.STATEMENT, Need.NEVER),),
    ),
    Transition(
        "object",
        "派单异议",
        _WITH_UNIT,
        State.OBJECTED,
        "ticket:object",
        given=(
            Given("reason_code", "理由", GivenKind.CHOICE, choices=OBJECTION_REASONS),
            Given("organisation", "建议承办单位", GivenKind.ORGANISATION),
            Given("basis", "依据", GivenKind.STATEMENT),
        ),
        guards=("returnable", "first_objection", "within_objection_period", "before_contact"),
        happening="objected",
    ),
    Transition(
        "object_again",
        "再次异议(转会商)",
        _WITH_UNIT,
        State.CONSULTING,
        "ticket:object",
        given=(
            Given("reason_code", "理由", GivenKind.CHOICE, choices=OBJECTION_REASONS),
            Given("organisation", "建议承办单位", GivenKind.ORGANISATION),
            Given("basis", "依据", GivenKind.STATEMENT),
        ),
        guards=("returnable", "repeated_objection", "within_objection_period", "before_contact"),
        happening="objected",
    ),
    Transition(
        "uphold_objection",
        "采纳异议并改派",
        frozenset({State.OBJECTED}),
        State.DISPATCHED,
        "ticket:rule",
        given=(
            Given("organisation", "改派单位", GivenKind.ORGANISATION),
            Given("reason", "裁定意见", GivenKind.STATEMENT, Need.NEVER),
        ),
        guards=("admitted",),
        clocks=((ClockKind.HANDLE, ClockStep.STOP), (ClockKind.HANDLE, ClockStep.START)),
        happening="dispatched",
    ),
    Transition(
        "refuse_objection",
        "驳回异议并指定承办",
        frozenset({State.OBJECTED}),
        State.DISPATCHED,
        "ticket:rule",
        given=(Given("reason", "裁定意见", GivenKind.STATEMENT),),
        happening="objection_refused",
    ),
    Transition(
        "settle",
        "会商裁定",
        frozenset({State.CONSULTING}),
        State.DISPATCHED,
        "ticket:rule",
        given=(
            Given("organisation", "指定承办单位", GivenKind.ORGANISATION),
            Given("reason", "裁定意见", GivenKind.STATEMENT),
        ),
        guards=("admitted",),
        clocks=((ClockKind.HANDLE, ClockStep.STOP), (ClockKind.HANDLE, ClockStep.START)),
        happening="dispatched",
    ),
    Transition(
        "handle",
        "办理反馈",
        _WORKING,
        State.HANDLED,
        "ticket:handle",
        given=(
            Given("solved", "办理结果", GivenKind.CHOICE, choices=SOLVED),
            Given("answer", "公开答复", GivenKind.STATEMENT, public=True),
            Given("work", "内部办理情况", GivenKind.STATEMENT, Need.NEVER),
            Given("photos", "办理后照片", GivenKind.PHOTOS, Need.CATEGORY_PHOTO),
        ),
        guards=("contacted",),
        clocks=((ClockKind.HANDLE, ClockStep.PAUSE),),
        happening="handled",
    ),
    Transition(
        "skip_verification",
        "免核查",
        frozenset({State.HANDLED}),
        State.VERIFIED,
        SYSTEM,
        guards=("needs_no_verification",),
        happening="verified",
        automatic=True,
    ),
    Transition(
        "verify_pass",
        "核查通过",
        frozenset({State.HANDLED}),
        State.VERIFIED,
        "ticket:verify",
        given=(
            Given("photos", "核查照片", GivenKind.PHOTOS, Need.CATEGORY_VERIFY_PHOTO),
            Given("note", "说明", GivenKind.STATEMENT, Need.NEVER),
        ),
        guards=("independent",),
        happening="verified",
    ),
    Transition(
        "verify_fail",
        "核查不通过",
        frozenset({State.HANDLED}),
        State.REWORK,
        "ticket:verify",
        given=(
            Given("photos", "核查照片", GivenKind.PHOTOS, Need.NEVER),
            Given("note", "哪里没有做到", GivenKind.STATEMENT),
        ),
        guards=("independent",),
        clocks=((ClockKind.HANDLE, ClockStep.RESUME),),
        happening="verification_failed",
    ),
    Transition(
        "close_unasked",
        "结案(无须回访)",
        frozenset({State.VERIFIED}),
        State.CLOSED,
        SYSTEM,
        guards=("nobody_to_ask",),
        clocks=_END_ALL,
        happening="closed",
        automatic=True,
    ),
    Transition(
        "attempt_callback",
        "回访未接通",
        _ASKING,
        State.CALLBACK,
        "ticket:call_back",
        given=(Given("note", "情况", GivenKind.STATEMENT, Need.NEVER),),
        guards=("not_answerer",),
    ),
    Transition(
        "answer_satisfied",
        "回访:已解决",
        _ASKING,
        State.CLOSED,
        "ticket:call_back",
        given=(
            Given("solved", "是否解决", GivenKind.CHOICE, choices=SOLVED[:2]),
            Given("satisfaction", "满意程度", GivenKind.SCORE, Need.NEVER, choices=SATISFACTION),
            Given("words", "意见", GivenKind.STATEMENT, Need.NEVER),
        ),
        guards=("not_answerer",),
        clocks=_END_ALL,
        happening="closed",
    ),
    Transition(
        "answer_unsolved",
        "回访:未解决或不满意",
        _ASKING,
        State.REVIEWING,
        "ticket:call_back",
        given=(
            Given("solved", "是否解决", GivenKind.CHOICE, choices=SOLVED),
            Given("satisfaction", "满意程度", GivenKind.SCORE, Need.NEVER, choices=SATISFACTION),
            Given("words", "意见", GivenKind.STATEMENT, Need.NEVER),
        ),
        guards=("not_answerer",),
        happening="unsatisfied",
    ),
    Transition(
        "uphold_dissatisfaction",
        "复核成立,二次办理",
        frozenset({State.REVIEWING}),
        State.REWORK,
        "ticket:review",
        given=(Given("reason", "复核意见", GivenKind.STATEMENT),),
        guards=("not_answerer",),
        clocks=((ClockKind.HANDLE, ClockStep.STOP), (ClockKind.HANDLE, ClockStep.START)),
        happening="second_handling",
    ),
    Transition(
        "dismiss_dissatisfaction",
        "复核不成立,结案",
        frozenset({State.REVIEWING}),
        State.CLOSED,
        "ticket:review",
        given=(Given("reason", "复核意见", GivenKind.STATEMENT, public=True),),
        guards=("not_answerer",),
        clocks=_END_ALL,
        happening="closed",
    ),
    Transition(
        "close_unanswered",
        "结案(多次未接通)",
        frozenset({State.CALLBACK, State.VERIFIED}),
        State.CLOSED,
        SYSTEM,
        guards=("attempts_exhausted",),
        clocks=_END_ALL,
        happening="closed",
    ),
    Transition(
        "withdraw",
        "撤诉",
        OPEN_STATES,
        State.WITHDRAWN,
        "ticket:withdraw",
        clocks=_END_ALL,
        happening="withdrawn",
        given=(Given("words", "原因", GivenKind.STATEMENT, Need.NEVER),),
    ),
)

BY_ACTION: dict[str, Transition] = {row.action: row for row in TRANSITIONS}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules need to know of a ticket, as values."""

    state: State
    now: datetime
    urgent: bool = False
    verify_mode: str = "field"
    opened: bool = False
    signed: bool = False
    contacted: bool = False
    can_ask: bool = False
    can_contact: bool = False
    asks_contact: bool = False
    no_return: bool = False
    objections: int = 0
    objection_until: datetime | None = None
    callback_attempts: int = 0
    handling_organisations: frozenset[str] = frozenset()
    handlers: frozenset[str] = frozenset()
    forbidden_clause: str | None = None


@dataclass(frozen=True, slots=True)
class Doer:
    """Who acts, as values: the person, the organisation and everything it answers to, itself included."""

    person: str
    organisations: frozenset[str] = field(default_factory=frozenset)
    system: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an action is not possible now, and in words what would make it so."""

    guard: str
    sentence: str


def actions_from(state: State) -> tuple[Transition, ...]:
    """The rows that may leave a state, before asking who."""
    return tuple(row for row in TRANSITIONS if state in row.sources)


def labels(states: Iterable[State]) -> str:
    return "、".join(STATES[state].label for state in sorted(states))
