"""`make bench-pages`: every page that is opened without choosing anything, by everybody, over a million tickets.

The city of `stats_city` gets the people of the tests' town and names for its areas, units and categories; then each
person opens each page twice. A page that reads all tickets to show ten is found this way and no other.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from shapely.geometry import box
from sqlalchemy import select, text
from sqlmodel import col

from app import create_app
from benchmarks import stats, stats_city
from geo.borders import Level
from grid import schema
from grid.accounts import passwords
from grid.database import Database
from grid.models import Area, Category, Generation, Organisation
from grid.settings import Settings
from tests.services import PostgresCluster, private_folder
from tests.town import PEOPLE, found_town
from tests.web.conftest import PASSWORD, Visitor
from web.service import context

RESULTS = Path(__file__).parent / "results" / "pages.json"
SLOW_MS = 300
LEFT_OUT = ("/static", "/sign-out", "/api/v1/openapi", "/healthz", "/readyz")
YEAR = "days=365"
# Figures of a slice, which nobody comes to without choosing one.
CHOSEN = (
    f"/figures/?{YEAR}",
    f"/figures/?{YEAR}&area=990001",
    f"/figures/?{YEAR}&organisation=unit-3",
    f"/figures/?{YEAR}&organisation=unit-3&area=990001012",
    f"/figures/?{YEAR}&category=category-5&source=hotline",
    f"/figures/?{YEAR}&area=grid-77",
    f"/figures/heat?{YEAR}&area=990001012&source=hotline",
    f"/figures/map.json?{YEAR}",
    f"/figures/table?{YEAR}&by=grid",
    f"/figures/tickets?{YEAR}&measure=received",
    "/figures/tickets?now=overdue&organisation=unit-3",
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tickets", type=int, default=1_000_000)
    given = parser.parse_args()
    folder, cluster = private_folder("pages"), PostgresCluster(folder=private_folder("stats"))
    try:
        cluster.create()
        cluster.start(*stats.SERVER)
        database = Database(cluster.url())
        schema.upgrade(cluster.url())
        built = stats.build(database, given.tickets)
        found_town(cluster.url(), folder)
        name_everything(database)
        context.moment = lambda: stats.AT - timedelta(minutes=5)
        its = Settings(instance_path=folder, secret_key="k" * 40, database_url=cluster.url())
        seen = list(visits(create_app(its)))
    finally:
        cluster.remove()
    result = {
        "tickets": built["tickets"],
        "pages": len(seen),
        "again_p95_ms": round(statistics.quantiles([again for *_, again in seen], n=20)[-1], 1),
        "again_median_ms": round(statistics.median(again for *_, again in seen), 1),
        "slow": {f"{login} {path}": [first, again] for login, path, first, again in seen if again > SLOW_MS},
        "measured_on": datetime.now(stats.ZONE).date().isoformat(),
    }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(json.dumps(result, indent=2))


def name_everything(database: Database) -> None:
    """The areas, units and categories that the city's tickets speak of, and a password for everybody."""
    with database.writing() as session:
        generation = session.execute(select(col(Generation.id))).scalar_one()
        areas: dict[str, tuple[Level, str | None]] = {}
        for grid in range(stats_city.GRIDS):
            district, street, community = stats_city.places(grid)
            areas |= {district: (Level.DISTRICT, None), street: (Level.STREET, district)}
            areas |= {community: (Level.COMMUNITY, street), f"grid-{grid}": (Level.GRID, community)}
        somewhere = box(116, 39, 116.01, 39.01).wkb
        for code, (level, parent) in areas.items():
            named: dict[str, Any] = {"generation_id": generation, "code": code, "name": code, "level": level}
            session.add(Area(**named, parent_code=parent, wkb=somewhere, area_m2=1.0))
        like = session.execute(select(Category).limit(1)).scalar_one().model_dump()
        for n in range(stats_city.CATEGORIES):
            named = {"code": f"category-{n}", "name": f"类别 {n}", "parent_code": None}
            session.add(Category(**{**like, **named}))
        for n in range(stats_city.UNITS):
            session.add(Organisation(code=f"unit-{n}", name=f"单位 {n}", kind="sanitation"))
        session.execute(
            text("UPDATE account SET password_hash = :it"), {"it": passwords.hash_password(PASSWORD)}
        )


def visits(app: Flask) -> Iterator[tuple[str, str, float, float]]:
    """Who opened what, and how long it took at first and again."""
    rules = [
        rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    plain = sorted({rule.rule for rule in rules if not rule.rule.startswith(LEFT_OUT)})
    for login, *_ in PEOPLE:
        one = Visitor(app.test_client())
        assert one.posts("/sign-in", login=login, password=PASSWORD).status_code == 303
        for path in (*plain, *(CHOSEN if login == "supervisor" else ())):
            if (first := _opened(one.client, path)) is not None:
                again = _opened(one.client, path)
                assert again is not None
                yield login, path, first, again


def _opened(client: FlaskClient, path: str) -> float | None:
    """How long the page took; None if it is not for this person."""
    began = time.perf_counter()
    answer = client.get(path)
    answer.get_data()
    return round((time.perf_counter() - began) * 1000, 1) if answer.status_code == 200 else None


if __name__ == "__main__":
    main()
