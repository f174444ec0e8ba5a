"""Three months of the made-up city's work, replayed in order: reports, steps, and timers at their due instants."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import and_, bindparam, exists, select
from sqlmodel import Session, col

from dispatch.demo import city as made_up
from dispatch.demo.cast import Cast, by_link
from dispatch.demo.saying import Case, given_for, report_for
from dispatch.demo.stories import CONTACT, STANDING, STORIES, Step, Story
from dispatch.demo.texts import SPOTS, all_said
from dispatch.record import actions, firing
from dispatch.record.models import OutboxRow, Ticket, Timer
from dispatch.record.world import World
from dispatch.rules.deadlines import Clock, Limit, OfficeHours, Unit, due, latest_start
from dispatch.rules.workflow import BY_ACTION, State
from geo.borders import Level
from grid.database import Database
from grid.errors import Conflict, NotAllowed, NotFound
from grid.permissions import Actor
from grid.settings import Settings

DAYS = 90
ON_THE_SPOT, LOST = 18, 4
ASKED = frozenset({"attempt_callback", "answer_unsolved"})
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
        database: Database,
        settings: Settings,
        now: datetime,
        photos: "Album",
        *,
        seed: int,
        former: int,
    ) -> None:
        self.database, self.settings, self.now, self.photos = database, settings, now, photos
        self.former = former
        self.world = World(settings)
        self.rng = random.Random(seed)  # noqa: S311 - a made-up city, not a secret
        self.hours = OfficeHours(settings.timezone)
        self.clock = now - timedelta(days=DAYS + 1)
        self.queue: list[Due] = []
        self.actors: Cast
        self.refused = 0

    def play(self) -> None:
        """Everything from ninety days ago to now, in one transaction: a city half lived through would be no use."""
        with self.database.reading() as session:
            self.world.refresh(session)
        for number, (at, case) in enumerate(self._cases()):
            heapq.heappush(self.queue, Due(at, number, case, -1))
        self.database.write(self._play)

    def _play(self, session: Session) -> None:
        self.actors = Cast(session, self.now.date())
        self._play_until(session, self.now)
        _carried(session, self.now)

    def _play_until(self, session: Session, until: datetime) -> None:
        while True:
            following = self.queue[0].at if self.queue else until
            timer = _next_timer(session, min(following, until))
            if timer is not None:
                self._fire(session, timer)
            elif following >= until or not self.queue:
                return
            else:
                self._do(session, heapq.heappop(self.queue))

    def _fire(self, session: Session, timer: Timer) -> None:
        # A clock that goes on after a pause may have passed a rung meanwhile: it rings now.
        self.clock = max(self.clock, timer.due_at)
        timer.done_at, timer.outcome = self.clock, firing.DONE
        session.flush()
        timer.outcome = firing.fire(session, timer, self.world, self.clock)
        session.flush()

    def _do(self, session: Session, due_now: Due) -> None:
        case, at = due_now.case, due_now.at
        self.clock = at
        if due_now.step < 0:
            reporter = self.actors[case.by]
            report = report_for(case, self.photos.before(case.number), at)
            reported = actions.report(session, report, reporter, self.world, at)
            case.code, case.key = reported.code, (reported.intake_district, reported.ticket_id)
        else:
            self._act(session, case, case.story.steps[due_now.step], at)
        step = due_now.step + 1
        if step < len(case.story.steps):
            then = self._after(at, case.story.steps[step], case)
            heapq.heappush(self.queue, Due(then, due_now.number, case, step))

    def _act(self, session: Session, case: Case, step: Step, at: datetime) -> None:
        ticket = session.get_one(Ticket, case.key)
        if step.action == "handle":
            self._contact_first(session, case, ticket, at)
        actor = self._who(step.who, ticket)
        if actor is None or not _is_at(ticket, step.action):
            self.refused += 1
            return
        units = self.world.standing.organisations
        given = given_for(step.action, case, ticket, units, self.rng, self.photos.after(case.number))
        try:
            actions.act(session, case.code, step.action, given, actor, self.world, at)
        except (Conflict, NotAllowed, NotFound):
            self.refused += 1

    def _contact_first(self, session: Session, case: Case, ticket: Ticket, at: datetime) -> None:
        """A caller is rung up before the unit answers."""
        if ticket.contacted_at is None and case.said.place == "hotline" and case.has_reporter:
            self._act(session, case, CONTACT, at)

    def _who(self, who: str, ticket: Ticket) -> Actor | None:
        if who == "reporter":
            return by_link(ticket.id)
        if who == "clerk":
            return self.actors.get(ticket.main_code or "")
        if who == "verifier":
            by_area = self.actors.get(f"@{ticket.community_code}")
            return by_area if ticket.verify_mode == "field" else self.actors["hecha"]
        named = {"dispatcher": "paiqian", "agent": "huifang", "agent2": "paiqian", "operator": "shouli"}
        return self.actors[named[who]]

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

    def _cases(self) -> Iterator[tuple[datetime, Case]]:
        """When each matter comes up, and how it will go; nothing later than now."""
        numbers = iter(range(10_000))
        stories = self.rng.choices(STORIES, [story.weight for story in STORIES], k=self.former)
        for story in stories:
            days = self.rng.uniform(7, DAYS - 1)
            yield self._daytime(self.now - timedelta(days=days)), self._case(next(numbers), story)
        for story in (*STORIES, *STANDING):
            for _ in range(story.recent):
                needed = sum(2.0 if step.of_limit else step.most for step in story.steps) + 1.0
                back = self.rng.uniform(0.5, 30) if story.weight else needed + self.rng.uniform(0.1, 3)
                yield self._hours_ago(back), self._case(next(numbers), story, asks=story.weight == 0)
        for kind in ("remind", "self_handled"):
            for _ in range(ON_THE_SPOT // 2):
                at = self._daytime(self.now - timedelta(days=self.rng.uniform(0.3, DAYS - 1)))
                yield at, self._case(next(numbers), Story(kind, 0, ()), mode=kind)
        for _ in range(LOST):
            yield (
                self._hours_ago(self.rng.uniform(1, 12)),
                self._case(next(numbers), Story("lost", 0, ()), lost=True),
            )

    def _case(
        self, number: int, story: Story, *, mode: str = "report", lost: bool = False, asks: bool = False
    ) -> Case:
        rows = all_said()
        standing = self.world.standing
        fitting = (
            [r for r in rows if standing.categories[r.category_code].urgent is False]
            if asks or mode != "report"
            else rows
        )
        if mode != "report":
            fitting = [r for r in fitting if r.place == "patrol"]
        said = self.rng.choices(fitting, [row.weight for row in fitting])[0]
        lon, lat, community = _outside(self.rng) if lost else self._somewhere()
        must_answer = asks or any(
            step.who in ("agent2", "reporter") or step.action in ASKED for step in story.steps
        )
        by = "shouli" if said.place == "hotline" else f"@{community}"
        return Case(
            number=number,
            story=story,
            said=said,
            mode=mode,
            lon=lon,
            lat=lat,
            by=by,
            has_reporter=mode == "report"
            and (said.place == "hotline" or must_answer or self.rng.random() < 0.3),
            accuracy_m=round(self.rng.lognormvariate(2.4, 0.5), 1),
            spot=self.rng.choice(SPOTS),
            uuid=UUID(int=self.rng.getrandbits(128), version=4),
            rolls=(self.rng.random(), self.rng.random()),
        )

    def _somewhere(self) -> tuple[float, float, str]:
        """A point in some duty grid; a few grids have far more trouble than the rest."""
        grids = made_up.borders().level(Level.GRID)
        at = int(len(grids) * self.rng.random() ** 1.8)
        shape = grids[(at * 37) % len(grids)]
        west, south, east, north = shapely.bounds(shape.geometry)
        while True:
            lon, lat = self.rng.uniform(west, east), self.rng.uniform(south, north)
            if shapely.contains_xy(shape.geometry, lon, lat):
                return round(lon, 6), round(lat, 6), shape.parent or ""

    def _daytime(self, at: datetime) -> datetime:
        """The same date between seven and nineteen o'clock, and not after now."""
        local = at.astimezone(self.settings.zone)
        minute = int(np.clip(self.rng.gauss(11.5, 3.0), 7, 19) * 60)
        moved = local.replace(
            hour=minute // 60, minute=minute % 60, second=self.rng.randrange(60), microsecond=0
        )
        return min(moved.astimezone(at.tzinfo), self.now - timedelta(minutes=5))

    def _hours_ago(self, hours: float) -> datetime:
        """So many working hours before now."""
        limit = Limit(round(hours, 2), Unit.WORK_HOUR)
        return latest_start(self.now, limit, self.world.standing.calendar, self.hours)


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


def _outside(rng: random.Random) -> tuple[float, float, str]:
    town = made_up.borders().level(Level.CITY)[0].geometry
    _, south, east, north = shapely.bounds(town)
    first = made_up.borders().level(Level.COMMUNITY)[0].code
    return round(east + rng.uniform(0.004, 0.02), 6), round(rng.uniform(south, north), 6), first
