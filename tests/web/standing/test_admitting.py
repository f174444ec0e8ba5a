"""What the list bars from communities: blocked on every path, counted by unit, let through once by the district."""

from collections.abc import Callable

import pytest
from sqlmodel import select

from dispatch.record import actions
from dispatch.record.judging import admitting
from dispatch.record.models import HandedDown
from dispatch.record.oversight import inspections, plans
from dispatch.record.oversight.inspections import Place, Task
from dispatch.record.oversight.models import PlanKind
from dispatch.record.oversight.plans import Plan
from grid.auditing import record_change
from grid.errors import Conflict, InputError, NotAllowed
from grid.models import AdmissionRule, Responsibility
from tests.town import (
    COMMUNITY_OFFICE,
    IN_WEST,
    PARKING,
    POLICE,
    STREET_OFFICE,
    Person,
    Town,
)
from tests.web.conftest import Visitor

CLAUSE = "不得将社区作为城市管理事务的责任主体"


def hands_down(town: Town, person: Person, code: str, action: str, **given: object) -> None:
    """The act as a page or a program carries it out: a refused attempt is counted."""

    def work(session: object) -> object:
        return actions.act(session, code, action, given, person.actor, town.world, town.now)  # type: ignore[arg-type]

    admitting.counted(town.database, person.actor, town.now, work)


def attempts(town: Town) -> dict[str | None, int]:
    with town.database.reading() as session:
        return dict(admitting.attempts_by_unit(session))


def held_by_the_street(town: Town) -> str:
    code = town.worker.reports(PARKING).code
    town.police.acts(code, "object", reason_code="territory", organisation=STREET_OFFICE, basis="属街道")
    town.dispatcher.acts(code, "uphold_objection", organisation=STREET_OFFICE)
    return code


@pytest.mark.acceptance("D15")
def test_off_the_list_is_blocked_and_one_approval_lets_one_through(town: Town) -> None:
    code = held_by_the_street(town)
    with pytest.raises(InputError, match=CLAUSE):
        hands_down(town, town.street, code, "assign_within", organisation=COMMUNITY_OFFICE)

    def asks(person: Person, which: str = code) -> admitting.Admittance:
        return town.database.write(
            lambda s: admitting.ask(
                s, which, COMMUNITY_OFFICE, "台风期间就近看护", person.actor, town.world, town.now
            )
        )

    with pytest.raises(NotAllowed):
        asks(town.worker)
    asked = asks(town.street)
    with pytest.raises(Conflict, match="已有准入申请"):
        asks(town.street)
    with pytest.raises(NotAllowed):
        town.database.write(lambda s: admitting.decide(s, asked.id, "approved", town.street.actor, town.now))
    with pytest.raises(InputError, match=CLAUSE):
        hands_down(town, town.street, code, "assign_within", organisation=COMMUNITY_OFFICE)
    town.database.write(lambda s: admitting.decide(s, asked.id, "approved", town.supervisor.actor, town.now))
    hands_down(town, town.street, code, "assign_within", organisation=COMMUNITY_OFFICE)
    assert town.ticket(code).section_code == COMMUNITY_OFFICE
    with town.database.reading() as session:
        kept = session.get_one(admitting.Admittance, asked.id)
        assert (kept.used_at, kept.clause.endswith(CLAUSE)) == (town.now, True)
    with pytest.raises(InputError, match=CLAUSE):
        hands_down(town, town.street, code, "assign_within", organisation=COMMUNITY_OFFICE)
    assert attempts(town) == {STREET_OFFICE: 3}


