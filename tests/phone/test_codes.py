"""A code on a grid's wall: signed, replaced with notice, never forged."""

from datetime import timedelta

import pytest
from sqlmodel import select

from grid import codes
from grid.errors import Gone, NotFound
from tests.town import EAST, WEST, Town


def test_a_printed_code_is_read_back_and_a_forged_one_refused(town: Town) -> None:
    settings = town.world.settings
    with town.database.writing() as session:
        row = codes.present(session, WEST, town.now)
        genuine = codes.token(settings, row.area_code, row.serial)
        assert codes.read(session, settings, genuine, town.now).area_code == WEST
        assert codes.present(session, WEST, town.now).serial == row.serial
        for forged in (
            genuine.replace(WEST, EAST),
            genuine[:-1] + "0",
            "",
            "-",
            "x-1-y",
            f"{WEST}-²-A",
            "日-1-本",
        ):
            with pytest.raises(NotFound):
                codes.read(session, settings, forged, town.now)


def test_an_old_print_works_for_a_set_time(town: Town) -> None:
    settings = town.world.settings
    with town.database.writing() as session:
        old = codes.token(settings, WEST, codes.present(session, WEST, town.now).serial)
        assert codes.rotate(session, [WEST, EAST], None, town.now, timedelta(days=30)) == 2
        new = codes.token(settings, WEST, codes.present(session, WEST, town.now).serial)
    assert new != old
    with town.database.reading() as session:
        assert codes.read(session, settings, old, town.now + timedelta(days=29)).serial == 1
        with pytest.raises(Gone):
            codes.read(session, settings, old, town.now + timedelta(days=30))
        assert codes.read(session, settings, new, town.now + timedelta(days=400)).serial == 2
        assert len(session.exec(select(codes.GridCode)).all()) == 4
