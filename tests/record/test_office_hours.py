"""Each unit's clocks run in its own office hours."""

from datetime import timedelta

from grid.auditing import record_change
from grid.models import Organisation
from tests.town import SANITATION, Town
from tests.walking import clocks


def test_a_unit_with_hours_of_its_own_is_due_when_its_own_day_ends(town: Town) -> None:
    before = clocks(town, town.worker.reports().code)[0].due_at
    with town.database.writing() as session:
        unit = session.get(Organisation, SANITATION)
        assert unit is not None
        unit.office_hours = "06:00-11:00,13:00-16:00"
        record_change(session, None, "organisation", SANITATION, "change", now=town.now)
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
    after = clocks(town, town.worker.reports().code)[0].due_at
    assert before - after == timedelta(hours=2), "16:00 instead of 18:00 on the fifth work day"
