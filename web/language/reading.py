"""Where the Chinese stands that pages show: Python strings, the seeds' names, the scripts. Templates name theirs by `_()`."""

import ast
import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, BinaryIO

from web.language.saying import CHINESE
from web.language.scripts import texts_of

Found = tuple[int, str | None, str, list[str]]
WORD = re.compile(r"[a-z][a-z0-9_]*", re.IGNORECASE)
SEED_COLUMNS = (
    "name",
    "label",
    "sentence",
    "text",
    "question",
    "answer",
    "choices",
    "answers",
    "words",
    "note",
)
# A string in such a call is compared with text, and never shown.
COMPARED = frozenset({"compile", "match", "fullmatch", "search", "sub", "findall", "split"})


def python(file: BinaryIO, keywords: Collection[str], tags: Collection[str], options: Any) -> Iterable[Found]:
    """Every Chinese string of a module, its documentation aside; the blanks of an f-string become `{name}`."""
    tree = ast.parse(file.read())
    skipped = _never_shown(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            text = sentence_of(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if CHINESE.search(text):
            yield node.lineno, None, text, []


def refusals(
    file: BinaryIO, keywords: Collection[str], tags: Collection[str], options: Any
) -> Iterable[Found]:
    """The Chinese strings of what a module raises, and no others."""
    source = file.read()
    raised = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Raise)]
    for found in python(io.BytesIO(source), keywords, tags, options):
        if any(one.lineno <= found[0] <= (one.end_lineno or one.lineno) for one in raised):
            yield found


def _never_shown(tree: ast.AST) -> set[ast.AST]:
    """Documentation, the pieces of f-strings (the whole is asked for), what text is compared with."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            found.update(piece for piece in node.values if isinstance(piece, ast.Constant))
            for blank in node.values:
                if isinstance(blank, ast.FormattedValue) and blank.format_spec is not None:
                    found.add(blank.format_spec)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in COMPARED:
            found.update(one for one in node.args if isinstance(one, ast.Constant))
    return found


def sentence_of(node: ast.JoinedStr) -> str:
    """An f-string with named blanks, numbered where a name comes twice."""
    text, names = "", dict[str, int]()
    for piece in node.values:
        if isinstance(piece, ast.Constant):
            text += str(piece.value)
        elif isinstance(piece, ast.FormattedValue):
            name = blank_name(piece.value)
            names[name] = names.get(name, 0) + 1
            text += "{" + (name if names[name] == 1 else f"{name}_{names[name]}") + "}"
    return text


def blank_name(node: ast.expr) -> str:
    """What fills a blank, in one word: the last name that the expression says."""
    words = [
        one.attr if isinstance(one, ast.Attribute) else one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute | ast.Name)
    ]
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "join":
        return "joined"
    name = (words[0] if words else "value").strip("_").lower()
    return name if WORD.fullmatch(name) else "value"


def seeds(file: BinaryIO, keywords: Collection[str], tags: Collection[str], options: Any) -> Iterable[Found]:
    """The names that a city starts with; one that it changes is its own, and stays as it is."""
    lines = [line for line in io.TextIOWrapper(file, "utf-8-sig") if not line.startswith("#")]
    for number, row in enumerate(csv.DictReader(lines), 2):
        for column in SEED_COLUMNS:
            text = row.get(column) or ""
            # Answers to choose from are written key=label;key=label.
            for one in (
                [part.partition("=")[2] for part in text.split(";")] if column == "choices" else [text]
            ):
                if CHINESE.search(one):
                    yield number, None, one, []


def scripts(
    file: BinaryIO, keywords: Collection[str], tags: Collection[str], options: Any
) -> Iterator[Found]:
    """The Chinese strings of a script."""
    for line, text in texts_of(file.read().decode("utf-8")):
        yield line, None, text, []
