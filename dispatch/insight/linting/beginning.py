"""The one door through which a set of rules comes into force: errors shut it, what needs a tick asks for one."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from dispatch.insight.linting.findings import Weight
from dispatch.insight.linting.stored import lint_version
from dispatch.record.world import World
from grid import rulesets
from grid.database import Database
from grid.errors import Conflict, InputError
from grid.models import Ruleset
from grid.permissions import Actor


def begin(
    database: Database,
    world: World,
    version: int,
    actor: Actor | None,
    now: datetime,
    *,
    ticked: bool,
    begins_at: datetime | None = None,
) -> Ruleset:
    """Put a set of rules in force, now or at an instant to come.

    Raises
    ------
    Conflict
        The linter found errors.
    InputError
        It found gaps or dead owners and nobody ticked that they are known.
    """
    with database.reading() as session:
        standing = world.refresh(session)
        on = (begins_at or now).astimezone(ZoneInfo(standing.zone)).date()
        found = lint_version(database, session, standing, version, on)
    errors, ticks = found.of(Weight.ERROR), found.of(Weight.TICK)
    if errors:
        raise Conflict(f"第 {version} 版有 {len(errors)} 处错误,不能启用:{errors[0].sentence}")
    if ticks and not ticked:
        sentence = f"第 {version} 版有 {len(ticks)} 处待确认:{ticks[0].sentence}。确认知悉后再启用"
        raise InputError(sentence, {"ticked": sentence})

    def work(session: Session) -> Ruleset:
        return rulesets.activate(session, version, actor, now, begins_at=begins_at)

    return database.write(work)
