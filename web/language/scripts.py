"""The scripts in English: the same files, with the words of their strings exchanged when they are served.

So a script is written in one language and stays what it is. The blanks of a template string count from 1.
"""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, current_app, url_for
from flask.typing import ResponseReturnValue

from grid.errors import NotFound
from web.gate.access import public
from web.language.saying import CATALOGUES, CHINESE, Book, book
from web.language.spoken import language

blueprint = Blueprint("scripts", __name__)

YEAR_S = 365 * 24 * 3600
# What a script is made of, as far as it matters where its strings are; a regular expression follows a sign, never a value.
PIECE = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<template>`)
    |(?P<regex>(?<=[(,=:\[!&|?{};\n])\s*/(?![*/])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*)
    |(?P<open>\{)|(?P<close>\})
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
Say = Callable[[str, int], str]


def texts_of(source: str) -> list[tuple[int, str]]:
    """The Chinese texts of a script with their lines."""
    found: list[tuple[int, str]] = []

    def note(text: str, at: int) -> str:
        found.append((source.count("\n", 0, at) + 1, text))
        return text

    exchanged(source, note)
    return found


def exchanged(source: str, say: Say) -> str:
    """The script with each of its Chinese texts as `say` says it."""
    return _code(source, 0, say, nested=False)[0]


def _code(source: str, at: int, say: Say, *, nested: bool) -> tuple[str, int]:
    """Code up to its end, or up to the brace that closes a blank."""
    out, depth = [], 0
    while at < len(source):
        match = PIECE.match(source, at)
        assert match is not None
        kind, piece = match.lastgroup, match[0]
        if kind == "template":
            piece, at = _template(source, match.end(), say)
            out.append(piece)
            continue
        if kind == "close" and nested and depth == 0:
            return "".join(out), match.end()
        depth += {"open": 1, "close": -1}.get(kind or "", 0)
        if kind == "string" and CHINESE.search(piece):
            piece = quoted(say(piece[1:-1], at))
        out.append(piece)
        at = match.end()
    return "".join(out), at


def _template(source: str, at: int, say: Say) -> tuple[str, int]:
    """A template string: its words as one text with numbered blanks, its blanks as code."""
    begin, text, blanks = at, "", list[str]()
    while source[at] != "`":
        if source.startswith("${", at):
            code, at = _code(source, at + 2, say, nested=True)
            blanks.append(code)
            text += "{" + str(len(blanks)) + "}"
        else:
            step = 2 if source[at] == "\\" else 1
            text += source[at : at + step]
            at += step
    if CHINESE.search(text):
        text = say(text, begin).replace("`", "\\`")
    filled = re.sub(r"\{(\d+)\}", lambda match: "${" + blanks[int(match[1]) - 1] + "}", text)
    return f"`{filled}`", at + 1


def quoted(text: str) -> str:
    """A text as a string of JavaScript."""
    return '"' + re.sub(r'(?<!\\)"', r"\"", text) + '"'


def address(name: str, version: str) -> str:
    """Where a file is in this request's language: what is no script, or has no words, is the same in all."""
    if language() == "zh" or name.startswith("vendor/") or not name.endswith(".js"):
        return url_for("static", filename=name, v=version)
    return url_for("scripts.script", lang=language(), name=name, v=f"{version}-{_edition()}")


@cache
def _edition() -> str:
    """Which catalogue; a changed one changes the addresses of the scripts."""
    return hashlib.sha256((CATALOGUES / "en" / "LC_MESSAGES" / "messages.mo").read_bytes()).hexdigest()[:8]


@blueprint.get("/static/<any(en):lang>/<path:name>")
@public
def script(lang: str, name: str) -> ResponseReturnValue:
    """One script in that language."""
    folder = Path(current_app.static_folder or "").resolve()
    file = (folder / name).resolve()
    if file.suffix != ".js" or not file.is_relative_to(folder) or not file.is_file():
        raise NotFound("没有这个文件")
    words = book(lang)
    body = file.read_text("utf-8")
    response = Response(translated(body, words) if words else body, mimetype="text/javascript")
    response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    return response


def translated(source: str, words: Book) -> str:
    """The script with the words of that catalogue; what it lacks stays Chinese."""
    return exchanged(source, lambda text, _at: words.plain.get(text, text))
