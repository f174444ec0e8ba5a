"""`make bench-maps`: borders of a metropolis as files for maps, made once per level and zoom and then served."""

import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import col, select

from app import create_app
from geo.inventing import METROPOLIS, invent_city
from grid.accounts import passwords
from grid.areas import beginning, mapcopies
from grid.areas.generations import NewGeneration
from grid.models import Account
from grid.settings import Settings
from tests.town import found_town, open_town

RESULTS = Path(__file__).parent / "results" / "maps.json"
PASSWORD = "a sentence nobody guesses"
ROUNDS = 15
ZOOMS = (8, 11, 14, 17)


def main() -> int:
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        url = f"sqlite:///{folder / 'town.db'}"
        found_town(url, folder)
        town = open_town(url, folder)
        city = invent_city(METROPOLIS)
        print("city", flush=True)
        new = NewGeneration("metropolis", city.areas, city.overlays, synthetic=True)
        active = beginning.put_in_force(
            town.database, new, folder, None, datetime.now(UTC), datetime.now(UTC).date()
        )
        begun = time.perf_counter()
        with town.database.reading() as session:
            for level in mapcopies.LEVELS:
                for zoom in ZOOMS:
                    mapcopies.map_copy(session, folder, active, level, zoom)
        made_s = time.perf_counter() - begun
        print(f"made in {made_s:.0f} s", flush=True)
        with town.database.writing() as session:
            one = session.exec(select(Account).where(col(Account.login) == "administrator")).one()
            one.password_hash = passwords.hash_password(PASSWORD)
            session.add(one)
        client = create_app(Settings(folder, "k" * 40, url)).test_client()
        answer = client.post("/api/v1/session", json={"login": "administrator", "password": PASSWORD})
        token = {"Authorization": f"Bearer {answer.get_json()['token']}", "Accept-Encoding": "gzip"}
        spans, worst, largest = [], {}, 0
        for level in mapcopies.LEVELS:
            for zoom in ZOOMS:
                taken = []
                for _ in range(ROUNDS):
                    begun = time.perf_counter()
                    body = client.get(f"/map/{level}/{zoom}", headers=token).get_data()
                    taken.append((time.perf_counter() - begun) * 1000)
                largest = max(largest, len(body))
                spans += taken
                worst[f"{level}-{zoom}"] = round(statistics.median(taken), 2)
        town.database.dispose()
    found = {
        "grids": METROPOLIS.grids,
        "copies": len(worst),
        "made_s": round(made_s, 1),
        "served_p50_ms": round(statistics.median(spans), 2),
        "served_p99_ms": round(statistics.quantiles(spans, n=100)[98], 2),
        "largest_mb": round(largest / 1e6, 1),
        "slowest_copy_ms": max(worst.values()),
        "slowest_copy": max(worst, key=lambda name: worst[name]),
    }
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))
    return 0 if found["served_p99_ms"] < 50 else 1


if __name__ == "__main__":
    sys.exit(main())
