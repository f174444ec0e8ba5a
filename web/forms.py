"""What may come in, as pydantic classes: pages, the API and its OpenAPI document use the same ones.

Table classes never see request data. Every class refuses fields it does not know.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    create_model,
)
from pydantic.fields import FieldInfo
from sqlalchemy import ColumnElement, or_
from sqlmodel import col
from werkzeug.datastructures import MultiDict

from dispatch.record.models import Queue, Ticket
from dispatch.rules.workflow import BY_ACTION, Given, GivenKind, Need, State
from grid.errors import InputError
from web.sentences import field_sentences

Form = TypeVar("Form", bound="Strict")

MAX_PHOTOS = 9
# 2 added the answers to a category's questions; a page that has stood open since before still sends 1.
PAYLOAD_VERSION = 2
MAX_WORDS = 2000
LEAST_SATISFIED = 3


def _none_if_empty(value: object) -> object:
    """A field left empty in a page counts as not given."""
    if isinstance(value, str) and not value.strip():
        return None
    return value


Empty = BeforeValidator(_none_if_empty)
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
Long = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_WORDS)]
Words = Annotated[Long | None, Empty]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Frames = Literal["wgs84", "gcj02", "bd09", "cgcs2000"]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Phone = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9][0-9 \-]{5,19}$")] | None,
    Empty,
]


class Strict(BaseModel):
    """A form that knows all its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=MAX_WORDS)


class SignInForm(Strict):
    login: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class PasswordForm(Strict):
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class FirstAdministratorForm(SignInForm):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class AccountForm(Strict):
    """A new account with its first post."""

    login: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    phone: Phone = None
    role: Code
    organisation_code: Code
    area_code: Annotated[Code | None, Empty] = None


class PostForm(Strict):
    """One more post of an account."""

    role: Code
    organisation_code: Code
    area_code: Annotated[Code | None, Empty] = None


class ReporterIn(Strict):
    """Whose request it is, with their consent to be called back."""

    name: Annotated[Short | None, Empty] = None
    phone: Phone = None
    consented: bool = False
    confidential: bool = False
    notice_version: Annotated[Short | None, Empty] = None


class ReportIn(Strict):
    """A report, of this or an earlier `payload_version`. `client_uuid` makes repeating it harmless: the same one is always answered by the same ticket."""

    payload_version: Literal[1, 2] = 1
    client_uuid: UUID
    source: Literal["patrol", "on_behalf", "hotline"] = "patrol"
    mode: Literal["report", "remind", "self_handled"] = "report"
    category_code: Code
    nature: Annotated[
        Literal["consult", "help", "complaint", "report", "suggestion", "praise", "other"] | None, Empty
    ] = None
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    frame: Frames
    accuracy_m: Annotated[Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None, Empty] = None
    location_source: Literal["browser", "map", "grid", "address"] = "browser"
    captured_at: Annotated[AwareDatetime | None, Empty] = None
    text: Words = None
    photos: Annotated[tuple[Sha256, ...], Field(max_length=MAX_PHOTOS)] = ()
    chosen_grid: Annotated[Code | None, Empty] = None
    joins: Annotated[Code | None, Empty] = None
    accused: Annotated[Code | None, Empty] = None
    apart: bool = False
    answers: Annotated[dict[Code, Code] | None, Field(max_length=12)] = None
    reporter: ReporterIn | None = None


class PlaceForm(Strict):
    """A place, to learn in whose grid it lies."""

    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    accuracy_m: Annotated[Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None, Empty] = None


class NearForm(Strict):
    """A place and a category, to learn what is open close by."""

    category_code: Code
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class TakenForm(Strict):
    """What the phone says of a photo: where and when it was taken, and what its file said before it was shrunk."""

    at: Annotated[AwareDatetime | None, Empty] = None
    lon: Annotated[Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None, Empty] = None
    lat: Annotated[Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None, Empty] = None
    accuracy_m: Annotated[Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None, Empty] = None
    exif_at: Annotated[Short | None, Empty] = None
    exif_lon: Annotated[Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None, Empty] = None
    exif_lat: Annotated[Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None, Empty] = None
    original_sha256: Annotated[Sha256 | None, Empty] = None
    original_bytes: Annotated[Annotated[int, Field(ge=0)] | None, Empty] = None
    covered: bool = False


class ScanForm(Strict):
    """A report from a grid's code: a category or a word of doubt, and whatever else the resident likes to say."""

    client_uuid: UUID
    category_code: Code
    text: Words = None
    lon: Annotated[Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None, Empty] = None
    lat: Annotated[Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None, Empty] = None
    accuracy_m: Annotated[Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None, Empty] = None
    chosen_grid: Annotated[Code | None, Empty] = None
    joins: Annotated[Code | None, Empty] = None
    apart: bool = False
    phone: Phone = None
    consented: Annotated[Literal["yes"] | None, Empty] = None


