"""New rows written together are what the constructor and the session would have written."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import select

from dispatch.record.models import ClientKey
from grid.rows import fresh, put_in
from tests.town import Town

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def of_key(number: int, **more: Any) -> dict[str, Any]:
    ids = {"client_uuid": UUID(int=number), "ticket_id": uuid4()}
    return {**ids, "fingerprint": "甲", "intake_district": "110101", "created_at": NOW, **more}


def test_rows_are_read_back_as_they_were_given(town: Town) -> None:
    given = [of_key(1), of_key(2, answer={"状态": "已登记", "n": [1, None]}), of_key(3)]
    with town.database.writing() as session:
        put_in(session, [fresh(ClientKey, **values) for values in given])
    with town.database.reading() as session:
        found = session.exec(select(ClientKey).where(ClientKey.fingerprint == "甲")).all()
    assert sorted(found, key=lambda row: row.client_uuid) == [ClientKey(**values) for values in given]


def test_nothing_to_put_in_is_nothing(town: Town) -> None:
    with town.database.writing() as session:
        put_in(session, [])
