"""Work that waits in rows of the standing world: borders due to begin, tickets to be placed anew, rehearsals, maps.

Each part may run twice without harm. That the open tickets were placed in a generation is kept as a done timer row;
for a minute after its beginning they are looked at again, since a page may have held the former borders that long.
"""

import logging
from datetime import datetime, timedelta

from sqlmodel import Session, select
from uuid6 import uuid7

from dispatch.engine.outbox import Tools
from dispatch.insight.rehearsing import running
from dispatch.insight.suggesting import training
from dispatch.record import firing
from dispatch.record.evidence import thumbnails
from dispatch.record.models import UNPLACED_DISTRICT, Timer
from dispatch.record.renewing import replacing
from grid.areas import beginning, generations
from grid.areas.mapcopies import draw_next
from grid.errors import GridError
from grid.models import Generation

log = logging.getLogger(__name__)

KIND = "place_anew"
_unbuildable: set[int] = set()
SETTLED = timedelta(minutes=1)
THUMB_BATCHES = 10


def look(tools: Tools) -> int:
    """Do what is due; the answer is how much was done."""
    with tools.database.reading() as session:
        due = beginning.due_to_begin(session, tools.clock(session))
    done = sum(tools.database.write(lambda s, key=key: _begin(tools, s, key)) for key in due)  # type: ignore[misc]
    done += build_indexes(tools)
    done += place_anew(tools)
    done += make_thumbnails(tools)
    return done + rehearse(tools)


def make_thumbnails(tools: Tools) -> int:
    """Make the small copies of new photos, up to a limit."""
    with tools.database.reading() as session:
        now = tools.clock(session)
    done = 0
    for _ in range(THUMB_BATCHES):
        made = thumbnails.make(tools.database, tools.world.settings, now)
        done += made
        if made < thumbnails.BATCH:
            break
    return done


def rehearse(tools: Tools) -> int:
    """Carry out the rehearsals that wait."""

    def clock() -> datetime:
        with tools.database.reading() as session:
            return tools.clock(session)

    return running.run_waiting(tools.database, tools.world, clock)


def place_anew(tools: Tools) -> int:
    """After new borders: the open tickets follow the ground."""
    with tools.database.reading() as session:
        now = tools.clock(session)
        active = generations.active_generation(session)
        if active is None or active.active_from is None or _is_placed(session, active):
            return 0
    moved = replacing.replace_open(tools.database, tools.world, now)
    if now - active.active_from >= SETTLED:
        tools.database.write(lambda s: _note_placed(s, active, now))
    return moved


def build_indexes(tools: Tools) -> int:
    """The indexes of large drafts; one that cannot be built is said once and left to who made the draft."""
    with tools.database.reading() as session:
        waiting = [key for key in generations.without_index(session) if key not in _unbuildable]
    for key in waiting:
        try:
            generations.write_index(tools.database, key, tools.world.settings.instance_path)
        except GridError as error:
            _unbuildable.add(key)
            log.warning("no index of borders %s: %s", key, error.message)
    return len(waiting)


def draw_maps(tools: Tools) -> None:
    """One more copy of the borders for maps, while some are missing."""
    with tools.database.reading() as session:
        active = generations.active_generation(session)
        if active is not None:
            draw_next(session, tools.world.settings.instance_path, active)


def train(tools: Tools, now: datetime) -> None:
    """Learn the categories from what was closed."""
    training.train_nightly(tools.database, tools.world, now)


def _begin(tools: Tools, session: Session, generation_id: int) -> int:
    now = tools.clock(session)
    if generation_id not in beginning.due_to_begin(session, now):
        return 0
    try:
        on = now.astimezone(tools.world.settings.zone).date()
        beginning.activate(session, generation_id, None, now, on)
    except GridError as error:
        log.warning("borders %s do not begin: %s", generation_id, error.message)
        beginning.unschedule(session, generation_id, None, now)
        return 0
    return 1


def _key(generation: Generation) -> str:
    return f"{KIND}:{generation.id}:{generation.active_from}"


def _is_placed(session: Session, generation: Generation) -> bool:
    query = select(Timer.id).where(Timer.intake_district == UNPLACED_DISTRICT, Timer.key == _key(generation))
    return session.exec(query).first() is not None


def _note_placed(session: Session, generation: Generation, now: datetime) -> None:
    if not _is_placed(session, generation):
        session.add(
            Timer(
                intake_district=UNPLACED_DISTRICT,
                id=uuid7(),
                kind=KIND,
                key=_key(generation),
                due_at=now,
                done_at=now,
                outcome=firing.DONE,
            )
        )
