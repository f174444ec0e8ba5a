"""The moving tickets' tables. Every ticket-owned table has the key `(intake_district, id)`, so that a large
city can be spread over a distributed PostgreSQL; `client_key` and `ticket_code` are the small global look-ups.
"""

from dispatch.record.models.admitting import Admittance, HandedDown
from dispatch.record.models.events import (
    SEARCHED,
    Assignment,
    Objection,
    OpenWords,
    Statement,
    TicketEvent,
    UnitRating,
)
from dispatch.record.models.people import (
    CallbackAnswer,
    CallbackLink,
    DisclosureLog,
    Notice,
    PersonAsked,
    Reporter,
)
from dispatch.record.models.ticket import (
    UNPLACED_DISTRICT,
    ActionKey,
    ClientKey,
    LinkKind,
    PhotoMark,
    Queue,
    Source,
    StoredPhoto,
    Ticket,
    TicketCode,
    TicketLink,
    TicketPhoto,
    band_of,
)
from dispatch.record.models.working import OutboxRow, TicketClock, Timer

__all__ = [
    "SEARCHED",
    "UNPLACED_DISTRICT",
    "ActionKey",
    "Admittance",
    "Assignment",
    "CallbackAnswer",
    "CallbackLink",
    "ClientKey",
    "DisclosureLog",
    "HandedDown",
    "LinkKind",
    "Notice",
    "Objection",
    "OpenWords",
    "OutboxRow",
    "PersonAsked",
    "PhotoMark",
    "Queue",
    "Reporter",
    "Source",
    "Statement",
    "StoredPhoto",
    "Ticket",
    "TicketClock",
    "TicketCode",
    "TicketEvent",
    "TicketLink",
    "TicketPhoto",
    "Timer",
    "UnitRating",
    "band_of",
]
