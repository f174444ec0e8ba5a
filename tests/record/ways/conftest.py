"""After every way the record is looked at as a whole."""

import pytest

from dispatch.record import auditing
from tests.town import (
    Town,
)


@pytest.fixture(autouse=True)
def _whole(town: Town) -> object:
    """Whatever a test did, the record holds."""
    yield
    with town.database.reading() as session:
        assert list(auditing.audit(session)) == []
