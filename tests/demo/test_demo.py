"""The made-up city: every desk finds something, the history is real, and a second start keeps it."""

import shutil
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from sqlmodel import col, select

from dispatch.demo import city, creating
from dispatch.demo.drawing import draw
from dispatch.demo.plotting import Plot
from dispatch.demo.saying import Filling, given_for
from dispatch.demo.texts import all_said
from dispatch.insight.reports import bulletins
from dispatch.insight.reports.models import Bulletin
from dispatch.record.judging.given import is_needed
from dispatch.record.models import Assignment, OutboxRow, Reporter, Ticket, TicketEvent, Timer
from dispatch.record.world import World
from dispatch.rules.workflow import BY_ACTION, State
from grid import accounts, codes
from grid.areas.beginning import put_in_force
from grid.areas.generations import NewGeneration
from grid.database import Database
from grid.errors import Conflict
from grid.models import Account, Category, Generation, Post
from grid.settings import Settings
from tests.services import PostgresCluster, make_tables

TUESDAY_EVENING = datetime(2026, 11, 3, 11, 0, tzinfo=UTC)
FORMER = 12
IN_EVERY_QUEUE = {
    State.SUBMITTED,
    State.REJECT_PENDING,
    State.FILED,
    State.NEED_INFO,
    State.EXT_PENDING,
    State.SUSPEND_PENDING,
    State.DISPATCHED,
    State.IN_PROGRESS,
    State.OBJECTED,
    State.CONSULTING,
    State.HANDLED,
    State.VERIFIED,
    State.CALLBACK,
    State.REVIEWING,
    State.REWORK,
    State.CLOSED,
    State.REMINDED,
    State.SELF_HANDLED,
}


@dataclass(frozen=True)
class Made:
    """A made-up city on one database, for all tests that only look at it."""

    database: Database
    settings: Settings
    demo: creating.Demo


