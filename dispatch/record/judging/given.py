"""Checks what was given with an action against the fields of its row, all problems at once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record.judging.checking import CHECKS, Asked
from dispatch.record.models import StoredPhoto
from dispatch.record.world import Standing
from dispatch.rules.workflow import Given, GivenKind, Need, Transition
from grid.errors import InputError
from grid.models import Category

MAX_STATEMENT = 5000
MAX_PHOTOS = 9
MAX_CODE = 64


def checked(
    session: Session,
    row: Transition,
    given: Mapping[str, Any],
    standing: Standing,
    category: Category,
    asked: Asked | None = None,
) -> dict[str, Any]:
    """The given values, trimmed and typed; with what is `asked` of, the rows' named checks are made as well.

    Raises
    ------
    InputError
        `fields` names every field with what is wrong and what to do.
    """
    known = {field.name for field in row.given}
    wrong = {name: "这个动作没有此项,请删去" for name in given if name not in known}
    values: dict[str, Any] = {}
    for field in row.given:
        value = _trimmed(given.get(field.name))
        if value in (None, "", ()):
            if is_needed(field, category):
                wrong[field.name] = (
                    f"请填写“{field.label}”" if field.kind is not GivenKind.PHOTOS else "请拍一张照片"
                )
            continue
        problem = _problem(session, field, value, standing)
        if problem is None and field.check and asked is not None:
            problem = CHECKS[field.check](value, asked)
        if problem is None:
            values[field.name] = _kept(field, value)
        else:
            wrong[field.name] = problem
    if wrong:
        raise InputError(f"“{row.label}”没有提交:" + ";".join(dict.fromkeys(wrong.values())), wrong)
    return values


def _kept(field: Given, value: Any) -> Any:
    if field.kind is GivenKind.SCORE:
        return int(value)
    if field.kind is GivenKind.ORGANISATIONS and isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def is_needed(field: Given, category: Category) -> bool:
    """Whether the field must be given for this category."""
    if field.need in (Need.CATEGORY_PHOTO, Need.CATEGORY_VERIFY_PHOTO):
        return category.needs_photo
    if field.need is Need.ENFORCEMENT:
        return category.enforcement and category.verify_mode == "field"
    return field.need is Need.ALWAYS


def is_asked(field: Given, category: Category) -> bool:
    """Whether the field has a meaning for this category at all."""
    return field.need is not Need.ENFORCEMENT or is_needed(field, category)


def _trimmed(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip()
    return tuple(value) if isinstance(value, list | set) else value


def _problem(session: Session, field: Given, value: Any, standing: Standing) -> str | None:
    """What is wrong with one value, or None."""
    if field.kind is GivenKind.PHOTOS:
        return _photos_problem(session, value)
    if field.kind is GivenKind.INSTANT:
        return None if isinstance(value, datetime) and value.tzinfo else f"“{field.label}”须是带时区的时刻"
    if field.kind is GivenKind.ORGANISATIONS:
        return _units_problem(value, standing)
    text = str(value)
    if field.kind is GivenKind.CODE:
        return None if len(text) <= MAX_CODE else f"“{field.label}”太长,请核对编号"
    if field.kind is GivenKind.CATEGORY:
        known = standing.categories.get(text)
        return None if known and known.leaf and not known.retired_on else f"没有类别 {text},请选择具体小类"
    if field.kind in (GivenKind.CHOICE, GivenKind.SCORE):
        choices = dict(field.choices)
        return None if text in choices else f"“{field.label}”请从 {'、'.join(choices.values())} 中选"
    if field.kind is GivenKind.ORGANISATION:
        organisation = standing.organisations.get(text)
        return None if organisation and not organisation.closed_on else f"没有单位 {text},请重新选择"
    if field.kind is GivenKind.AREA:
        return None if text in standing.areas else f"没有网格 {text},请重新选择"
    return None if len(text) <= MAX_STATEMENT else f"“{field.label}”请不要超过 {MAX_STATEMENT} 字"


def _units_problem(value: Any, standing: Standing) -> str | None:
    codes = value if isinstance(value, tuple) else tuple(part.strip() for part in str(value).split(","))
    found = [standing.organisations.get(str(code)) for code in codes]
    unknown = [str(code) for code, unit in zip(codes, found, strict=True) if unit is None or unit.closed_on]
    return f"没有单位 {'、'.join(unknown)},请重新选择" if unknown else None


def _photos_problem(session: Session, value: Any) -> str | None:
    if not isinstance(value, tuple) or not all(isinstance(item, str) for item in value):
        return "照片须先上传,再填写其编号"
    if len(value) > MAX_PHOTOS:
        return f"照片最多 {MAX_PHOTOS} 张"
    query = select(col(StoredPhoto.sha256)).where(col(StoredPhoto.sha256).in_(value))
    stored = set(session.connection().execute(query).scalars())
    return None if stored.issuperset(value) else "有照片没有上传成功,请重新拍照上传"
