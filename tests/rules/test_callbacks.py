"""Callbacks: the sample, the hours, the attempts, one call a person and week, honest denominators."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.callbacks import (
    Answer,
    Askable,
    Asking,
    attempt_at,
    counted,
    next_civil_hour,
    plan_calls,
    sampled,
)
from tests.rules.calendars import local

ALL = Asking("Asia/Shanghai")
MONDAY = local("2026-03-02T10:30")


def matter(ticket: str, person: str = "anna", since: str = "2026-03-02T10:00", attempts: int = 0) -> Askable:
    last = local(since) if attempts else None
    return Askable(ticket, person, local(since), attempts, last)


@pytest.mark.parametrize(
    ("at", "then"),
    [
        ("2026-03-02T08:59", "2026-03-02T09:00"),
        ("2026-03-02T09:00", "2026-03-02T09:00"),
        ("2026-03-02T12:00", "2026-03-02T14:00"),
        ("2026-03-02T19:59", "2026-03-02T19:59"),
        ("2026-03-02T20:00", "2026-03-03T09:00"),
        ("2026-03-02T23:59", "2026-03-03T09:00"),
    ],
)
def test_nobody_is_called_at_night_or_at_noon(at: str, then: str) -> None:
    assert next_civil_hour(local(at), ALL) == local(then)


def test_three_attempts_on_three_days_then_no_more() -> None:
    assert attempt_at(matter("a"), ALL) == local("2026-03-03T09:00")
    assert attempt_at(matter("a", since="2026-03-03T15:00", attempts=1), ALL) == local("2026-03-04T09:00")
    assert attempt_at(matter("a", since="2026-03-05T15:00", attempts=3), ALL) is None


def test_one_call_asks_a_person_about_everything() -> None:
    matters = [matter("b", since="2026-03-01T10:00"), matter("a"), matter("c", "bert")]
    calls = plan_calls(matters, {}, ALL, MONDAY)
    assert [(c.person, c.tickets, c.not_before_at) for c in calls] == [
        ("anna", ("a", "b"), MONDAY),
        ("bert", ("c",), local("2026-03-03T09:00")),
    ]


def test_nobody_is_called_twice_within_a_week_and_nothing_is_left_out() -> None:
    called = {"anna": local("2026-02-27T15:00")}
    (call,) = plan_calls([matter("a"), matter("b")], called, ALL, MONDAY)
    assert call.tickets == ("a", "b")
    assert call.not_before_at == local("2026-03-06T15:00")


def test_the_sample_is_reproducible_and_of_the_asked_share() -> None:
    asking = Asking("Asia/Shanghai", sample_share=0.3, seed="2026-03")
    keys = [f"T{n}" for n in range(10_000)]
    chosen = [key for key in keys if sampled(key, asking)]
    assert 0.28 < len(chosen) / len(keys) < 0.32
    assert chosen[:5] == ["T1", "T9", "T12", "T13", "T15"]
    other = {key for key in keys if sampled(key, Asking("Asia/Shanghai", sample_share=0.3, seed="2026-04"))}
    assert other != set(chosen)
    assert set(chosen) <= {
        k for k in keys if sampled(k, Asking("Asia/Shanghai", sample_share=0.5, seed="2026-03"))
    }
    assert all(sampled(key, ALL) for key in keys)
    assert not any(sampled(key, Asking("Asia/Shanghai", sample_share=0.0)) for key in keys)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="0 与 1 之间"):
        Asking("Asia/Shanghai", sample_share=share)


def test_silence_is_never_satisfaction() -> None:
    found = counted(
        [Answer(), Answer("solved", 5), Answer("solved"), Answer("partly", 3), Answer("unsolved", 1)]
    )
    assert (found.asked, found.said_solved, found.solved, found.partly) == (5, 4, 2, 1)
    assert (found.rated, found.satisfied, found.silent) == (3, 2, 2)


people = st.sampled_from(["anna", "bert", "cora"])
spans = st.integers(0, 20 * 24 * 60).map(lambda m: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=m))


@given(
    st.lists(st.builds(Askable, st.uuids().map(str), people, spans, st.integers(0, 3)), max_size=12),
    st.dictionaries(people, spans),
    spans,
)
def test_every_open_matter_is_in_exactly_one_call_at_a_civil_hour(
    matters: list[Askable], called: dict[str, datetime], now: datetime
) -> None:
    calls = plan_calls(matters, called, ALL, now)
    asked = [ticket for call in calls for ticket in call.tickets]
    assert sorted(asked) == sorted(m.ticket for m in matters if m.attempts < 3)
    assert len({call.person for call in calls}) == len(calls)
    for call in calls:
        assert call.not_before_at >= now
        assert next_civil_hour(call.not_before_at, ALL) == call.not_before_at
        if call.person in called:
            assert call.not_before_at >= called[call.person] + timedelta(days=7)
