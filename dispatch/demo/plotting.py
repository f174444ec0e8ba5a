"""What comes up in the made-up city, when and where: the cases of three months, the same for the same seed."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from dispatch.demo import city as made_up
from dispatch.demo.saying import Case
from dispatch.demo.stories import SAID_TWICE, STANDING, STORIES, Story
from dispatch.demo.texts import SPOTS, Said, all_said
from dispatch.record.world import Standing
from dispatch.rules.deadlines import Limit, OfficeHours, Unit, latest_start
from geo.borders import Level

DAYS = 90
ON_THE_SPOT, LOST = 18, 4
RUBBISH = "200102"
ASKED = frozenset({"attempt_callback", "answer_unsolved"})


class Plot:
    """Draws cases up to `now`: `former` of them long ago, the rest so late that they are still open."""

    def __init__(self, rng: random.Random, standing: Standing, now: datetime, former: int) -> None:
        self.rng, self.standing, self.now, self.former = rng, standing, now, former
        self.hours = OfficeHours(standing.zone)

    def cases(self) -> Iterator[tuple[datetime, Case]]:
        """When each matter comes up, and how it will go; nothing later than now."""
        numbers = iter(range(10_000))
        stories = self.rng.choices(STORIES, [story.weight for story in STORIES], k=self.former)
        for story in stories:
            at = self._daytime(self.now - timedelta(days=self.rng.uniform(7, DAYS - 1)))
            case = self._case(next(numbers), story)
            yield at, case
            if story.key == "slow":
                again = self._case(next(numbers), SAID_TWICE)
                again = replace(again, said=case.said, lon=case.lon, lat=case.lat, by=case.by, twin=case)
                yield at + timedelta(hours=1), again
        for story in (*STORIES, *STANDING):
            for _ in range(story.recent):
                needed = sum(2.0 if step.of_limit else step.most for step in story.steps) + 1.0
                back = self.rng.uniform(0.5, 30) if story.weight else needed + self.rng.uniform(0.1, 3)
                yield self._hours_ago(back), self._case(next(numbers), story, waits=story.weight == 0)
        for kind in ("remind", "self_handled"):
            for _ in range(ON_THE_SPOT // 2):
                at = self._daytime(self.now - timedelta(days=self.rng.uniform(0.3, DAYS - 1)))
                yield at, self._case(next(numbers), Story(kind, 0, (), mode=kind))
        for _ in range(LOST):
            yield (
                self._hours_ago(self.rng.uniform(1, 12)),
                self._case(next(numbers), Story("lost", 0, ()), lost=True),
            )

    def _case(self, number: int, story: Story, *, lost: bool = False, waits: bool = False) -> Case:
        said = self._said(story, calm=waits or story.mode != "report")
        lon, lat, community = _outside(self.rng) if lost else self._somewhere(story)
        is_call = said.place == "hotline"
        must_answer = waits or any(
            step.who in ("agent2", "reporter") or step.action in ASKED for step in story.steps
        )
        named = is_call or must_answer or self.rng.random() < 0.3
        return Case(
            number=number,
            story=story,
            said=said,
            mode=story.mode,
            lon=lon,
            lat=lat,
            by="shouli" if is_call else f"@{community}",
            has_reporter=named and story.mode in ("report", "hold"),
            accuracy_m=round(self.rng.lognormvariate(2.4, 0.5), 1),
            spot=self.rng.choice(SPOTS),
            uuid=UUID(int=self.rng.getrandbits(128), version=4),
            rolls=(self.rng.random(), self.rng.random()),
        )

    def _said(self, story: Story, *, calm: bool) -> Said:
        """What it is about: by telephone or from a patrol where the story says so, and calm where it must wait."""
        categories = self.standing.categories
        place = story.place or ("patrol" if story.mode in ("remind", "self_handled") else None)
        fitting = [
            row
            for row in all_said()
            if place in (None, row.place)
            and (not story.preverified or categories[row.category_code].preverify)
            and (not story.at_home or row.category_code == RUBBISH)
            and not (calm and categories[row.category_code].urgent)
        ]
        return self.rng.choices(fitting, [row.weight for row in fitting])[0]

    def _somewhere(self, story: Story) -> tuple[float, float, str]:
        """A point in some duty grid; a few grids have far more trouble than the rest."""
        grids = made_up.borders().level(Level.GRID)
        if story.at_home:
            home = made_up.borders().level(Level.COMMUNITY)[0].code
            grids = [grid for grid in grids if grid.parent == home][:2]
        at = int(len(grids) * self.rng.random() ** 1.8)
        shape = grids[(at * 37) % len(grids)]
        west, south, east, north = shapely.bounds(shape.geometry)
        while True:
            lon, lat = self.rng.uniform(west, east), self.rng.uniform(south, north)
            if shapely.contains_xy(shape.geometry, lon, lat):
                return round(lon, 6), round(lat, 6), shape.parent or ""

    def _daytime(self, at: datetime) -> datetime:
        """The same date between seven and nineteen o'clock, and not after now."""
        local = at.astimezone(ZoneInfo(self.standing.zone))
        minute = int(np.clip(self.rng.gauss(11.5, 3.0), 7, 19) * 60)
        moved = local.replace(
            hour=minute // 60, minute=minute % 60, second=self.rng.randrange(60), microsecond=0
        )
        return min(moved.astimezone(at.tzinfo), self.now - timedelta(minutes=5))

    def _hours_ago(self, hours: float) -> datetime:
        """So many working hours before now."""
        limit = Limit(round(hours, 2), Unit.WORK_HOUR)
        return latest_start(self.now, limit, self.standing.calendar, self.hours)


def _outside(rng: random.Random) -> tuple[float, float, str]:
    town = made_up.borders().level(Level.CITY)[0].geometry
    _, south, east, north = shapely.bounds(town)
    first = made_up.borders().level(Level.COMMUNITY)[0].code
    return round(east + rng.uniform(0.004, 0.02), 6), round(rng.uniform(south, north), 6), first
