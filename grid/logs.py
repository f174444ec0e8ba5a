"""Logs for machines: one JSON object a line, with request id and ticket code, and nobody's particulars.

A message is masked before it is written: whatever looks like a telephone or identity number loses its middle. Of an
error only its kind and the places in the code are kept; its own words may quote what somebody typed.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO

from grid.errors import GridError

LONGEST_MESSAGE = 2000
# What some reader may take for the end of a line or a command to the terminal, and JSON leaves as it is.
BREAKS = re.compile("[\x7f-\x9f\u2028\u2029]")
LONG_NUMBER = re.compile(r"\d{7,}[0-9Xx]?")
_SAFE = frozenset(vars(logging.makeLogRecord({})))

_bound: ContextVar[dict[str, str]] = ContextVar("bound", default={})  # noqa: B039 - never changed in place


@contextmanager
def bound(**facts: str) -> Iterator[None]:
    """Say these facts (`request`, `ticket`) on every line written inside the block."""
    before = _bound.set({**_bound.get(), **facts})
    try:
        yield
    finally:
        _bound.reset(before)


def bind(**facts: str) -> None:
    """Say these facts on every further line of this thread or task."""
    _bound.set({**_bound.get(), **facts})


def unbind() -> None:
    """Forget what was bound: a thread serves one request after the other."""
    _bound.set({})


class JsonLines(logging.Formatter):
    """One record, one line, whatever is in it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage())[:LONGEST_MESSAGE],
            **_bound.get(),
        }
        for name, value in vars(record).items():
            if name not in _SAFE and name not in line and name not in ("message", "asctime"):
                line[name] = value if isinstance(value, int | float | bool) else masked(str(value))
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = error_of(record.exc_info[1])
        return BREAKS.sub(_escaped, json.dumps(line, ensure_ascii=False, default=str))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def masked(text: str) -> str:
    """The text with the middle of every long number hidden."""
    return LONG_NUMBER.sub(lambda found: f"{found[0][:3]}****{found[0][-2:]}", text)


def error_of(error: BaseException) -> dict[str, object]:
    """An error's kind and where it came from; the words of our own errors, which quote nobody."""
    places = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    found: dict[str, object] = {"kind": type(error).__name__, "places": places[-12:]}
    if isinstance(error, GridError):
        found["words"] = masked(error.message)
    if error.__cause__ is not None and error.__cause__ is not error:
        found["cause"] = error_of(error.__cause__)
    return found


def set_up(stream: IO[str] | None = None) -> None:
    """Make this process write JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("alembic", "waitress.queue"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