@pytest.mark.acceptance("D16")
def test_no_community_leads_such_a_matter_by_rule_or_by_hand(town: Town) -> None:
    with town.database.writing() as session:
        session.add(
            Responsibility(ruleset_version=1, id="down", category_code=PARKING, main=COMMUNITY_OFFICE)
        )
        session.add(
            Responsibility(ruleset_version=1, id="also", category_code="2005", main="sanitation-bureau")
        )
    code = town.worker.reports(PARKING).code
    ticket = town.ticket(code)
    assert ticket.queue == "ambiguous"  # the forbidden row is passed over, the two others disagree
    assert CLAUSE in next(t["why_not"] for t in ticket.routed["tried"] if t["rule"] == "down")
    with pytest.raises(InputError, match=CLAUSE):
        hands_down(town, town.dispatcher, code, "dispatch", organisation=COMMUNITY_OFFICE)
    assert town.ticket(code).state == "filed"
    hands_down(town, town.dispatcher, code, "dispatch", organisation=POLICE)
    with pytest.raises(InputError, match=CLAUSE):
        hands_down(town, town.dispatcher, code, "add_assistants", organisations=(COMMUNITY_OFFICE,))
    plan = Plan("P-1", PlanKind.INSPECTION, "停车巡查", "批 1 号", POLICE, town.now.date(), town.now.date())
    town.database.write(lambda s: plans.register(s, plan, town.supervisor.actor, town.now))
    task = Task(
        "P-1", "停车巡查", PARKING, POLICE, COMMUNITY_OFFICE, (Place(key="p", name="路口", **IN_WEST),)
    )
    with pytest.raises(InputError, match=CLAUSE):
        admitting.counted(
            town.database,
            town.police.actor,
            town.now,
            lambda s: inspections.create(s, task, town.police.actor, town.world, town.now),
        )
    with town.database.reading() as session:
        paths = {(row.path, row.by_code) for row in session.exec(select(HandedDown))}
    assert paths == {("dispatch", "centre"), ("assist", "centre"), ("inspection", POLICE)}


@pytest.mark.acceptance("D17")
def test_a_unit_that_passes_it_down_is_blocked_and_counted_to_the_unit(
    town: Town, program: Callable[[str], object], visitor: Callable[[str], Visitor]
) -> None:
    with_the_street = held_by_the_street(town)
    with_the_department = town.worker.reports(PARKING).code
    for who, unit, code in (
        ("street", STREET_OFFICE, with_the_street),
        ("police", POLICE, with_the_department),
    ):
        answer = program(who).calls(  # type: ignore[attr-defined]
            "POST", f"/tickets/{code}/actions/assign_within", {"given": {"organisation": COMMUNITY_OFFICE}}
        )
        assert answer.status_code == 422
        assert CLAUSE in answer.json["detail"]
        with town.database.reading() as session:
            row = session.exec(select(HandedDown).where(HandedDown.ticket_code == code)).one()
        assert (row.by_code, row.to_code, row.path) == (unit, COMMUNITY_OFFICE, "assign_within")
        assert row.clause.endswith(CLAUSE)
    assert attempts(town) == {STREET_OFFICE: 1, POLICE: 1}
    page = visitor("supervisor").sees("/rules/admission").text
    by_unit = page.partition("疑似违规下派,按单位")[2].partition("</table>")[0]
    for name in ("东门街道办事处", "区综合执法局"):
        assert f'<th scope="row">{name}</th><td>1</td>' in by_unit


def test_a_community_gives_back_with_one_tap_and_the_clause(town: Town) -> None:
    with town.database.writing() as session:
        (rule,) = session.exec(select(AdmissionRule)).all()
        rule.category_code = "2001"
        session.add(rule)
        session.add(Responsibility(ruleset_version=1, id="x", category_code=PARKING, main=COMMUNITY_OFFICE))
        record_change(session, None, "ruleset", "1", "change", now=town.now)
    code = town.worker.reports(PARKING).code
    assert town.ticket(code).main_code == COMMUNITY_OFFICE
    with pytest.raises(Conflict, match="负面清单没有禁止"):
        town.community.acts(code, "return_barred")
    with town.database.writing() as session:
        (rule,) = session.exec(select(AdmissionRule)).all()
        rule.category_code = "2005"
        session.add(rule)
        record_change(session, None, "ruleset", "1", "change", now=town.now)
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
    town.community.acts(code, "return_barred")
    ticket = town.ticket(code)
    assert ticket.main_code == POLICE  # routed anew, the community passed over
    assert ticket.objections == 0
