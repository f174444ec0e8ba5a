"""Borders begin and end: at once or at an instant, one version in force at a time, a retired one again as the undo."""

from datetime import date, datetime
from pathlib import Path

from sqlalchemy import delete
from sqlmodel import Session, col, select

from grid.areas import following, succeeding
from grid.areas.generations import (
    NewGeneration,
    active_generation,
    create_draft,
    listed,
    retired_codes,
    write_index,
)
from grid.auditing import record_change, values_of
from grid.database import Database
from grid.errors import Conflict, NotFound
from grid.models import Area, Generation, GenerationState, OverlayArea
from grid.permissions import Actor


def put_in_force(
    database: Database, new: NewGeneration, instance_path: Path, actor: Actor | None, now: datetime, on: date
) -> Generation:
    """Draft, index and activate in one go, for a set that has been checked."""
    draft = database.write(lambda session: create_draft(session, new, actor, now))
    write_index(database, draft.id or 0, instance_path)
    return database.write(lambda session: activate(session, draft.id or 0, actor, now, on))


def activate(
    session: Session, generation_id: int, actor: Actor | None, now: datetime, on: date
) -> Generation:
    """Make a draft (or, to undo, a retired one) the one in force from `now` on, and retire the former.

    What people and units hold of areas that go follows the ground from the local day `on`.

    Raises
    ------
    Conflict
        It is in force already, has no index yet, or uses a code that was retired since it was drafted.
    """
    generation = _held(session, generation_id)
    _refuse_retired_codes(session, generation)
    former = active_generation(session)
    if former is not None:
        before = values_of(former)
        former.state, former.active_to = GenerationState.RETIRED, now
        session.add(former)
        record_change(
            session,
            actor,
            "generation",
            former.label,
            "retire",
            before=before,
            after=values_of(former),
            now=now,
        )
    before = values_of(generation)
    generation.state, generation.active_from = GenerationState.ACTIVE, now
    generation.active_to = generation.begins_at = None
    generation.former_id = former.id if former is not None else None
    session.add(generation)
    after = values_of(generation)
    record_change(
        session, actor, "generation", generation.label, "activate", before=before, after=after, now=now
    )
    if former is not None:
        succession = succeeding.compare(session, former.id or 0, generation_id)
        succeeding.keep(session, generation_id, succession)
        following.follow(session, succession, actor, now, on)
    return generation


def schedule(
    session: Session, generation_id: int, begins_at: datetime, actor: Actor | None, now: datetime
) -> Generation:
    """Let a draft begin at an instant to come; the care-taker activates it then.

    Raises
    ------
    Conflict
        It cannot be activated, or the instant is past.
    """
    generation = _held(session, generation_id)
    if begins_at <= now:
        raise Conflict("启用时刻不能早于现在,请改为将来的时刻")
    _refuse_retired_codes(session, generation)
    return _begins(session, generation, begins_at, actor, now)


def unschedule(session: Session, generation_id: int, actor: Actor | None, now: datetime) -> Generation:
    """It does not begin by itself any more; nothing happens where it was not going to."""
    generation = session.get(Generation, generation_id, with_for_update=True)
    if generation is None:
        raise NotFound(f"没有编号为 {generation_id} 的边界版本")
    return generation if generation.begins_at is None else _begins(session, generation, None, actor, now)


def discard(session: Session, generation_id: int, actor: Actor | None, now: datetime) -> str | None:
    """Give up a draft that was never in force: its areas go, its name and audit stay. The answer is its index file.

    Raises
    ------
    Conflict
        It is or was in force: tickets speak of it.
    """
    generation = session.get(Generation, generation_id, with_for_update=True)
    if generation is None:
        raise NotFound(f"没有编号为 {generation_id} 的边界版本")
    if generation.state not in (GenerationState.DRAFT, GenerationState.REHEARSED):
        raise Conflict(f"边界版本“{generation.label}”启用过或已废弃,不能再废弃")
    before, index_file = values_of(generation), generation.index_file
    for table in (Area, OverlayArea):
        session.execute(delete(table).where(col(table.generation_id) == generation_id))
    generation.state = GenerationState.DISCARDED
    generation.index_file = generation.begins_at = None
    session.add(generation)
    after = values_of(generation)
    record_change(
        session, actor, "generation", generation.label, "discard", before=before, after=after, now=now
    )
    return index_file


def _begins(
    session: Session, generation: Generation, begins_at: datetime | None, actor: Actor | None, now: datetime
) -> Generation:
    before = values_of(generation)
    generation.begins_at = begins_at
    session.add(generation)
    action, after = "schedule" if begins_at else "unschedule", values_of(generation)
    record_change(session, actor, "generation", generation.label, action, before=before, after=after, now=now)
    return generation


def _held(session: Session, generation_id: int) -> Generation:
    """A version that can begin, with all of them locked: two that begin at once would leave two in force."""
    session.exec(select(Generation.id).order_by(col(Generation.id)).with_for_update()).all()
    generation = session.get(Generation, generation_id, populate_existing=True)
    if generation is None:
        raise NotFound(f"没有编号为 {generation_id} 的边界版本")
    if generation.state is GenerationState.ACTIVE or generation.index_file is None:
        raise Conflict(f"边界版本“{generation.label}”已在使用或还没有索引,请先导入并建立索引")
    return generation


def _refuse_retired_codes(session: Session, generation: Generation) -> None:
    """A draft may have waited until one of its codes was retired; only the undo brings codes back."""
    if generation.state is GenerationState.RETIRED:
        return
    own = set(session.exec(select(Area.code).where(Area.generation_id == generation.id)).all())
    if reused := retired_codes(session) & own:
        raise Conflict(
            f"这一版存为草稿以后,编码 {listed(reused)} 已随别的边界版本作废,不能再启用;请按现行边界重新做"
        )


def due_to_begin(session: Session, now: datetime) -> list[int]:
    """The scheduled border sets whose instant has come, the earliest first."""
    query = select(Generation.id).where(
        col(Generation.begins_at) <= now, Generation.state != GenerationState.ACTIVE
    )
    return [key for key in session.exec(query.order_by(col(Generation.begins_at))) if key is not None]
