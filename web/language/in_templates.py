"""Views hand over words from rows and errors; templates print them. This asks for their English where they are printed.

Which expressions hold the program's own words is told by their names: `given.label`, `error.message`,
`category.name`. So no template says it itself, and what people typed (`text`, `name` of a person) is never asked for.
"""

from collections.abc import Iterable, Iterator

from jinja2 import Environment
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from web.language.saying import said

# `{{ anything.label }}` and `{{ label }}`.
ATTRIBUTES = frozenset(
    {"label", "message", "sentence", "detail", "reason", "placing_reason", "routing_reason", "words_of"}
)
BARE = frozenset({"label", "message", "sentence", "reason", "notice", "mark", "problem"})
# `{{ category.name }}`, `{{ standing.categories[code].name }}`: what the last name means depends on whose it is.
OWNED = frozenset(
    {
        ("category", "name"),
        ("categories", "name"),
        ("c", "name"),
        ("clock", "name"),
        ("step", "text"),
        ("part", "title"),
        ("part", "empty"),
        ("shown", "category_path"),
        ("metric", "words"),
        ("cell", "words"),
        ("problem", "title"),
        ("row", "thing"),
        ("fact", "text"),
        ("question", "text"),
        ("r", "words"),
        ("one", "category"),
        ("row", "category"),
        ("grounds", ""),
    }
)
TABLES = frozenset(
    {"states", "labels", "kinds", "marks", "results", "grounds", "stages", "dimensions", "clocks"}
)


class ProgramWords(Extension):
    """Adds the filter `said` behind the names above, in printed expressions only."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters["said"] = said

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        printed: list[Token] | None = None
        for token in stream:
            if token.type == "variable_begin":
                printed = []
                yield token
            elif token.type == "variable_end":
                yield from with_said(printed or [])
                printed = None
                yield token
            elif printed is None:
                yield token
            else:
                printed.append(token)


def with_said(tokens: list[Token]) -> Iterator[Token]:
    """The tokens of one printed expression, with the filter behind each of the program's words."""
    for at, token in enumerate(tokens):
        yield token
        following = tokens[at + 1].type if at + 1 < len(tokens) else ""
        if following not in ("lparen", "assign", "dot", "lbracket") and _is_ours(tokens, at):
            yield Token(token.lineno, "pipe", "|")
            yield Token(token.lineno, "name", "said")


def _is_ours(tokens: list[Token], at: int) -> bool:
    token = tokens[at]
    before = tokens[at - 1].type if at else ""
    if token.type == "rbracket":
        return _owner(tokens, at) in TABLES
    if token.type != "name":
        return False
    if before == "dot":
        return token.value in ATTRIBUTES or (_owner(tokens, at - 2), token.value) in OWNED
    return token.value in BARE and before not in ("pipe", "name")


def _owner(tokens: list[Token], at: int) -> str:
    """The name before a dot: of `a.b` it is a, of `a[…]` a as well."""
    if at < 0:
        return ""
    if tokens[at].type == "rbracket":
        depth = 0
        while at >= 0:
            depth += {"rbracket": 1, "lbracket": -1}.get(tokens[at].type, 0)
            at -= 1
            if depth == 0:
                break
    return str(tokens[at].value) if at >= 0 and tokens[at].type == "name" else ""
