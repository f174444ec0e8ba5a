"""Short codes: read as typed, and every slip of one character or of two neighbours shows."""

from datetime import date

import pytest

from dispatch.record.codes import ALPHABET, new_code, read_code

DAY = date(2026, 11, 23)


def test_a_code_is_read_however_it_is_typed() -> None:
    code = new_code(DAY)
    spelled = code.replace("-", " ").lower().replace("0", "o").replace("1", "l")
    assert read_code(spelled) == code


@pytest.mark.parametrize("text", ["", "2EK", "2EK-6JTWT-JJ", "2EK-6J!WT-J", "二二二-二二二二二-二"])
def test_what_cannot_be_a_code_is_none(text: str) -> None:
    assert read_code(text) is None


def test_one_wrong_character_always_shows() -> None:
    for code in (new_code(DAY) for _ in range(20)):
        plain = code.replace("-", "")
        for place, right in enumerate(plain):
            for wrong in set(ALPHABET) - {right}:
                assert read_code(plain[:place] + wrong + plain[place + 1 :]) is None


def test_two_swapped_neighbours_always_show() -> None:
    for code in (new_code(DAY) for _ in range(200)):
        plain = code.replace("-", "")
        for place in range(len(plain) - 2):
            a, b = plain[place], plain[place + 1]
            if a != b:
                assert read_code(plain[:place] + b + a + plain[place + 2 :]) is None


def test_codes_of_a_day_begin_alike_and_repeat_rarely() -> None:
    codes = {new_code(DAY) for _ in range(2000)}
    assert len({code[:3] for code in codes}) == 1
    assert len(codes) >= 1998
