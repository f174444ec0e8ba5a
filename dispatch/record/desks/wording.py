"""Ready words: standard texts with variables, and macros that fill in an action and say who goes on."""

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record.desks.models import Macro, StandardText
from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from dispatch.rules.workflow import BY_ACTION, GivenKind, State
from grid.errors import InputError, NotAllowed, NotFound
from grid.permissions import Actor

VARIABLES = {
    "code": "编号",
    "category": "类别",
    "place": "地点",
    "unit": "承办单位",
    "due": "办理时限",
    "today": "今天",
    "name": "经办人",
}
LONGEST_TITLE, LONGEST_BODY = 40, 1000
_VARIABLE = re.compile(r"\{(\w+)\}")
FILLED_KINDS = (GivenKind.STATEMENT, GivenKind.CHOICE)


def fill(body: str, values: Mapping[str, str]) -> str:
    """The words with their variables filled in; an unknown one stays to be seen."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), body)


def texts_for(session: Session, standing: Standing, ticket: Ticket, actor: Actor) -> list[StandardText]:
    """The texts that fit a ticket's category and state, the most fitting first."""
    lineage = standing.lineage(ticket.category_code)
    rows = session.execute(select(StandardText).where(_ours(StandardText, actor))).scalars()
    fit = [
        row
        for row in rows
        if (row.category_code is None or row.category_code in lineage)
        and (row.state is None or row.state == ticket.state)
    ]
    return sorted(fit, key=lambda row: (row.category_code is None, row.state is None, row.title))


def macros_for(session: Session, actor: Actor, actions: set[str]) -> list[Macro]:
    """The macros whose action is possible now."""
    rows = session.execute(select(Macro).where(_ours(Macro, actor)).order_by(col(Macro.title))).scalars()
    return [row for row in rows if row.action in actions]


def macro(session: Session, actor: Actor, macro_id: UUID) -> Macro:
    found: Macro | None = session.execute(
        select(Macro).where(_ours(Macro, actor), col(Macro.id) == macro_id)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("没有这个一键办理,它可能已停用;请刷新页面")
    return found


def write_text(
    session: Session,
    actor: Actor,
    *,
    title: str,
    body: str,
    category_code: str | None,
    state: str | None,
    standing: Standing,
    now: datetime,
) -> StandardText:
    """Add a text for one's own unit.

    Raises
    ------
    InputError
        Nothing was written.
    """
    wrong = _title_problem(title) | _body_problem("body", body)
    if category_code and category_code not in standing.categories:
        wrong["category_code"] = f"没有类别 {category_code},请重新选择"
    if state and state not in set(State):
        wrong["state"] = "没有这个状态,请重新选择"
    if wrong:
        raise InputError("标准用语没有保存:" + ";".join(wrong.values()), wrong)
    row = StandardText(
        id=uuid7(),
        organisation_code=_unit(actor),
        category_code=category_code or None,
        state=state or None,
        title=title.strip(),
        body=body.strip(),
        changed_by=actor.account_id,
        changed_at=now,
    )
    session.add(row)
    return row


def write_macro(
    session: Session,
    actor: Actor,
    *,
    title: str,
    action: str,
    given: Mapping[str, str],
    holder_id: UUID | None,
    now: datetime,
) -> Macro:
    """Add a macro for one's own unit: an action, its words and choices, and who goes on.

    Raises
    ------
    InputError
        Nothing was written.
    """
    row = BY_ACTION.get(action)
    if row is None or not actor.may(row.may):
        raise InputError("一键办理没有保存:请选择您的岗位能做的动作", {"action": "请重新选择"})
    fields = {field.name: field for field in row.given if field.kind in FILLED_KINDS}
    words = {name: text.strip() for name, text in given.items() if name in fields and text.strip()}
    wrong = _title_problem(title)
    for name, text in words.items():
        choices = dict(fields[name].choices)
        if choices and text not in choices:
            wrong[name] = f"“{fields[name].label}”请从 {'、'.join(choices.values())} 中选"
        elif not choices:
            wrong |= _body_problem(name, text)
    if wrong:
        raise InputError("一键办理没有保存:" + ";".join(wrong.values()), wrong)
    made = Macro(
        id=uuid7(),
        organisation_code=_unit(actor),
        title=title.strip(),
        action=action,
        given=words,
        holder_id=holder_id,
        changed_by=actor.account_id,
        changed_at=now,
    )
    session.add(made)
    return made


def retire(
    session: Session, actor: Actor, table: type[Macro] | type[StandardText], key: UUID, now: datetime
) -> None:
    """Take a row of one's own unit out of use."""
    row = session.get(table, key)
    units = {tenure.organisation_code for tenure in actor.tenures}
    if isinstance(row, Macro | StandardText) and row.organisation_code in units:
        row.retired_at = now
        session.add(row)


def own_rows(session: Session, actor: Actor) -> tuple[list[StandardText], list[Macro]]:
    """Everything that is in use at one's unit."""
    texts = session.execute(
        select(StandardText).where(_ours(StandardText, actor)).order_by(col(StandardText.title))
    )
    macros = session.execute(select(Macro).where(_ours(Macro, actor)).order_by(col(Macro.title)))
    return list(texts.scalars()), list(macros.scalars())


def _ours(table: type[Macro] | type[StandardText], actor: Actor) -> ColumnElement[bool]:
    units = sorted(tenure.organisation_code for tenure in actor.tenures)
    mine = or_(col(table.organisation_code).is_(None), col(table.organisation_code).in_(units))
    return mine & col(table.retired_at).is_(None)


def _unit(actor: Actor) -> str:
    if actor.organisation_code is None:
        raise NotAllowed("没有岗位的账号不能添加")
    return actor.organisation_code


def _title_problem(title: str) -> dict[str, str]:
    good = 1 <= len(title.strip()) <= LONGEST_TITLE
    return {} if good else {"title": f"名称请写 1—{LONGEST_TITLE} 字"}


def _body_problem(name: str, body: str) -> dict[str, str]:
    unknown = [found for found in _VARIABLE.findall(body) if found not in VARIABLES]
    if unknown:
        known = "、".join(f"{{{key}}}" for key in VARIABLES)
        return {name: f"没有变量 {'、'.join(unknown)},可用的有 {known}"}
    good = 1 <= len(body.strip()) <= LONGEST_BODY
    return {} if good else {name: f"内容请写 1—{LONGEST_BODY} 字"}
