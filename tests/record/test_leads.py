"""码上督: the second workflow on the same engine, data only, on both databases."""

from uuid import UUID, uuid4

import pytest

from dispatch.record import auditing, queries
from dispatch.record.intake import Reported
from dispatch.record.models import Reporter
from dispatch.record.oversight import leads
from dispatch.record.oversight.leads import Lead
from grid.errors import InputError, NotAllowed, NotFound
from tests.town import DRAINAGE, GARBAGE, IN_WEST, SANITATION, Town


def hands_in(town: Town, *, key: UUID | None = None, **more: object) -> str:
    given = {"client_uuid": key or uuid4(), "category_code": GARBAGE, "frame": "wgs84", "text": "长期不清运"}
    lead = Lead(**{**given, **IN_WEST, **more})  # type: ignore[arg-type]
    made: Reported = town.database.write(lambda s: leads.register(s, lead, town.world, town.now))
    return made.code


@pytest.mark.acceptance("C1")
def test_six_steps_by_its_own_roles_and_nobody_else_sees_who_reported(town: Town) -> None:
    code = hands_in(town, name="钱某", phone="13700001111")
    assert town.lead_ticket(code).state == "lead_registered"
    for name in ("supervisor", "operator", "agent", "dispatcher", "worker", "department"):
        with town.database.reading() as session, pytest.raises(NotFound):
            queries.find(session, code, town.people[name].actor)
    town.lead_officer.acts(code, "screen_lead")
    town.lead_officer.acts(code, "assign_lead", organisation=SANITATION, demand="七日内整改")
    town.department.acts(code, "begin_rectifying")
    town.department.acts(code, "report_rectified", answer="已清运并加密班次")
    with pytest.raises(NotAllowed):
        town.department.acts(code, "lead_check_pass")
    town.lead_officer.acts(code, "lead_check_fail", note="还有一处")
    town.department.acts(code, "report_rectified", answer="补清")
    town.lead_officer.acts(code, "lead_check_pass")
    town.lead_officer.acts(code, "publish_lead", summary="某处垃圾长期不清运,已整改")
    ticket = town.lead_ticket(code)
    assert (ticket.state, ticket.workflow) == ("lead_published", "lead")
    with town.database.reading() as session:
        assert list(auditing.audit(session)) == []
        texts = [s.text for line in queries.history(session, ticket) for s in line.statements]
        assert not any("13700001111" in (text or "") for text in texts)


def test_anonymous_leaves_no_trace_of_anybody(town: Town) -> None:
    code = hands_in(town)
    with town.database.reading() as session:
        ticket = queries.find(session, code, town.lead_officer.actor)
        assert queries.rows(session, Reporter, ticket) == []
        assert [line.event.account_id for line in queries.history(session, ticket)] == [None]


def test_a_unit_may_return_it_and_another_never_learns_of_it(town: Town) -> None:
    code = hands_in(town)
    town.lead_officer.acts(code, "screen_lead")
    town.lead_officer.acts(code, "assign_lead", organisation=SANITATION, demand="整改")
    with town.database.reading() as session, pytest.raises(NotFound):
        queries.find(session, code, town.drainage.actor)
    town.department.acts(code, "return_lead", reason="属排水")
    assert (town.lead_ticket(code).state, town.lead_ticket(code).main_code) == ("lead_screening", None)
    town.lead_officer.acts(code, "assign_lead", organisation=DRAINAGE, demand="整改")
    assert town.lead_ticket(code).main_code == DRAINAGE


def test_leads_and_tickets_never_mix(town: Town) -> None:
    lead, ticket = hands_in(town), town.worker.reports().code
    with town.database.reading() as session:
        seen = {
            name: {t.code for t in queries.page(session, town.people[name].actor)}
            for name in ("supervisor", "lead_officer")
        }
    assert seen == {"supervisor": {ticket}, "lead_officer": {lead}}


def test_an_empty_one_is_refused_and_a_repeated_one_answered(town: Town) -> None:
    with pytest.raises(InputError, match="写明线索"):
        hands_in(town, text=" ")
    key = uuid4()
    assert hands_in(town, key=key) == hands_in(town, key=key)
