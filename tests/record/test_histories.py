"""Random histories of one ticket, legal moves favoured, with a second actor whose version is stale.

Whatever happens, the record must hold: see `test_histories` for what is asked after every step.
"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func
from sqlmodel import Session, col, select

from dispatch.record import auditing, queries
from dispatch.record.firing import fire
from dispatch.record.judging import facts
from dispatch.record.judging.routes import forbidden
from dispatch.record.models import Assignment, Ticket, TicketEvent, Timer
from dispatch.rules import guards
from dispatch.rules.workflow import BY_ACTION, OPEN_STATES, STATES, Given, GivenKind, Transition
from grid.errors import Conflict, GridError
from grid.models import Account
from tests.town import (
    BUILDING,
    COMMUNITY_OFFICE,
    CONSULT,
    COVER,
    DRAINAGE,
    GARBAGE,
    NOBODYS,
    PARKING,
    POLICE,
    SANITATION,
    SCRAPS,
    SECTION,
    STREET_OFFICE,
    Person,
    Town,
)
from tests.walking import calls

CATEGORIES = (GARBAGE, COVER, CONSULT, PARKING, BUILDING, SCRAPS, NOBODYS)
UNITS = (SANITATION, DRAINAGE, POLICE, STREET_OFFICE, COMMUNITY_OFFICE, SECTION)
STEPS = 18
VERIFYING = {"verify_pass", "verify_fail", "recheck_pass", "recheck_fail"}


class History:
    """One ticket with everybody who may touch it."""

    def __init__(self, town: Town, draw: Any) -> None:
        self.town, self.draw = town, draw
        self.code = calls(town, draw(st.sampled_from(CATEGORIES)))
        self.seen = self.ticket().version
        self.refused: list[str] = []

    def ticket(self) -> Ticket:
        return self.town.ticket(self.code)

    def step(self) -> None:
        if self.draw(st.integers(0, 4)) == 0:
            self._time_passes()
            return
        moves = self._moves()
        if self.draw(st.integers(0, 5)) == 0 or not moves:
            person = self.draw(st.sampled_from(sorted(self.town.people)))
            row = BY_ACTION[self.draw(st.sampled_from(sorted(BY_ACTION)))]
        else:
            person, row = self.draw(st.sampled_from(moves))
        stale = self.draw(st.integers(0, 5)) == 0
        self._act(self.town.people[person], row, stale=stale)

    def _moves(self) -> list[tuple[str, Transition]]:
        with self.town.database.reading() as session:
            standing = self.town.world.refresh(session)
            ticket = queries.find(session, self.code, self.town.supervisor.actor)
            its_facts = facts.facts_of(session, ticket, standing, self.town.now)
            return [
                (name, row)
                for name, person in self.town.people.items()
                for row in guards.possible(its_facts, facts.doer_of(person.actor))
                if person.actor.may(row.may)
                and row.action != "withdraw"
                and queries.reaches(session, ticket, person.actor, row.may)
            ]

    def _act(self, person: Person, row: Transition, *, stale: bool) -> None:
        before = self.ticket()
        version = self.seen if stale else before.version
        events = self._events()
        try:
            person.acts(self.code, row.action, version=version, **self._given(row))
        except GridError as error:
            after = self.ticket()
            assert (after.state, after.version, self._events()) == (before.state, before.version, events)
            self.refused.append(error.message)
            return
        assert version == before.version, "a stale version must not get through"
        assert before.state in row.sources
        self.seen = before.version

    def _given(self, row: Transition) -> dict[str, Any]:
        return {field.name: self._value(field) for field in row.given}

    def _value(self, field: Given) -> Any:
        if field.kind in (GivenKind.CHOICE, GivenKind.SCORE):
            return self.draw(st.sampled_from([key for key, _ in field.choices]))
        if field.kind is GivenKind.PHOTOS:
            return (self.town.photo(),)
        if field.kind is GivenKind.ORGANISATION:
            return self.draw(st.sampled_from(UNITS))
        if field.kind is GivenKind.ORGANISATIONS:
            return tuple(self.draw(st.lists(st.sampled_from(UNITS), min_size=1, max_size=3)))
        if field.kind is GivenKind.INSTANT:
            return self.town.now + timedelta(hours=self.draw(st.sampled_from([-1, 48])))
        if field.name == "officers":
            return self.draw(st.sampled_from(["张三", "张三、李四"]))
        return {
            GivenKind.AREA: "990101001001001",
            GivenKind.CATEGORY: GARBAGE,
            GivenKind.CODE: "X-1",
        }.get(field.kind, "说明")

    def _time_passes(self) -> None:
        """The next timer of the ticket is due."""
        with self.town.database.writing() as session:
            query = select(Timer).where(
                col(Timer.ticket_id) == self.ticket().id, col(Timer.done_at).is_(None)
            )
            timer = session.exec(query.order_by(col(Timer.due_at)).limit(1)).first()
            if timer is None:
                return
            self.town.now = max(self.town.now, timer.due_at)
            timer.outcome = fire(session, timer, self.town.world, self.town.now)
            assert timer.outcome in ("done", "void")
            timer.done_at = self.town.now

    def _events(self) -> int:
        with self.town.database.reading() as session:
            return session.exec(select(func.count()).select_from(TicketEvent)).one()

    def holds(self) -> None:
        """What must be true of the record at any time."""
        with self.town.database.reading() as session:
            for ticket in session.exec(select(Ticket)):
                assert list(auditing.check(session, ticket)) == []
                self._holds(session, ticket)

    def _holds(self, session: Session, ticket: Ticket) -> None:
        standing = self.town.world.refresh(session)
        unit = standing.organisations.get(ticket.main_code or "")
        assert unit is None or forbidden(standing, ticket, unit) is None
        assert (ticket.closed_at is None) == STATES[ticket.state].open, (
            "desks find what is open by this alone"
        )
        if ticket.state in OPEN_STATES:
            assert ticket.owner_code
        pending = [
            t.clock_id for t in queries.rows(session, Timer, ticket) if t.done_at is None and t.clock_id
        ]
        assert len(pending) == len(set(pending)), "one pending timer per clock"
        people = {a.id: a.person_key for a in session.exec(select(Account))}
        handlers: set[str] = set()
        for line in queries.history(session, ticket):
            event = line.event
            if event.action in VERIFYING:
                assert people[event.account_id] not in handlers
                assert event.organisation_code not in self._handling(session, ticket, event)
            if event.action in facts.HANDLING_ACTIONS and event.account_id:
                handlers.add(people[event.account_id])
            if event.action in ("answer_satisfied", "answer_unsolved") and event.account_id:
                assert people[event.account_id] not in handlers, "who answered does not call back"

    def _handling(self, session: Session, ticket: Ticket, event: TicketEvent) -> set[str]:
        rows = queries.rows(session, Assignment, ticket)
        return {a.organisation_code for a in rows if a.dispatched_at <= event.at}


@pytest.mark.slow
def test_histories(town_factory: Any, request: pytest.FixtureRequest) -> None:
    """No illegal move gets through, no stale one overwrites, and after every step the record holds."""
    examples = 8 if town_factory.kind == "sqlite" else 4

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        with town_factory() as town:
            history = History(town, data.draw)
            for _ in range(STEPS):
                history.step()
                history.holds()
            assert all(history.refused)

    run()


def test_the_second_of_two_gets_told_what_changed(town: Town) -> None:
    code = calls(town)
    version = town.ticket(code).version
    town.department.acts(code, "start", version=version)
    with pytest.raises(Conflict) as caught:
        town.dispatcher.acts(code, "add_assistants", version=version, organisations=(DRAINAGE,))
    assert caught.value.details["version"] == version + 1
