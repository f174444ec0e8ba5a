"""The rows that a city edits, as they are shipped: versioned CSV files, each row with its source.

Once seeded they belong to the database; an upgrade offers the new files as a difference. `reliability`:
S handbook of the field, O public source, D our own default, M to be confirmed by somebody who knows.
A row whose fields have the names of a table's columns can be stored as it is.
"""

import csv
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class CategoryRow:
    code: str
    name: str
    parent_code: str | None
    kind: str
    leaf: bool
    needs_text: bool
    needs_photo: bool
    verify_mode: str
    urgent: bool
    enforcement: bool
    preverify: bool
    public_space: bool
    keywords: str | None
    source: str
    reliability: str


@dataclass(frozen=True, slots=True)
class NatureRow:
    key: str
    label: str
    category_code: str
    source: str
    reliability: str


@dataclass(frozen=True, slots=True)
class TimeLimitRow:
    id: str
    stage: str
    category_code: str | None
    nature: str | None
    urgent: bool | None
    amount: float
    unit: str
    source: str
    reliability: str


@dataclass(frozen=True, slots=True)
class StagedLimitRow:
    category_code: str
    step: int
    name: str
    amount: float
    unit: str
    source: str
    reliability: str


@dataclass(frozen=True, slots=True)
class EscalationRow:
    clock: str
    name: str
    percent: int
    after_amount: float | None
    after_unit: str | None
    urgent: bool
    tell: str
    source: str
    reliability: str


@dataclass(frozen=True, slots=True)
class QuestionRow:
    id: str
    category_code: str
    step: int
    text: str
    choices: str
    stop_on: str | None
    stop_text: str | None
    stop_phone: str | None
    source: str
    reliability: str


@dataclass(frozen=True, slots=True)
class OrganisationKindRow:
    kind: str
    label: str
    level: str
    enforcement: bool
    duty_24x7: bool
    grassroots: bool
    source: str
    reliability: str


@dataclass(frozen=True, slots=True)
class ResponsibilityRow:
    id: str
    category_code: str | None
    area_code: str | None
    overlay_code: str | None
    source_kind: str | None
    time_band: str | None
    main: str
    assistants: str | None
    valid_from: str | None
    valid_to: str | None
    note: str | None
    source: str
    reliability: str


@dataclass(frozen=True, slots=True)
class AdmissionRow:
    id: str
    matter: str
    category_code: str | None
    organisation_kind: str
    applies_to: str
    clause: str
    source: str
    reliability: str


@dataclass(frozen=True, slots=True)
class RefusalCodeRow:
    code: str
    label: str
    sentence: str
    second_person: bool
    source: str
    reliability: str


@dataclass(frozen=True, slots=True)
class ObjectionReasonRow:
    code: str
    label: str
    explain: str
    source: str
    reliability: str


@dataclass(frozen=True, slots=True)
class NoticeRow:
    id: str
    happening: str
    audience: str
    urgent: bool
    channel: str
    text: str
    source: str
    reliability: str


Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class SeedFile(Generic[Row]):
    """One shipped file: its rows, what it calls its version, and the checksum of its bytes."""

    name: str
    version: str
    sha256: str
    rows: tuple[Row, ...]


def _number(text: str) -> float:
    return float(Fraction(text))


def _flag(text: str) -> bool:
    return {"1": True, "0": False}[text]


READERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    bool: _flag,
    float: _number,
    str | None: lambda text: text or None,
    bool | None: lambda text: _flag(text) if text else None,
    float | None: lambda text: _number(text) if text else None,
}


def read_rows(text: str, row_type: type[Row], name: str) -> tuple[Row, ...]:
    """Rows of a CSV text under `#` comment lines, each value read as its field says.

    Raises
    ------
    ValueError
        Naming file, row and column of the first value that cannot be read.
    """
    lines = text.lstrip("\ufeff").splitlines()
    head = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    reader = csv.DictReader(lines[head:])
    columns = {field.name: field.type for field in fields(row_type)}  # type: ignore[arg-type]
    if list(reader.fieldnames or ()) != list(columns):
        raise ValueError(f"{name}:列名应为 {','.join(columns)}")
    rows = []
    for number, record in enumerate(reader, start=head + 2):
        values = {}
        for column, kind in columns.items():
            try:
                values[column] = READERS[kind](record[column])
            except (KeyError, ValueError, TypeError, ZeroDivisionError) as error:
                raise ValueError(f"{name} 第 {number} 行:{column} 的值“{record[column]}”读不懂") from error
        rows.append(row_type(**values))
    return tuple(rows)


@cache
def _shipped(name: str, row_type: type[Row]) -> SeedFile[Row]:
    data = (HERE / name).read_bytes()
    text = data.decode("utf-8")
    version = text.splitlines()[0].removeprefix("# version:").strip()
    return SeedFile(name, version, hashlib.sha256(data).hexdigest(), read_rows(text, row_type, name))


def categories() -> SeedFile[CategoryRow]:
    return _shipped("categories.csv", CategoryRow)


def natures() -> SeedFile[NatureRow]:
    return _shipped("natures.csv", NatureRow)


def time_limits() -> SeedFile[TimeLimitRow]:
    return _shipped("time_limits.csv", TimeLimitRow)


def staged_limits() -> SeedFile[StagedLimitRow]:
    return _shipped("staged_limits.csv", StagedLimitRow)


def escalation() -> SeedFile[EscalationRow]:
    return _shipped("escalation.csv", EscalationRow)


def questions() -> SeedFile[QuestionRow]:
    return _shipped("questions.csv", QuestionRow)


def organisation_kinds() -> SeedFile[OrganisationKindRow]:
    return _shipped("organisation_kinds.csv", OrganisationKindRow)


def responsibilities() -> SeedFile[ResponsibilityRow]:
    return _shipped("responsibilities.csv", ResponsibilityRow)


def admission() -> SeedFile[AdmissionRow]:
    return _shipped("admission.csv", AdmissionRow)


def refusal_codes() -> SeedFile[RefusalCodeRow]:
    return _shipped("refusal_codes.csv", RefusalCodeRow)


def objection_reasons() -> SeedFile[ObjectionReasonRow]:
    return _shipped("objection_reasons.csv", ObjectionReasonRow)


def notices() -> SeedFile[NoticeRow]:
    return _shipped("notices.csv", NoticeRow)


def all_files() -> tuple[SeedFile[Any], ...]:
    """Every shipped file, for checksums and for comparing an upgrade."""
    return (
        categories(),
        natures(),
        time_limits(),
        staged_limits(),
        escalation(),
        questions(),
        organisation_kinds(),
        responsibilities(),
        admission(),
        refusal_codes(),
        objection_reasons(),
        notices(),
    )


def checksum() -> str:
    """One checksum over all shipped files; a published set of rules keeps it."""
    return hashlib.sha256("".join(file.sha256 for file in all_files()).encode()).hexdigest()
