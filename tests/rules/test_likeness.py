"""Likeness: class, distance, days, text; what may merge by itself and what is never shown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.likeness import Matter, Near, alike, near_m, text_likeness

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NEW = Matter("new", "200102", NOW, "井巷口垃圾成堆")
OLD = Matter("old", "200102", NOW - timedelta(days=2), "井巷路口一大堆垃圾")


@pytest.mark.parametrize(
    ("change", "distance_m", "same"),
    [
        ({}, 5.0, True),
        ({}, 10.0, True),
        ({}, 10.1, False),
        ({}, 50.0, False),
        ({"category_code": "200103"}, 5.0, False),
        ({"text": ""}, 5.0, True),
        ({"text": "下水道堵塞冒污水"}, 5.0, False),
    ],
)
def test_only_the_same_subcategory_at_the_same_point_may_merge(
    change: dict[str, str], distance_m: float, same: bool
) -> None:
    found = alike(NEW, [Near(replace(OLD, **change), distance_m)])
    assert [(a.key, a.same) for a in found] == [("old", same)]


@pytest.mark.parametrize(
    ("old", "distance_m"),
    [
        (OLD, 50.1),
        (replace(OLD, category_code="200505"), 1.0),
        (replace(OLD, category_code="100102"), 1.0),
        (replace(OLD, reported_at=NOW - timedelta(days=7, seconds=1)), 1.0),
        (replace(OLD, confidential=True), 1.0),
        (replace(OLD, key="new"), 0.0),
    ],
)
def test_too_far_too_old_another_class_or_confidential_is_not_shown(old: Matter, distance_m: float) -> None:
    assert alike(NEW, [Near(old, distance_m)]) == []


def test_a_confidential_report_is_compared_with_nothing() -> None:
    assert alike(replace(NEW, confidential=True), [Near(OLD, 1.0)]) == []


def test_reach_depends_on_the_category() -> None:
    assert [near_m(code) for code in ("100102", "200102", "200508", "200401")] == [30.0, 50.0, 150.0, 100.0]
    assert near_m("200508", {"2005": 20.0}) == 20.0
    noise = replace(NEW, category_code="200508")
    assert alike(noise, [Near(replace(OLD, category_code="200508"), 140.0)])


def test_the_likeliest_comes_first_and_says_why() -> None:
    far = Near(replace(OLD, key="far", text="井巷口垃圾成堆没人管"), 40.0)
    near = Near(replace(OLD, key="near", text=""), 30.0)
    point = Near(replace(OLD, key="point", text=""), 2.0)
    found = alike(NEW, [near, far, point])
    assert [a.key for a in found] == ["point", "far", "near"]
    assert found[1].reason == "同小类,相距 40 米,2 天内,文字相似 67%"


@given(st.text(max_size=40), st.text(max_size=40))
def test_text_likeness_is_a_symmetric_share(one: str, other: str) -> None:
    assert 0.0 <= text_likeness(one, other) == text_likeness(other, one) <= 1.0
    if text_likeness(one, one):
        assert text_likeness(one, one) == 1.0


def test_texts_of_nothing_are_not_alike() -> None:
    assert text_likeness("", "") == text_likeness("?!", "……") == 0.0
    assert text_likeness("路灯不亮", "路 灯,不亮!") == 1.0
