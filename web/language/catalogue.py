"""`make i18n`: read what pages may show, bring the catalogue up to date, compile it, and say what has no English yet."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from web.language import reading
from web.language.saying import BLANK, CATALOGUES, CHINESE

PO = CATALOGUES / "en" / "LC_MESSAGES" / "messages.po"
ROOT = CATALOGUES.parent.parent
# What is read how, in this order; the first pattern that fits decides, and None leaves a file out:
# commands speak to operators in a terminal, checks of imported files to those who made them, letters and bulletins are
# official papers (what refuses to make one is a message), notices to reporters go out as they are written, an invented city is a city.
SOURCES: tuple[tuple[str, Any], ...] = (
    ("web/cli/**/*.py", None),
    ("web/language/**/*.py", None),
    ("dispatch/rules/describing.py", None),
    ("dispatch/record/evidence/package_checker.py", None),
    ("dispatch/upkeep/**/*.py", None),
    ("dispatch/engine/parts/**/*.py", None),
    ("dispatch/engine/health/**/*.py", None),
    ("dispatch/engine/outbox.py", None),
    ("grid/settings.py", None),
    ("grid/database.py", None),
    ("grid/importing/**/*.py", None),
    ("grid/registers/**/*.py", None),
    ("web/templates/**/*.html", babel_extract),
    ("web/templates/**/*.svg", babel_extract),
    ("web/static/*.js", reading.scripts),
    ("web/static/phone/*.js", reading.scripts),
    ("web/**/*.py", reading.python),
    ("dispatch/demo/**/*.py", None),
    ("dispatch/insight/reports/*.py", reading.refusals),
    ("dispatch/data/notices.csv", None),
    ("dispatch/data/admission.csv", None),
    ("dispatch/data/*.csv", reading.seeds),
    ("dispatch/**/*.py", reading.python),
    ("grid/**/*.py", reading.python),
    ("geo/answers/**/*.py", reading.python),
    ("geo/borders.py", reading.python),
)
OPTIONS = {"trimmed": "true", "extensions": "", "silent": "false"}


def read(root: Path = ROOT) -> Catalog:
    """Every text that a page may show, with where it stands."""
    found = Catalog(locale="en", project="grid12345", fuzzy=False)
    for path, method in _files(root):
        with (root / path).open("rb") as file:
            for line, text, _, _ in extract(
                method, file, options=OPTIONS, keywords={"_": None, "gettext": None}
            ):
                texts = text if isinstance(text, tuple) else (text,)
                if CHINESE.search(texts[0]):
                    found.add(texts[0], locations=[(path, line)])
    return found


def _files(root: Path) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for pattern, method in SOURCES:
        for file in sorted(root.glob(pattern)):
            path = file.relative_to(root).as_posix()
            if path not in seen and method is not None:
                yield path, method
            seen.add(path)


def kept() -> Catalog:
    """The committed catalogue."""
    if not PO.exists():
        return Catalog(locale="en")
    with PO.open("rb") as file:
        return read_po(file, locale="en")


def brought_up_to_date() -> tuple[Catalog, Catalog]:
    """The catalogue with exactly the texts of today, and what was read."""
    found, before = read(), kept()
    for message in found:
        old = before.get(message.id) if message.id else None
        if old is not None:
            message.string = old.string
            message.flags |= old.flags & {"fuzzy"}
    return found, before


def troubles(catalogue: Catalog) -> list[str]:
    """What has no English, a doubtful one, or one that lacks a blank: `file:line: text`."""
    return [f"{_where(one)}: {wrong}: {one.id}" for one in catalogue if one.id and (wrong := _wrong(one))]


def _wrong(message: Message) -> str:
    english = str(message.string or "")
    if not english:
        return "no English"
    if message.fuzzy:
        return "fuzzy"
    if set(BLANK.findall(str(message.id))) < set(BLANK.findall(english)):
        return "unknown blank"
    if "python-format" in message.flags and list(message.check()):
        return "other blanks"
    return ""


def _where(message: Message) -> str:
    path, line = message.locations[0] if message.locations else ("?", 0)
    return f"{path}:{line}"


def main() -> int:
    """Bring the catalogue up to date, compile it, and fail when something is missing."""
    catalogue, _ = brought_up_to_date()
    PO.parent.mkdir(parents=True, exist_ok=True)
    wrong = troubles(catalogue)
    with PO.open("wb") as file:
        write_po(
            file,
            catalogue,
            width=110,
            no_location=True,
            omit_header=False,
            sort_output=True,
            ignore_obsolete=True,
        )
    with PO.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)
    print("\n".join(wrong) or f"{len(catalogue)} texts, each with its English")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
