"""What people and units hold of an area follows its ground when borders change: posts, bindings of teams, a unit's area.

The old row ends the day before, new ones begin for every area that has the ground; nothing is taken from anybody who
keeps an area. Each is in the audit, and the page of the borders reads it from there.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select
from uuid6 import uuid7

from geo.borders import Level
from grid import accounts
from grid.areas.succeeding import Succession
from grid.auditing import record_change, values_of
from grid.models import Account, Area, Generation, Organisation, Post, StandingChange
from grid.permissions import ROLES, Actor
from grid.registers.tables import EnforcementBinding

FOLLOW = "follow"
POST, BINDING, UNIT = "post", "enforcement_binding", "organisation"
IN_THE_FIELD = tuple(key for key, role in ROLES.items() if "grid:ticket:verify" in role.permissions)
AT_ONCE = 500


@dataclass(frozen=True)
class Followed:
    """A post, a team's binding or a unit's area, and the areas that it gets; without any it needs somebody's hand."""

    thing: str
    who: str
    former: str
    codes: tuple[str, ...]
    role: str = ""
    login: str = ""
    ends: bool = True


def planned(session: Session, succession: Succession, on: date) -> list[Followed]:
    """What would follow if these borders came in force that day."""
    return [its for _, its in _held(session, succession, on)]


def follow(session: Session, succession: Succession, actor: Actor | None, now: datetime, on: date) -> None:
    """Let what is held of areas that went follow into the generation that has just come in force."""
    held = _held(session, succession, on)
    known = {_key(row, row.area_code) for row, _ in held} | _present(session, succession, on)
    for row, its in held:
        before = values_of(row)
        if its.thing == UNIT:
            row.area_code = its.codes[0] if its.codes else row.area_code
        elif its.codes:
            for code in its.codes:
                if _key(row, code) not in known:
                    known.add(_key(row, code))
                    from_on = max(on, row.from_on or on)
                    again = {**row.model_dump(), "id": uuid7(), "area_code": code, "from_on": from_on}
                    session.add(type(row)(**again))
            if its.ends:
                row.to_on = on - timedelta(days=1)
        session.add(row)
        key = its.login or its.who
        record_change(session, actor, its.thing, key, FOLLOW, before=before, after=asdict(its), now=now)


def done(session: Session, generation: Generation) -> list[Followed]:
    """What followed when this generation came in force the last time, as the audit has it."""
    query = select(StandingChange.after).where(
        StandingChange.at == generation.active_from, StandingChange.action == FOLLOW
    )
    found = [json.loads(after or "{}") for after in session.exec(query.order_by(col(StandingChange.id)))]
    return [Followed(**{**one, "codes": tuple(one["codes"])}) for one in found]


def without_worker(
    session: Session, generation_id: int, on: date, succession: Succession | None = None
) -> list[tuple[str, str]]:
    """Grids of these borders in which nobody could verify: code and name. Before they are in force, `succession` says
    how posts will have followed."""
    query = (
        select(Post.area_code)
        .join(Account, col(Account.id) == col(Post.account_id))
        .join(Organisation, col(Organisation.code) == col(Post.organisation_code))
        .where(
            col(Post.role).in_(IN_THE_FIELD),
            col(Account.disabled_at).is_(None),
            or_(col(Organisation.closed_on).is_(None), col(Organisation.closed_on) > on),
            accounts.held_on(on),
        )
    )
    held = set(session.exec(query.distinct()))
    if succession is not None:
        held |= {code for one in held for code in succession.to.get(one or "", ())}
    grids = select(Area.code, Area.name, Area.parent_code).where(
        Area.generation_id == generation_id, Area.level == Level.GRID
    )
    return [
        (code, name)
        for code, name, parent in session.exec(grids.order_by(Area.code))
        if code not in held and parent not in held
    ]


def _held(session: Session, succession: Succession, on: date) -> list[tuple[Any, Followed]]:
    """Posts, bindings and units of the areas that something happens to, those that have not ended."""
    found: list[tuple[Any, Followed]] = []
    codes = succession.codes
    for start in range(0, len(codes), AT_ONCE):
        some = codes[start : start + AT_ONCE]
        posts = select(Post, Account).join(Account, col(Account.id) == col(Post.account_id))
        posts = posts.where(col(Post.area_code).in_(some), _lasts(Post, on))
        for post, account in session.exec(posts.order_by(col(Post.area_code), col(Post.id))):
            found.append((post, _followed(succession, POST, account.name, post, post.role, account.login)))
        bindings = select(EnforcementBinding, Organisation).join(
            Organisation, col(Organisation.code) == col(EnforcementBinding.organisation_code)
        )
        bindings = bindings.where(col(EnforcementBinding.area_code).in_(some), _lasts(EnforcementBinding, on))
        for binding, unit in session.exec(bindings.order_by(col(EnforcementBinding.id))):
            found.append((binding, _followed(succession, BINDING, unit.name, binding)))
        found += _units(session, succession, some, on)
    return found


def _followed(
    succession: Succession, thing: str, who: str, row: Any, role: str = "", login: str = ""
) -> Followed:
    codes = succession.to.get(row.area_code, ())
    return Followed(thing, who, row.area_code, codes, role, login, ends=row.area_code in succession.gone)


def _units(
    session: Session, succession: Succession, codes: Sequence[str], on: date
) -> list[tuple[Organisation, Followed]]:
    """Units whose area goes. A unit has one area: where two take its place, somebody must say which is whose."""
    query = select(Organisation).where(
        col(Organisation.area_code).in_([code for code in codes if code in succession.gone]),
        or_(col(Organisation.closed_on).is_(None), col(Organisation.closed_on) > on),
    )
    found = []
    for unit in session.exec(query.order_by(col(Organisation.code))):
        heirs = succession.to.get(unit.area_code or "", ())
        one = heirs if len(heirs) == 1 else ()
        found.append((unit, Followed(UNIT, unit.name, unit.area_code or "", one)))
    return found


def _present(session: Session, succession: Succession, on: date) -> set[tuple[Any, ...]]:
    """What is held already of the areas that have the ground."""
    codes = sorted({code for heirs in succession.to.values() for code in heirs})
    found: set[tuple[Any, ...]] = set()
    tables: tuple[Any, ...] = (Post, EnforcementBinding)
    for start in range(0, len(codes), AT_ONCE):
        some = codes[start : start + AT_ONCE]
        for table in tables:
            query = select(table).where(col(table.area_code).in_(some), _lasts(table, on))
            found |= {_key(row, row.area_code) for row in session.exec(query)}
    return found


def _key(row: Any, area_code: str | None) -> tuple[Any, ...]:
    """What makes two rows say the same."""
    if isinstance(row, Post):
        return POST, row.account_id, row.role, row.organisation_code, row.leave_id, area_code
    if isinstance(row, EnforcementBinding):
        return BINDING, row.account_id, row.organisation_code, area_code
    return UNIT, row.code, area_code


def _lasts(table: Any, on: date) -> ColumnElement[bool]:
    return or_(col(table.to_on).is_(None), col(table.to_on) >= on)
