"""Any edited byte shows: every stored value of every line, every text, every missing or swapped line."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid6 import uuid7

from dispatch.record import chain
from dispatch.record.models import Statement, TicketEvent

TICKET = UUID(int=7)
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
WORDS = "三号楼二单元"


def lines() -> tuple[list[TicketEvent], list[Statement]]:
    found: list[TicketEvent] = []
    salt = chain.new_salt()
    for seq in (1, 2, 3):
        kept = {"reason_code": "territory", "n": seq}
        event = TicketEvent(
            intake_district="990101",
            id=uuid7(),
            ticket_id=TICKET,
            seq=seq,
            at=AT + timedelta(minutes=seq),
            account_id=uuid7(),
            organisation_code="centre",
            channel="web",
            action="object",
            state_from="dispatched",
            state_to="objected",
            given={**kept, "statements": {"basis": chain.commitment(salt, WORDS)}} if seq == 2 else kept,
            reasons={"routed": {"rule": "r-city"}},
            request_key=uuid7(),
            previous_hash=found[-1].hash if found else None,
            hash="",
        )
        event.hash = chain.event_hash(event)
        found.append(event)
    said = Statement(
        intake_district="990101",
        id=uuid7(),
        ticket_id=TICKET,
        event_id=found[1].id,
        name="basis",
        salt=salt,
        text=WORDS,
    )
    return found, [said]


def edited(value: Any) -> Any:
    """The value with the least that can be changed about it."""
    if isinstance(value, UUID):
        return UUID(int=value.int ^ 1)
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict):
        changed = deepcopy(value)
        changed["added"] = None
        return changed
    return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"


def test_an_untouched_chain_holds() -> None:
    events, said = lines()
    assert chain.breaks(events, said) == []


@pytest.mark.parametrize("column", sorted(TicketEvent.model_fields))
@pytest.mark.parametrize("at", [0, 1, 2])
def test_every_value_of_every_line_is_covered(column: str, at: int) -> None:
    events, said = lines()
    setattr(events[at], column, edited(getattr(events[at], column)))
    assert chain.breaks(events, said)


def test_a_line_re_hashed_after_the_edit_breaks_with_the_next() -> None:
    events, said = lines()
    events[1].organisation_code = "elsewhere"
    events[1].hash = chain.event_hash(events[1])
    assert [found.seq for found in chain.breaks(events, said)] == [3]


@pytest.mark.parametrize("gone", [0, 1])
def test_a_missing_line_shows(gone: int) -> None:
    events, said = lines()
    del events[gone]
    assert chain.breaks(events, said if gone != 1 else [])


def test_swapped_lines_show() -> None:
    events, said = lines()
    assert chain.breaks([events[1], events[0], events[2]], said)


@pytest.mark.parametrize("column", ["text", "salt"])
def test_every_byte_of_a_text_is_covered(column: str) -> None:
    events, said = lines()
    setattr(said[0], column, edited(getattr(said[0], column)))
    assert chain.breaks(events, said)


def test_an_erased_text_leaves_the_chain_whole() -> None:
    events, said = lines()
    said[0].text, said[0].erased_at = None, AT
    assert chain.breaks(events, said) == []
