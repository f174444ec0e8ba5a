"""The English of a finished sentence: the catalogue's entry, or the entry whose blanks it fills.

Rules and readers write whole Chinese sentences and store them with a ticket. Extraction turns the blanks of such a
sentence into `{name}`; here the blanks are read back out of the sentence. What fills a blank stays as it is, unless the
blank's own name says that the program wrote it (`label`, `sentence`, …): a name or words that somebody typed never change.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from babel.messages.mofile import read_mo
from markupsafe import Markup

from web.language.spoken import language

CATALOGUES = Path(__file__).parent.parent / "translations"
BLANK = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
OWN_WORDS = re.compile(
    r"label|sentence|reason|words|joined|duration|problem|missing|detail|listed|span|why|message|kind|unit|state|said|clock|basis|category|given|weekday|length|nearest|date|^join$"
)
# What fills these blanks is known well enough not to swallow the words beside it.
NARROW = {
    "weekdays": "周?.",
    "month": r"\d+",
    "day": r"\d+",
    "date": "[^,]+?",
    "moment": "[^,]+?",
    "end": "[^,]+?",
    "hours": r"[\d.]+",
    "minutes": r"[\d.]+",
}
MOST_KEPT = 8192
# Where a sentence is put together of sentences: what stands between them, and how English writes it.
JOINTS = re.compile(r"([;。,、·\n()]|:(?!\d)|\s[+›]\s|(?<=\w)/|(?<=\d) (?=工作|紧急|自然))")
JOINTS_IN_ENGLISH = {
    ";": "; ",
    "。": ". ",
    ":": ": ",
    ",": ", ",
    "、": ", ",
    "(": " (",
    ")": ")",
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence with blanks: what to look for before trying, the sentence, its English."""

    clue: str
    fits: re.Pattern[str]
    english: str
    weight: int


class Book:
    """All sentences of one catalogue."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self.plain = {key: text for key, text in sentences.items() if text and not BLANK.search(key)}
        patterns = [pattern_of(key, text) for key, text in sentences.items() if text and BLANK.search(key)]
        # The sentence that says most in its own words comes first.
        self.patterns = sorted(patterns, key=lambda one: (-one.weight, one.fits.groups))
        self.say = lru_cache(maxsize=MOST_KEPT)(partial(self._say, parts=True))

    def _say(self, text: str, *, parts: bool) -> str:
        if not CHINESE.search(text):
            return text
        found = self.plain.get(text)
        if found is not None:
            return found
        best, fewest = "", 0
        for one in self.patterns:
            if one.clue in text and (match := one.fits.fullmatch(text)):
                filled = {
                    name: self.say(value) if OWN_WORDS.search(name) else value
                    for name, value in match.groupdict().items()
                }
                # A blank that swallowed the next sentence keeps more Chinese than a pattern that fits.
                left = sum(len(CHINESE.findall(filled[name])) for name in filled if OWN_WORDS.search(name))
                if not best or left < fewest:
                    best, fewest = one.english.format_map(filled), left
                if not left:
                    break
        if best and (not fewest or not parts):
            return best
        joined = self._joined(text) if parts else text
        if best and len(CHINESE.findall(best)) <= len(CHINESE.findall(joined)):
            return best
        return joined

    def _joined(self, text: str) -> str:
        """A text of several sentences, each said on its own; the joints only change when something else did."""
        pieces = JOINTS.split(text)
        if len(pieces) == 1:
            return text
        said = [self._say(one, parts=False) if at % 2 == 0 else one for at, one in enumerate(pieces)]
        if said == pieces:
            return text
        together = "".join(
            JOINTS_IN_ENGLISH.get(one, one) if at % 2 else one.strip() for at, one in enumerate(said)
        )
        return together.strip()


def pattern_of(key: str, english: str) -> Pattern:
    """A sentence with blanks as something that finished sentences can be held against."""
    seen: set[str] = set()

    def blank(match: re.Match[str]) -> str:
        if match[1] in seen:
            return f"(?P={match[1]})"
        seen.add(match[1])
        return f"(?P<{match[1]}>{NARROW.get(match[1].rstrip('_0123456789'), '.*?')})"

    literal = BLANK.split(key)[::2]
    fits = "".join(
        re.escape(piece) if at % 2 == 0 else blank(BLANK.fullmatch("{" + piece + "}"))  # type: ignore[arg-type]
        for at, piece in enumerate(BLANK.split(key))
    )
    return Pattern(max(literal, key=len), re.compile(fits, re.DOTALL), english, sum(map(len, literal)))


def book(wanted: str | None = None) -> Book | None:
    """The sentences in a language, else in this request's; None where they are said as they were written."""
    asked = wanted or language()
    return None if asked == "zh" else _read(asked)


@cache
def _read(asked: str) -> Book:
    file = CATALOGUES / asked / "LC_MESSAGES" / "messages.mo"
    with file.open("rb") as handle:
        entries = read_mo(handle)
    return Book({str(one.id): str(one.string) for one in entries if one.id and one.string})


def said(text: Any) -> Any:
    """The program's own words in this request's language."""
    if not isinstance(text, str) or isinstance(text, Markup):
        return text
    found = book()
    return text if found is None else found.say(text)
