"""Three months of the made-up city's work, replayed in order: reports, steps, and timers at their due instants."""

import heapq
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, exists, select
from sqlmodel import Session, col

from dispatch.demo.cast import Cast, by_link
from dispatch.demo.plotting import DAYS, Plot
from dispatch.demo.saying import Case, Filling, given_for, report_for
from dispatch.demo.stories import (
    APPROVE,
    CONFIRM,
    CONTACT,
    OWNERLESS,
    Step,
)
from dispatch.record import actions, firing
from dispatch.record.models import OutboxRow, Ticket, Timer
from dispatch.record.world import World
from dispatch.rules.deadlines import Clock, Limit, OfficeHours, Unit, due
from dispatch.rules.workflow import BY_ACTION, State
from grid.errors import Conflict, NotAllowed, NotFound
from grid.permissions import Actor
from grid.settings import Settings

OWNERLESS_CODE = "100114"
DESKS = {
    "dispatcher": "paiqian",
    "agent": "huifang",
    "agent2": "paiqian",
    "operator": "shouli",
    "leader": "lingdao",
}
HOURS_IN = {Unit.WORK_DAY: 7, Unit.DAY: 24}
CARRIED_BY_SERVICE = timedelta(hours=12)


@dataclass(order=True)
class Due:
    """Something to be done at an instant."""

    at: datetime
    number: int
    case: Case = field(compare=False)
    step: int = field(compare=False)


