"""The standing world's tables: areas, organisations, people, duties, calendar, settings and their audit.

Table classes do not validate (SQLModel): request data passes a form class first.
"""

from grid.models.areas import Area, AreaSuccessor, Generation, GenerationState, OverlayArea
from grid.models.people import (
    Account,
    DutyClass,
    DutyRoster,
    Leave,
    OneTimeLink,
    Organisation,
    Post,
    SignIn,
    SignInFailure,
)
from grid.models.rules import (
    AdmissionRule,
    CalendarDay,
    Category,
    CategoryQuestion,
    EscalationRung,
    NoticeRule,
    Responsibility,
    Ruleset,
    StagedLimit,
    TimeLimit,
)
from grid.models.traces import Heartbeat, StandingChange

__all__ = [
    "Account",
    "AdmissionRule",
    "Area",
    "AreaSuccessor",
    "CalendarDay",
    "Category",
    "CategoryQuestion",
    "DutyClass",
    "DutyRoster",
    "EscalationRung",
    "Generation",
    "GenerationState",
    "Heartbeat",
    "Leave",
    "NoticeRule",
    "OneTimeLink",
    "Organisation",
    "OverlayArea",
    "Post",
    "Responsibility",
    "Ruleset",
    "SignIn",
    "SignInFailure",
    "StagedLimit",
    "StandingChange",
    "TimeLimit",
]