class AnswerForm(Strict):
    """What the reporter says of the outcome."""

    solved: Literal["solved", "partly", "unsolved"]
    satisfaction: Annotated[Annotated[int, Field(ge=1, le=5)] | None, Empty] = None
    words: Words = None

    @property
    def is_content(self) -> bool:
        """Whether the matter can be closed: solved at least in part, and nobody says they are dissatisfied."""
        return self.solved != "unsolved" and (
            self.satisfaction is None or self.satisfaction >= LEAST_SATISFIED
        )


class ActionIn(Strict):
    """One action on a ticket: what it gives, the version that was seen, and a key that makes repeating harmless."""

    given: dict[str, Any] = Field(default_factory=dict)
    expected_version: Annotated[int | None, Empty] = None
    request_key: Annotated[UUID | None, Empty] = None


def check(kind: type[Form], values: Mapping[str, object]) -> Form:
    """The values as a form.

    Raises
    ------
    InputError
        With a sentence for every wrong field.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InputError("填写有误,请按提示修改后重新提交", field_sentences(error, kind)) from None


def read_form(kind: type[Form], posted: MultiDict[str, str], **more: object) -> Form:
    """A posted page's fields as a form; the page's own technical fields are left out."""
    values: dict[str, object] = {}
    for name, info in kind.model_fields.items():
        if name in posted:
            values[name] = posted.getlist(name) if _holds_many(info) else posted[name]
    return check(kind, {**values, **more})


def _holds_many(info: FieldInfo) -> bool:
    return getattr(info.annotation, "__origin__", None) is tuple


@cache
def given_form(action: str) -> type[Strict]:
    """The form of what an action must be given, from its transition row."""
    fields: dict[str, Any] = {given.name: _field_of(given) for given in BY_ACTION[action].given}
    return create_model(f"Given_{action}", __base__=Strict, **fields)


def _field_of(given: Given) -> tuple[Any, Any]:
    kind = _KINDS[given.kind]
    if given.kind is GivenKind.CHOICE:
        kind = Literal[tuple(key for key, _ in given.choices)]
    required = given.need is Need.ALWAYS
    if given.kind is GivenKind.PHOTOS:
        return (kind, Field(default=(), title=given.label))
    if required:
        return (kind, Field(title=given.label))
    return (Annotated[kind | None, Empty], Field(default=None, title=given.label))


_KINDS: dict[GivenKind, Any] = {
    GivenKind.STATEMENT: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_WORDS)
    ],
    GivenKind.CHOICE: str,
    GivenKind.PHOTOS: Annotated[tuple[Sha256, ...], Field(max_length=MAX_PHOTOS)],
    GivenKind.ORGANISATION: Code,
    GivenKind.ORGANISATIONS: Annotated[tuple[Code, ...], Field(min_length=1, max_length=20)],
    GivenKind.AREA: Code,
    GivenKind.CATEGORY: Code,
    GivenKind.CODE: Code,
    GivenKind.INSTANT: datetime,
    GivenKind.SCORE: Annotated[int, Field(ge=1, le=5)],
}


def read_given(action: str, values: Mapping[str, object]) -> dict[str, object]:
    """What an action was given, checked by its row; fields left empty are left out."""
    form = check(given_form(action), values)
    return {name: value for name, value in form if value not in (None, ())}


class TicketsQuery(Strict):
    """Which tickets a list asks for; `after` is the `next` of the page before."""

    state: Annotated[State | None, Empty] = None
    queue: Annotated[Queue | None, Empty] = None
    overdue: Annotated[bool | None, Empty] = None
    after: Annotated[Annotated[str, StringConstraints(max_length=100)] | None, Empty] = None
    size: Annotated[int, Field(ge=1, le=200)] = 50

    def conditions(self, at: datetime) -> list[ColumnElement[bool]]:
        """The query as conditions on `Ticket`; overdue is what lists call so at that instant."""
        found = [
            col(column) == value
            for column, value in ((Ticket.state, self.state), (Ticket.queue, self.queue))
            if value is not None
        ]
        if self.overdue is None:
            return found
        is_late = col(Ticket.due_at) <= at
        return [*found, is_late if self.overdue else or_(col(Ticket.due_at).is_(None), ~is_late)]

    def after_key(self) -> tuple[datetime | None, UUID] | None:
        """The last row of the page before; what has no limit running has no instant."""
        if self.after is None:
            return None
        instant, _, key = self.after.partition("~")
        try:
            return datetime.fromisoformat(instant) if instant else None, UUID(key)
        except ValueError:
            raise InputError("翻页参数有误,请从第一页重新打开", {"after": "格式不对"}) from None