class Life:
    """Plays cases forward to `now`; everything that changes a ticket goes through the one writer."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        now: datetime,
        photos: "Album",
        *,
        seed: int,
        former: int,
    ) -> None:
        self.session, self.now, self.photos = session, now, photos
        self.former = former
        self.world = World(settings)
        self.world.refresh(session)
        self.rng = random.Random(seed)  # noqa: S311 - a made-up city, not a secret
        self.hours = OfficeHours(settings.timezone)
        self.clock = now - timedelta(days=DAYS + 1)
        self.queue: list[Due] = []
        self.actors = Cast(session, now.date())
        self.refused = 0

    def play(self) -> None:
        """Everything from ninety days ago to now; one transaction, for a city half lived through would be no use."""
        for number, (at, case) in enumerate(
            Plot(self.rng, self.world.standing, self.now, self.former).cases()
        ):
            heapq.heappush(self.queue, Due(at, number, case, -1))
        self._play_until(self.now)
        _carried(self.session, self.now)

    def _play_until(self, until: datetime) -> None:
        while True:
            following = self.queue[0].at if self.queue else until
            timer = _next_timer(self.session, min(following, until))
            if timer is not None:
                self._fire(timer)
            elif following >= until or not self.queue:
                return
            else:
                self._do(heapq.heappop(self.queue))

    def _fire(self, timer: Timer) -> None:
        # A clock that goes on after a pause may have passed a rung meanwhile: it rings now.
        self.clock = max(self.clock, timer.due_at)
        timer.done_at, timer.outcome = self.clock, firing.DONE
        self.session.flush()
        timer.outcome = firing.fire(self.session, timer, self.world, self.clock)
        self.session.flush()

    def _do(self, due_now: Due) -> None:
        case, at = due_now.case, due_now.at
        self.clock = at
        if due_now.step < 0:
            report = report_for(case, self.photos.before(case.number), at)
            reported = actions.report(self.session, report, self.actors[case.by], self.world, at)
            case.code, case.key = reported.code, (reported.intake_district, reported.ticket_id)
            looked_at = reported.state == State.VERIFYING_PRE
            case.steps = [
                *(OWNERLESS if case.said.category_code == OWNERLESS_CODE else ()),
                *((CONFIRM,) if looked_at and not case.story.preverified else ()),
                *case.story.steps,
            ]
        else:
            self._step(case, due_now.step, at)
        step = due_now.step + 1
        if step < len(case.steps):
            then = self._after(at, case.steps[step], case)
            heapq.heappush(self.queue, Due(then, due_now.number, case, step))

    def _step(self, case: Case, number: int, at: datetime) -> None:
        step = case.steps[number]
        ticket = self.session.get_one(Ticket, case.key)
        if step.action == "handle" and ticket.main_code:
            if ticket.contacted_at is None and case.said.place == "hotline" and case.has_reporter:
                self._act(case, CONTACT, at)  # a caller is rung up before the unit answers
            for unit in (ticket.assistant_codes or "").split(","):
                if unit:
                    self._act(case, Step(unit, "report_help", 0, 0), at)
            if self.world.standing.organisations[ticket.main_code or ""].approves_answers:
                step = replace(step, action="draft_answer")
                case.steps.insert(number + 1, APPROVE)
        self._act(case, step, at)

    def _act(self, case: Case, step: Step, at: datetime) -> None:
        ticket = self.session.get_one(Ticket, case.key)
        actor = self._who(step.who, ticket)
        if actor is None or not _is_at(ticket, step.action):
            self.refused += 1
            return
        standing = self.world.standing
        form = Filling(
            action=step.action,
            case=case,
            ticket=ticket,
            category=standing.categories[ticket.category_code],
            units=standing.organisations,
            rng=self.rng,
            photo=self.photos.after(case.number),
            at=at,
        )
        try:
            actions.act(self.session, case.code, step.action, given_for(form), actor, self.world, at)
        except (Conflict, NotAllowed, NotFound):
            self.refused += 1

    def _who(self, who: str, ticket: Ticket) -> Actor | None:
        if who == "reporter":
            return by_link(ticket.id)
        if who == "clerk":
            return self.actors.get(ticket.main_code or "")
        if who == "verifier":
            by_area = self.actors.get(f"@{ticket.community_code}")
            return by_area if ticket.verify_mode == "field" else self.actors["hecha"]
        return self.actors.get(DESKS.get(who, who))

    def _after(self, at: datetime, step: Step, case: Case) -> datetime:
        hours = self.rng.uniform(step.least, step.most)
        standing = self.world.standing
        category = standing.categories[case.said.category_code]
        unit = Unit.HOUR if category.urgent else Unit.WORK_HOUR
        if step.of_limit:
            given, _ = standing.limit("handle", category.code, None, category.urgent)
            hours *= given.amount * HOURS_IN.get(given.unit, 1)
            unit = given.unit if given.unit not in HOURS_IN else unit
        elif category.urgent:
            hours /= 4
        return due(Clock(Limit(round(hours, 2) or 0.1, unit), at), standing.calendar, self.hours).at


class Album:
    """The drawn photos that were stored, by number."""

    def __init__(self, before: list[str], after: list[str]) -> None:
        self._before, self._after = before, after

    def before(self, number: int) -> str:
        return self._before[number % len(self._before)]

    def after(self, number: int) -> str:
        return self._after[number % len(self._after)]


def _is_at(ticket: Ticket, action: str) -> bool:
    """Whether the step can leave the state the ticket is in; the guards are asked by the writer."""
    return ticket.state in BY_ACTION[action].sources


def _carried(session: Session, now: datetime) -> None:
    """Notices of long ago are not sent today; the running service sends those of the last hours and what is
    still to be answered.
    """
    waits = exists().where(
        and_(
            col(Ticket.intake_district) == col(OutboxRow.intake_district),
            col(Ticket.id) == col(OutboxRow.ticket_id),
            col(Ticket.state).in_((State.VERIFIED, State.CALLBACK)),
        )
    )
    query = select(OutboxRow).where(
        col(OutboxRow.done_at).is_(None),
        col(OutboxRow.created_at) < now - CARRIED_BY_SERVICE,
        ~and_(col(OutboxRow.topic) == "ask_reporter", waits),
    )
    for row in session.execute(query).scalars():
        row.done_at = row.created_at


NEXT_TIMER = (
    select(Timer)
    .where(col(Timer.done_at).is_(None), col(Timer.due_at) <= bindparam("until"))
    .order_by(col(Timer.due_at), col(Timer.id))
    .limit(1)
)


def _next_timer(session: Session, until: datetime) -> Timer | None:
    found: Timer | None = session.execute(NEXT_TIMER, {"until": until}).scalar_one_or_none()
    return found
