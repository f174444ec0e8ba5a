"""Finding a place by its name without the net: any two characters in a row, a part of a word, or pinyin initials."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert
from sqlmodel import Session, col, select

from grid.auditing import record_change
from grid.permissions import Actor
from grid.registers.initials import initials
from grid.registers.tables import PlaceGram, PlaceName

LONGEST_QUERY = 40
LOOKED_AT = 60
SHOWN = 8
BATCH = 2000


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A name with its position in WGS-84; `spoken` are pinyin initials where the name's own would mislead."""

    name: str
    kind: str
    lon: float
    lat: float
    address: str | None = None
    spoken: str | None = None


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place that the words may mean, and how well they fit: 1 is the very name."""

    name: str
    kind: str
    lon: float
    lat: float
    address: str | None
    fit: float


def find(session: Session, words: str, *, most: int = SHOWN) -> list[FoundPlace]:
    """The places that the words may mean, the likeliest first."""
    asked = _plain(words)[:LONGEST_QUERY]
    if not asked:
        return []
    rows = _by_initials(session, asked) if asked.isascii() else _by_grams(session, asked)
    found = [
        FoundPlace(row.name, row.kind, row.lon, row.lat, row.address, round(_fit(asked, row), 3))
        for row in rows
    ]
    return sorted(found, key=lambda place: (-place.fit, len(place.name), place.name))[:most]


def replace(
    session: Session, places: Iterable[NamedPlace], source: str, actor: Actor | None, now: datetime
) -> int:
    """Put the places of one source in the place of what it gave before; the caller commits."""
    old = select(PlaceName.id).where(PlaceName.source == source)
    session.execute(delete(PlaceGram).where(col(PlaceGram.place_id).in_(old)))
    session.execute(delete(PlaceName).where(col(PlaceName.source) == source))
    last = int(session.execute(select(func.max(PlaceName.id))).scalar_one() or 0)
    rows, grams = [], []
    for number, place in enumerate(places, start=last + 1):
        rows.append(
            {
                "id": number,
                "name": place.name,
                "kind": place.kind,
                "address": place.address,
                "initials": (place.spoken or initials(place.name)).lower(),
                "lon": place.lon,
                "lat": place.lat,
                "source": source,
            }
        )
        words = _plain(place.name + (place.address or ""))
        grams += [{"gram": gram, "place_id": number} for gram in _grams(words)]
    for table, values in ((PlaceName, rows), (PlaceGram, grams)):
        for start in range(0, len(values), BATCH):
            session.execute(insert(table), values[start : start + BATCH])
    record_change(session, actor, "gazetteer", source, "import", after={"places": len(rows)}, now=now)
    return len(rows)


def _by_grams(session: Session, asked: str) -> list[PlaceName]:
    """Those that share the most pairs of characters; one character is looked for at the beginning."""
    if len(asked) == 1:
        begins = select(PlaceName).where(col(PlaceName.name).startswith(asked, autoescape=True))
        return list(session.exec(begins.order_by(PlaceName.name).limit(LOOKED_AT)))
    shared = (
        select(PlaceGram.place_id)
        .where(col(PlaceGram.gram).in_(_grams(asked)))
        .group_by(col(PlaceGram.place_id))
        .order_by(func.count().desc(), col(PlaceGram.place_id))
        .limit(LOOKED_AT)
    )
    return list(session.exec(select(PlaceName).where(col(PlaceName.id).in_(shared))))


def _by_initials(session: Session, asked: str) -> list[PlaceName]:
    begins = select(PlaceName).where(col(PlaceName.initials).startswith(asked, autoescape=True))
    found = list(session.exec(begins.order_by(PlaceName.initials).limit(LOOKED_AT)))
    if len(found) < SHOWN and len(asked) > 1:
        holds = col(PlaceName.initials).contains(asked, autoescape=True)
        known = {row.id for row in found}
        more = session.exec(select(PlaceName).where(holds).limit(LOOKED_AT))
        found += [row for row in more if row.id not in known]
    return found


def _fit(asked: str, row: PlaceName) -> float:
    """How much of what was asked the name holds, and how much of the name was asked for."""
    name = row.initials if asked.isascii() else _plain(row.name)
    if asked == name:
        return 1.0
    if asked in name:
        return 0.6 + 0.3 * len(asked) / len(name) + (0.05 if name.startswith(asked) else 0.0)
    wanted, held = set(_grams(asked)), set(_grams(name + _plain(row.address or "")))
    return 0.6 * len(wanted & held) / len(wanted) if wanted else 0.0


def _grams(words: str) -> list[str]:
    return list(dict.fromkeys(_pairs(words)))


def _pairs(words: str) -> Iterator[str]:
    for at in range(len(words) - 1):
        yield words[at : at + 2]


def _plain(words: str) -> str:
    return "".join(sign for sign in words.lower() if sign.isalnum())