def its_settings(url: str, folder: Path) -> Settings:
    photos = f"file://{folder / 'photos'}"
    return Settings(instance_path=folder, secret_key="k" * 48, database_url=url, photo_url=photos)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(
    request: pytest.FixtureRequest, sqlite_with_tables: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("demo")
    if request.param == "sqlite":
        shutil.copy(sqlite_with_tables, folder / "demo.db")
        url = f"sqlite:///{folder / 'demo.db'}"
    else:
        cluster: PostgresCluster = request.getfixturevalue("postgres")
        url = cluster.url(cluster.new_database(template=cluster.template("tables", make_tables)))
    settings, database = its_settings(url, folder), Database(url)
    yield Made(database, settings, creating.create(database, settings, TUESDAY_EVENING, former=FORMER))
    database.dispose()


def test_a_supervisor_finds_the_last_months_bulletins(made: Made) -> None:
    with made.database.reading() as session:
        about = set(session.exec(select(Bulletin.about)))
    assert bulletins.CITY in about
    assert {kind.partition(":")[0] for kind in about} == {bulletins.CITY, "area", "organisation"}


def test_every_desk_finds_work_and_it_says_that_it_is_made_up(made: Made) -> None:
    with made.database.reading() as session:
        tickets = session.exec(select(Ticket)).all()
        assert session.exec(select(Generation)).one().synthetic

    assert {t.state for t in tickets} >= IN_EVERY_QUEUE
    assert {str(t.source) for t in tickets} >= {"patrol", "on_behalf", "hotline"}
    assert all(t.synthetic for t in tickets)
    assert any(t.overdue for t in tickets)
    assert any(t.queue == "out_of_area" for t in tickets)
    assert len({t.main_code for t in tickets}) > 10
    assert max(t.reported_at for t in tickets) <= TUESDAY_EVENING
    assert min(t.reported_at for t in tickets) > TUESDAY_EVENING - timedelta(days=92)


def test_its_history_is_in_order_and_nothing_due_was_left_out(made: Made) -> None:
    with made.database.reading() as session:
        events = session.exec(select(TicketEvent).order_by(TicketEvent.ticket_id, TicketEvent.seq)).all()
        waiting = session.exec(select(Timer).where(Timer.done_at == None)).all()  # noqa: E711
        handled = session.exec(select(Assignment).where(Assignment.handled_at != None)).all()  # noqa: E711
        unsent = session.exec(select(OutboxRow).where(OutboxRow.done_at == None)).all()  # noqa: E711

    for before, after in pairwise(events):
        if before.ticket_id == after.ticket_id:
            assert after.seq == before.seq + 1
            assert after.at >= before.at
            assert after.previous_hash == before.hash
    assert Counter(e.action for e in events)["dispatch"] > FORMER
    assert all(timer.due_at > TUESDAY_EVENING for timer in waiting)
    assert all(row.handled_at and row.handled_at > row.dispatched_at for row in handled)
    assert all(
        row.created_at > TUESDAY_EVENING - timedelta(days=1) for row in unsent if row.topic != "ask_reporter"
    )


def test_everybody_on_the_list_can_sign_in_and_every_role_is_there(made: Made) -> None:
    roles = set()
    for number, login in enumerate(made.demo.logins):
        token, _ = accounts.sign_in(
            made.database,
            made.settings,
            login=login.login,
            password=made.demo.password,
            address=f"192.0.2.{number}",
            now=TUESDAY_EVENING,
        )
        visit = accounts.visit_of(made.database, made.settings, token, TUESDAY_EVENING)
        assert visit is not None
        roles |= {tenure.role for tenure in visit.actor.tenures}

    assert roles >= {"grid_worker", "clerk", "community_clerk", "operator", "dispatcher", "callback_agent"}
    assert roles >= {"supervisor", "material_verifier", "administrator"}
    told = "\n".join(made.demo.lines())
    assert made.demo.password in told
    token = told.rpartition("/g/")[2]
    with made.database.reading() as session:
        grid = codes.read(session, made.settings, token, TUESDAY_EVENING).area_code
        worker = session.exec(select(Account).where(Account.login == "wangge1")).one()
        posts = session.exec(select(Post.area_code).where(Post.account_id == worker.id)).all()
    assert grid in posts
    mode = (made.settings.instance_path / creating.PASSWORD_FILE).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_the_first_worker_and_the_first_unit_find_something_to_do(made: Made) -> None:
    with made.database.reading() as session:
        worker = session.exec(select(Account).where(Account.login == "wangge1")).one()
        grids = session.exec(select(Post.area_code).where(Post.account_id == worker.id)).all()
        waiting = session.exec(
            select(Ticket).where(Ticket.state == "handled", col(Ticket.grid_code).in_(grids))
        ).all()
        unopened = session.exec(
            select(Ticket).where(Ticket.state == "dispatched", Ticket.main_code == "sanitation-1")
        ).all()
    assert [ticket for ticket in waiting if ticket.verify_mode == "field"]
    assert unopened


def test_a_second_start_keeps_what_was_done_meanwhile(made: Made) -> None:
    with made.database.writing() as session:
        reporter = session.exec(select(Reporter)).first()
        assert reporter is not None
        reporter.name = "改过的名字"
        before = len(session.exec(select(Ticket)).all())

    again = creating.create(made.database, made.settings, TUESDAY_EVENING + timedelta(days=1), former=FORMER)

    assert not again.made_now
    assert again.password == made.demo.password
    with made.database.reading() as session:
        assert len(session.exec(select(Ticket)).all()) == before
        assert session.exec(select(Reporter).where(Reporter.name == "改过的名字")).one()


def test_it_is_never_put_into_a_real_city(tables_url: str, tmp_path: Path) -> None:
    settings, database = its_settings(tables_url, tmp_path), Database(tables_url)
    shapes = city.borders()
    put_in_force(
        database,
        NewGeneration("本市 2026", shapes.areas),
        settings.instance_path,
        None,
        TUESDAY_EVENING,
        TUESDAY_EVENING.date(),
    )

    with pytest.raises(Conflict, match="已有数据"):
        creating.create(database, settings, TUESDAY_EVENING)
    database.dispose()


def test_the_same_seed_brings_up_the_same_matters(made: Made) -> None:
    world = World(made.settings)
    with made.database.reading() as session:
        standing = world.refresh(session)

    def told(seed: int) -> list[tuple[datetime, str, float, float, str]]:
        cases = Plot(Random(seed), standing, TUESDAY_EVENING, FORMER).cases()
        return [(at, c.said.category_code, c.lon, c.lat, c.story.key) for at, c in cases]

    assert told(1) == told(1) != told(2)


def test_pictures_are_the_same_every_time_and_differ_before_and_after() -> None:
    assert draw(3, mended=False) == draw(3, mended=False)
    assert len({draw(n, mended=mended) for n in range(4) for mended in (False, True)}) == 8


def test_every_text_speaks_of_a_category_that_exists(made: Made) -> None:
    with made.database.reading() as session:
        leaves = {row.code for row in session.exec(select(Category).where(Category.leaf))}

    assert {said.category_code for said in all_said()} <= leaves
    assert all("{spot}" in said.said or said.place == "hotline" for said in all_said())


def test_whoever_answers_fills_in_all_that_the_category_asks_for(made: Made) -> None:
    world = World(made.settings)
    with made.database.reading() as session:
        standing = world.refresh(session)
        ticket = session.exec(select(Ticket).where(Ticket.main_code != None)).first()  # noqa: E711
        assert ticket is not None
    case = next(case for _, case in Plot(Random(1), standing, TUESDAY_EVENING, FORMER).cases())

    for said in all_said():
        category = standing.categories[said.category_code]
        for action in ("handle", "draft_answer"):
            form = Filling(
                action=action,
                case=replace(case, said=said),
                ticket=ticket,
                category=category,
                units=standing.organisations,
                rng=Random(1),
                photo="0" * 64,
                at=TUESDAY_EVENING,
            )
            filled = given_for(form)
            asked = [field.name for field in BY_ACTION[action].given if is_needed(field, category)]
            if said.place == "hotline":
                asked = [name for name in asked if name != "photos"]
            assert all(filled.get(name) for name in asked), (said.category_code, action)
