"""The linter on what is stored: any set of rules against the borders of any generation."""

from dataclasses import replace
from datetime import date
from functools import lru_cache

from sqlmodel import Session, col, select

from dispatch.insight.linting.checking import Kinds, lint
from dispatch.insight.linting.findings import Finding, Kind, Linted, Weight
from dispatch.insight.linting.terrain import Region, Terrain, build
from dispatch.record.judging.books import stored_book
from dispatch.record.world import Standing
from grid.areas.regions import atomic_regions
from grid.database import Database
from grid.models import Generation, Responsibility

LARGE_CUT = 0.2  # the share of the rules in force that no version takes away without a tick


def lint_version(
    database: Database,
    session: Session,
    standing: Standing,
    version: int,
    on: date,
    generation_id: int | None = None,
) -> Linted:
    """Hold a stored set of rules against the borders in force, or against those of a draft."""
    borders = generation_id or standing.generation_id
    terrain = terrain_of(database, session, borders) if borders else build([])
    found = lint(stored_book(session, version), categories_of(standing), terrain, on)
    cut = _cut(session, standing.ruleset_version, version)
    return replace(found, findings=(*found.of(Weight.ERROR), *cut, *found.of(Weight.TICK, Weight.REMARK)))


def _cut(session: Session, in_force: int, version: int) -> list[Finding]:
    """That the version lacks a large part of the rules in force, if it does."""

    def ids(of: int) -> set[str]:
        query = select(col(Responsibility.id)).where(col(Responsibility.ruleset_version) == of)
        return set(session.exec(query).all())

    present, then = ids(in_force), ids(version)
    held, gone, new = len(present), len(present - then), len(then - present)
    if gone <= LARGE_CUT * held:
        return []
    sentence = f"正在生效的 {held} 条规则里,这一版删去 {gone} 条(另新增 {new} 条)"
    return [Finding(Kind.CUT, sentence, cases=gone)]


def troubles_of_borders(
    database: Database, session: Session, standing: Standing, generation_id: int, on: date
) -> list[Finding]:
    """What the rules in force would come to in these borders that they have not come to in the present ones, if there are any."""
    if standing.generation_id is None:
        return []
    version = standing.ruleset_version
    now = {_about(f) for f in lint_version(database, session, standing, version, on).findings}
    then = lint_version(database, session, standing, version, on, generation_id)
    return [f for f in then.findings if f.weight is not Weight.REMARK and _about(f) not in now]


def _about(finding: Finding) -> tuple[object, ...]:
    """What it is about, wherever that is: new borders have new names and codes."""
    return finding.kind, finding.rules, finding.categories


def categories_of(standing: Standing) -> list[Kinds]:
    """The categories that tickets can have now, with those above them."""
    return [
        Kinds(standing.lineage(row.code), row.name, row.enforcement, row.leaf)
        for row in standing.categories.values()
        if row.retired_on is None
    ]


def terrain_of(database: Database, session: Session, generation_id: int) -> Terrain:
    """The regions of a generation; they never change, so they are worked out once in a process."""
    checksum = session.exec(select(Generation.checksum).where(Generation.id == generation_id)).one()
    return _terrain(database, generation_id, checksum)


@lru_cache(maxsize=3)
def _terrain(database: Database, generation_id: int, checksum: str | None) -> Terrain:
    with database.reading() as session:
        regions, overlays, names = atomic_regions(session, generation_id)
    return build((Region(areas, held) for areas, held in regions), overlays, names)
