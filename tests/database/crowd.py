"""Many processes at once on one town: each opens the database for itself and returns what happened to it."""

import multiprocessing
import os
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from grid.errors import Conflict, GridError
from tests.town import Town, open_town

LONG = os.environ.get("GRID_LONG_TESTS") == "1"
Outcomes = Counter[str]


def in_processes(count: int, work: Callable[..., Outcomes], *arguments: Any) -> Outcomes:
    """Run `work(number, *arguments)` in `count` forked processes and add up what they return."""
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()

    def run(number: int) -> None:
        try:
            results.put(work(number, *arguments))
        except BaseException as error:
            results.put(Counter({f"crashed: {error!r}": 1}))

    children = [context.Process(target=run, args=(number,), daemon=True) for number in range(count)]
    for child in children:
        child.start()
    total: Outcomes = Counter()
    for _ in children:
        total += results.get()
    for child in children:
        child.join()
    return total


def outcome_of(action: Callable[[], object]) -> str:
    """`accepted`, or the name of the error and its cause."""
    try:
        action()
    except Conflict:
        return "conflict"
    except GridError as error:
        return f"{type(error).__name__}: {error.details.get('cause', error.message)}"
    return "accepted"


def edit_at_random(number: int, url: str, folder: Path, codes: list[str], edits: int) -> Outcomes:
    """Read a ticket's version, then act on exactly that version; `edits` times over the tickets."""
    town, choice, seen = open_town(url, folder), random.Random(number), Counter[str]()
    for _ in range(edits):
        code = choice.choice(codes)
        edit = partial(
            town.department.acts, code, "contact", version=town.ticket(code).version, outcome="reached"
        )
        seen[outcome_of(edit)] += 1
    town.database.dispose()
    return seen


def report_from_threads(number: int, url: str, folder: Path, threads: int, reports: int) -> Outcomes:
    """Register reports from several threads of one process."""
    town = open_town(url, folder)
    town.photo()

    def one(_: int) -> str:
        return outcome_of(town.worker.reports)

    with ThreadPoolExecutor(threads) as pool:
        seen = Counter(pool.map(one, range(threads * reports)))
    town.database.dispose()
    return seen


def events_of(town: Town, code: str) -> int:
    """How many lines the ticket's history has."""
    from dispatch.record import queries

    with town.database.reading() as session:
        return len(queries.history(session, queries.find(session, code, town.supervisor.actor)))
