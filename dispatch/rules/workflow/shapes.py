"""The shapes of the rows: what a state, a transition and a thing to be given look like."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dispatch.rules.workflow.states import State


class GivenKind(StrEnum):
    """What a field of an action holds; `statement` is free text kept apart from the chained events."""

    STATEMENT = "statement"
    CHOICE = "choice"
    PHOTOS = "photos"
    ORGANISATION = "organisation"
    ORGANISATIONS = "organisations"
    AREA = "area"
    CATEGORY = "category"
    CODE = "code"
    INSTANT = "instant"
    SCORE = "score"


class Need(StrEnum):
    """When a field must be given."""

    ALWAYS = "always"
    NEVER = "never"
    CATEGORY_PHOTO = "category_photo"
    CATEGORY_VERIFY_PHOTO = "category_verify_photo"
    ENFORCEMENT = "enforcement"


@dataclass(frozen=True, slots=True)
class Given:
    """One field of an action; `check` names the condition that its value must meet."""

    name: str
    label: str
    kind: GivenKind
    need: Need = Need.ALWAYS
    choices: tuple[tuple[str, str], ...] = ()
    public: bool = False
    check: str | None = None


class ClockKind(StrEnum):
    """The three clocks (§00): the matter's total, the handling organisation's, the stage's; assistants have one
    of their own each."""

    TOTAL = "total"
    HANDLE = "handle"
    STAGE = "stage"
    ASSIST = "assist"


class ClockStep(StrEnum):
    """What happens to a clock. A frozen one stands for good but was not run out; a revived one never stood."""

    START = "start"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    FREEZE = "freeze"
    REVIVE = "revive"


Clocks = tuple[tuple[ClockKind, ClockStep], ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: action × states it may leave → state it enters (None: stays).

    `may` is the verb of the permission, without its scope. Stage clocks need no row: each entry to a state
    stops the old one and starts that state's own. `limit` names the limit that a started handling clock runs by.
    """

    action: str
    label: str
    sources: frozenset[State]
    target: State | None
    may: str
    given: tuple[Given, ...] = ()
    guards: tuple[str, ...] = ()
    clocks: Clocks = ()
    happening: str | None = None
    automatic: bool = False
    limit: str = "handle"


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
    own_clause: str | None = None
    has_unit: bool = False
    from_public: bool = False
    from_upper: bool = False
    checked_beside: bool = False
    crossed: bool = False
    reporter: str | None = None
    enforcement: bool = False
    supplements: int = 0
    extensions: int = 0
    reworks: int = 0
    steps_left: int = 0
    handle_due_at: datetime | None = None
    plan_until: datetime | None = None
    reopen_until: datetime | None = None
    quiet_until: datetime | None = None
    asks_progress: bool = False
    proposer: str | None = None
    approves_answers: bool = False
    waiting_units: frozenset[str] = frozenset()
    waiting_assistants: tuple[str, ...] = ()
    whistled_by: str | None = None
    exclusion: str | None = None
    merged_open: bool = False
    conduct: str | None = None
    conduct_judges: frozenset[str] = frozenset()
    conduct_until: datetime | None = None
    clarified: bool = False
    correction_drawn: bool = False


@dataclass(frozen=True, slots=True)
class Doer:
    """Who acts, as values: the person; `organisations` with everything they answer to, `under` with everything
    they answer for, each with the own ones."""

    person: str
    organisations: frozenset[str] = field(default_factory=frozenset)
    system: bool = False
    under: frozenset[str] = field(default_factory=frozenset)
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an action is not possible now, and in words what would make it so."""

    guard: str
    sentence: str


Values = Mapping[str, object]
