"""What waits in rows of the standing world is done by the care-taker: borders at their instant, tickets after them."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from dispatch.engine import standing_work
from dispatch.engine.outbox import Tools
from dispatch.record.models import Timer
from grid.areas import beginning, drafting, generations
from grid.models import Generation, GenerationState
from tests.town import EAST, IN_WEST, LAT, LON, WEST, Town


def test_the_index_of_a_large_draft_is_built_by_who_takes_care(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "MOST_AT_ONCE", 1)
    tools = Tools(town.database, town.world, {}, lambda session: town.now)
    folder, asked = town.world.settings.instance_path, []
    ground = f"{LON},{LAT};{LON + 0.011},{LAT};{LON + 0.011},{LAT + 0.008};{LON},{LAT + 0.008}"
    work = drafting.redraw(EAST, ground)
    made = drafting.draft(town.database, folder, "large", work, None, town.now, lambda: asked.append("index"))
    assert (made.index_file, asked) == (None, ["index"])
    assert standing_work.build_indexes(tools) == 1
    assert standing_work.build_indexes(tools) == 0
    with town.database.reading() as session:
        name = session.get_one(Generation, made.id).index_file
    assert name is not None
    assert (folder / name).exists()


def test_borders_begin_by_themselves_and_open_tickets_follow(town: Town) -> None:
    tools = Tools(town.database, town.world, {}, lambda session: town.now)
    code = town.worker.reports(at=IN_WEST).code
    ground = f"{LON},{LAT};{LON + 0.011},{LAT};{LON + 0.011},{LAT + 0.008};{LON},{LAT + 0.008}"
    made = drafting.draft(
        town.database,
        town.world.settings.instance_path,
        "redrawn",
        drafting.redraw(EAST, ground),
        None,
        town.now,
    )
    begins_at = town.now + timedelta(hours=1)
    town.database.write(lambda s: beginning.schedule(s, made.id or 0, begins_at, None, town.now))
    standing_work.make_thumbnails(tools)
    assert standing_work.look(tools) == 0
    town.now = begins_at
    assert standing_work.look(tools) == 2  # the borders, and one ticket that follows them
    assert town.ticket(code).grid_code == EAST
    with town.database.reading() as session:
        assert session.get_one(Generation, made.id).state is GenerationState.ACTIVE
        assert session.exec(select(Timer).where(Timer.kind == standing_work.KIND)).all() == []
    town.later(minutes=2)
    assert standing_work.look(tools) == 0
    with town.database.reading() as session:
        (timer,) = session.exec(select(Timer).where(Timer.kind == standing_work.KIND)).all()
    assert timer.outcome == "done"


def test_what_cannot_begin_any_more_holds_nothing_up(town: Town) -> None:
    tools = Tools(town.database, town.world, {}, lambda session: town.now)
    folder = town.world.settings.instance_path

    def drafted(label: str, work: drafting.Work) -> int:
        return drafting.draft(town.database, folder, label, work, None, town.now).id or 0

    cut = f"{LON + 0.005},{LAT - 0.001};{LON + 0.005},{LAT + 0.011}"
    ground = f"{LON},{LAT};{LON + 0.011},{LAT};{LON + 0.011},{LAT + 0.008};{LON},{LAT + 0.008}"
    waiting = drafted("redrawn", drafting.redraw(EAST, ground))
    begins_at = town.now + timedelta(hours=1)
    town.database.write(lambda s: beginning.schedule(s, waiting, begins_at, None, town.now))
    split = drafted("split", drafting.split(WEST, cut, ["甲", "乙"]))
    town.database.write(lambda s: beginning.activate(s, split, None, town.now, town.now.date()))
    town.now = begins_at
    standing_work.look(tools)  # the waiting one has the code that the split retired
    with town.database.reading() as session:
        one = session.get_one(Generation, waiting)
        assert (one.state, one.begins_at) == (GenerationState.DRAFT, None)
        assert session.get_one(Generation, split).state is GenerationState.ACTIVE


def test_borders_that_began_on_another_machine_are_indexed_on_this_one(town: Town, tmp_path: Path) -> None:
    other = tmp_path / "other-machine"
    ground = f"{LON},{LAT};{LON + 0.011},{LAT};{LON + 0.011},{LAT + 0.008};{LON},{LAT + 0.008}"
    work = drafting.redraw(EAST, ground)
    made = drafting.draft(town.database, other, "redrawn", work, None, town.now)
    town.database.write(lambda s: beginning.activate(s, made.id or 0, None, town.now, town.now.date()))
    assert not (town.world.settings.instance_path / str(made.index_file)).exists()
    assert town.ticket(town.worker.reports(at=IN_WEST).code).grid_code == EAST
