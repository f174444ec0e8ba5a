"""Which areas have the ground of which, when one set of borders takes the place of another: split, merged, recoded.

Kept when a generation comes in force, for every code that went with it; so that an old code still says where it is now.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import shapely
from sqlmodel import Session, col, select

from geo.borders import Level
from grid.models import Area, AreaSuccessor

MOST = 0.5  # of a new area: it is made of that ground
PART = 0.1  # of an area that went: less of it is a trimmed edge

Rows = Mapping[str, Level]


@dataclass(frozen=True)
class Succession:
    """The codes that go and that come, and for codes that go, or stay with less ground, the areas that have it then."""

    gone: frozenset[str] = frozenset()
    came: frozenset[str] = frozenset()
    to: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def codes(self) -> list[str]:
        """Everything that something happens to."""
        return sorted({*self.gone, *self.to})


def compare(session: Session, former_id: int, next_id: int) -> Succession:
    """For every code that goes, who has its ground then; for one that stays, the new areas made of its ground.

    Only areas of one level follow each other. Whose ground nobody has is followed by nobody.
    """
    before, after = _levels(session, former_id), _levels(session, next_id)
    gone = {code: level for code, level in before.items() if code not in after}
    new = {code: level for code, level in after.items() if code not in before}
    found: dict[str, tuple[str, ...]] = {}
    for level in {*gone.values(), *new.values()}:
        went, came = _of_level(gone, level), _of_level(new, level)
        # What stays is read only where something went or came, and only once.
        olds = _shapes(session, former_id, _of_level(before, level) if came else went)
        news = _shapes(session, next_id, _of_level(after, level) if went else came)
        found |= _followed(olds, news, went=set(went), came=set(came))
    return Succession(frozenset(gone), frozenset(new), found)


def keep(session: Session, generation_id: int, succession: Succession) -> None:
    """Remember where the ground of the codes that went with this generation is now."""
    known = set(
        session.exec(
            select(AreaSuccessor.former_code, AreaSuccessor.code).where(
                AreaSuccessor.generation_id == generation_id
            )
        ).all()
    )
    for former in sorted(succession.gone):
        for code in succession.to.get(former, ()):
            if (former, code) not in known:
                session.add(AreaSuccessor(generation_id=generation_id, former_code=former, code=code))


def heirs(session: Session, present: Collection[str]) -> dict[str, tuple[str, ...]]:
    """For every code that ever went with its borders, the areas of the present ones that have its ground."""
    next_ones: dict[str, set[str]] = {}
    for former, code in session.exec(select(AreaSuccessor.former_code, AreaSuccessor.code)):
        next_ones.setdefault(former, set()).add(code)
    return {code: _now(code, next_ones, present) for code in next_ones if code not in present}


def _now(code: str, next_ones: Mapping[str, set[str]], present: Collection[str]) -> tuple[str, ...]:
    """From one set of borders to the next, until an area is in force."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = {code}
    while waiting:
        found |= {one for one in waiting if one in present}
        seen |= waiting
        waiting = {other for one in waiting - found for other in next_ones.get(one, ())} - seen
    return tuple(sorted(found))


def _levels(session: Session, generation_id: int) -> dict[str, Level]:
    query = select(Area.code, Area.level).where(Area.generation_id == generation_id)
    return {code: Level(level) for code, level in session.exec(query)}


def _of_level(rows: Rows, level: Level) -> list[str]:
    return sorted(code for code, its in rows.items() if its == level)


def _shapes(session: Session, generation_id: int, codes: Sequence[str]) -> dict[str, shapely.Geometry]:
    found: dict[str, bytes] = {}
    for start in range(0, len(codes), 500):
        query = select(Area.code, Area.wkb).where(
            Area.generation_id == generation_id, col(Area.code).in_(codes[start : start + 500])
        )
        found |= dict(session.exec(query).all())
    drawn = shapely.from_wkb(list(found.values()))
    return dict(zip(found, (g if g.is_valid else shapely.make_valid(g) for g in drawn), strict=True))


def _followed(
    olds: Mapping[str, shapely.Geometry],
    news: Mapping[str, shapely.Geometry],
    *,
    went: Collection[str],
    came: Collection[str],
) -> dict[str, tuple[str, ...]]:
    """Shares of ground are taken on the degrees: at one latitude both sides are stretched alike."""
    if not olds or not news:
        return {}
    old_codes, new_codes = list(olds), list(news)
    old_shapes, new_shapes = list(olds.values()), list(news.values())
    found: dict[str, set[str]] = {}
    for i, j in shapely.STRtree(new_shapes).query(old_shapes).T.tolist():
        former, code = old_codes[i], new_codes[j]
        if former == code or not (former in went or code in came):
            continue
        common = shapely.area(shapely.intersection(old_shapes[i], new_shapes[j]))
        made_of_it = code in came and common >= MOST * shapely.area(new_shapes[j])
        took_it = former in went and common >= PART * shapely.area(old_shapes[i])
        if made_of_it or took_it:
            found.setdefault(former, set()).add(code)
    return {former: tuple(sorted(codes)) for former, codes in found.items()}
