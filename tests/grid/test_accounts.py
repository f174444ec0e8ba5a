"""Posts within one duty class, who answers to whom, and every change on record."""

from datetime import date, timedelta

import pytest
from sqlmodel import select

from grid import accounts
from grid.accounts import NewAccount, NewPost
from grid.database import Database
from grid.errors import InputError
from grid.models import Post, StandingChange
from grid.permissions import Actor
from tests.grid.conftest import NOW, PASSWORD, make_account

TODAY = date(2026, 11, 2)


def actor(database: Database, login: str, role: str, organisation: str, area: str | None = None) -> Actor:
    account = make_account(database, login, role, organisation, area)
    with database.reading() as session:
        return accounts.actor_of(session, account, TODAY)


def test_an_actor_answers_for_what_is_below_and_to_what_is_above(organised: Database) -> None:
    bureau = actor(organised, "ju", "clerk", "bureau")
    contractor = actor(organised, "baojie", "clerk", "contractor")
    community = actor(organised, "shequ", "community_clerk", "community", "990101001001")

    assert bureau.under == {"bureau", "team"}
    assert bureau.answers_to == {"bureau"}
    assert contractor.under == {"contractor"}
    assert contractor.answers_to == {"contractor", "bureau"}
    assert community.answers_to == {"community", "street"}


def test_organisations_in_a_circle_do_not_run_for_ever(organised: Database) -> None:
    with organised.writing() as session:
        from grid.models import Organisation

        session.get_one(Organisation, "bureau").supervised_by = "team"

    assert actor(organised, "ju", "clerk", "bureau").answers_to == {"bureau", "team"}


def test_a_second_duty_class_is_refused_and_nothing_is_kept(organised: Database) -> None:
    account = make_account(organised, "zhang", "grid_worker", "community", "990101001001001")

    with pytest.raises(InputError, match="巡办分离"), organised.writing() as session:
        accounts.add_post(session, account, NewPost("clerk", "bureau"), None, NOW)
    mixed = NewAccount(
        login="li", name="李四", posts=(NewPost("operator", "centre"), NewPost("supervisor", "centre"))
    )
    with pytest.raises(InputError, match="督查"), organised.writing() as session:
        accounts.create_account(session, mixed, None, NOW)

    with organised.reading() as session:
        assert [post.role for post in session.exec(select(Post))] == ["grid_worker"]


def test_two_posts_in_one_class_make_one_actor(organised: Database) -> None:
    account = make_account(organised, "zhang", "grid_worker", "community", "grid-9")
    with organised.writing() as session:
        accounts.add_post(session, account, NewPost("grid_worker", "community", "grid-10"), None, NOW)

    with organised.reading() as session:
        found = accounts.actor_of(session, account, TODAY)
    assert found.area_codes == {"grid-9", "grid-10"}


@pytest.mark.parametrize(
    ("new", "complaint"),
    [
        (NewPost("mayor", "bureau"), "没有岗位"),
        (NewPost("grid_worker", "community"), "须指定负责的区域"),
        (NewPost("clerk", "nowhere"), "没有编码为 nowhere 的单位"),
    ],
)
def test_a_post_that_cannot_be_is_named(organised: Database, new: NewPost, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint), organised.writing() as session:
        accounts.create_account(session, NewAccount(login="x", name="某人", posts=(new,)), None, NOW)


def test_a_post_counts_from_its_first_to_its_last_day(organised: Database) -> None:
    first, last = TODAY, TODAY + timedelta(days=30)
    account = make_account(organised, "ju", "clerk", "bureau")
    with organised.writing() as session:
        accounts.add_post(session, account, NewPost("clerk", "street", from_on=first, to_on=last), None, NOW)

    def organisations(on: date) -> set[str]:
        with organised.reading() as session:
            return {t.organisation_code for t in accounts.actor_of(session, account, on).tenures}

    assert organisations(first - timedelta(days=1)) == {"bureau"}
    assert organisations(first) == organisations(last) == {"bureau", "street"}
    assert organisations(last + timedelta(days=1)) == {"bureau"}


def test_every_change_is_on_record_without_the_password(organised: Database) -> None:
    account = make_account(organised, "ju", "clerk", "bureau")
    with organised.writing() as session:
        accounts.disable_account(session, account, None, NOW)

    with organised.reading() as session:
        changes = session.exec(select(StandingChange).order_by(StandingChange.id)).all()
    assert [(c.thing, c.key, c.action) for c in changes] == [
        ("account", "ju", "create"),
        ("post", "ju", "create"),
        ("account", "ju", "disable"),
    ]
    everything = "".join(f"{c.before}{c.after}" for c in changes)
    assert "argon2" not in everything
    assert PASSWORD not in everything


def test_a_login_is_one_name_however_it_is_typed(organised: Database) -> None:
    make_account(organised, "Wang.Wu", "clerk", "bureau")

    with pytest.raises(InputError, match="已被使用"):
        make_account(organised, " WANG.WU ", "clerk", "bureau")
