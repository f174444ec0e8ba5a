"""What the columns of a file mean is said once: files with the same columns are understood from then on."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from grid.auditing import record_change
from grid.importing.sheets import Sheet
from grid.permissions import Actor
from grid.registers.tables import ColumnMapping

BORDERS = "borders"


def meant(session: Session, what: str, headings: Iterable[str]) -> dict[str, str]:
    """What was said of these columns: our name -> the file's; empty where nobody said anything."""
    found = session.get(ColumnMapping, (what, _key(headings)))
    return dict(found.meant) if found else {}


def remember(
    session: Session,
    what: str,
    headings: Iterable[str],
    said: Mapping[str, str],
    actor: Actor | None,
    now: datetime,
) -> None:
    """Keep what the columns mean; columns that the file does not have are left out. The caller commits."""
    known = set(headings)
    kept = {own: column for own, column in said.items() if column in known}
    key = _key(known)
    row = session.get(ColumnMapping, (what, key))
    before = dict(row.meant) if row else None
    if before == kept:
        return
    if row is None:
        row = ColumnMapping(what=what, headings=key, meant=kept, said_at=now)
    row.meant, row.said_at = kept, now
    row.said_by = actor.account_id if actor else None
    session.add(row)
    record_change(
        session, actor, "column_mapping", f"{what} {key[:8]}", "change", before=before, after=kept, now=now
    )


def understood(session: Session, what: str, sheet: Sheet) -> Sheet:
    """The sheet with what was said of its columns before."""
    return replace(sheet, meant=meant(session, what, sheet.headings))


def _key(headings: Iterable[str]) -> str:
    """The same for the same columns in any order."""
    return hashlib.sha256("\x1f".join(sorted(set(headings))).encode()).hexdigest()
