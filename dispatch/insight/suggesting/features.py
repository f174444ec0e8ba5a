"""A text and where and when it was said, as numbers of features: parts of one to three characters, area, month, hour."""

import zlib
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

SIZE = 1 << 15
LONGEST_TEXT = 300
GRAMS = (1, 2, 3)


def features(
    text: str, *, area_code: str | None = None, at: datetime | None = None, zone: str = "UTC"
) -> list[int]:
    """Numbers below `SIZE`, each once; two different parts share a number so rarely that it does not matter."""
    found = {number(part) for part in _parts(text)}
    if area_code:
        found.add(number(f"@{area_code}"))
    if at is not None:
        local = at.astimezone(ZoneInfo(zone))
        found.add(number(f"#m{local.month}"))
        found.add(number(f"#h{local.hour // 4}"))
    return sorted(found)


@lru_cache(maxsize=1 << 16)
def number(part: str) -> int:
    return zlib.crc32(part.encode()) & (SIZE - 1)


def _parts(text: str) -> Iterator[str]:
    plain = "".join(c if c.isalnum() else " " for c in text.lower()[:LONGEST_TEXT])
    for word in plain.split():
        if word.isascii():
            yield f"w{word}"
        for size in GRAMS:
            for at in range(len(word) - size + 1):
                yield word[at : at + size]
