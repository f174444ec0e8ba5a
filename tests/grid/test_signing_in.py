"""The way in: sessions that can be revoked, guessing that gets nowhere, links that work once."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from grid import accounts
from grid.accounts import passwords
from grid.database import Database
from grid.errors import Conflict, Gone, GridError, InputError, TooMany
from grid.models import Account, OneTimeLink, SignIn
from grid.settings import Settings
from tests.grid.conftest import NOW, PASSWORD, make_account

HERE = "192.0.2.7"


@pytest.fixture
def clerk(organised: Database) -> Account:
    return make_account(organised, "clerk", "clerk", "bureau")


def enter(
    organised: Database,
    settings: Settings,
    password: str = PASSWORD,
    *,
    login: str = "clerk",
    address: str = HERE,
    now: datetime = NOW,
) -> str:
    return accounts.sign_in(organised, settings, login=login, password=password, address=address, now=now)[0]


def test_a_session_opens_and_only_its_hash_is_kept(
    organised: Database, settings: Settings, clerk: Account
) -> None:
    token = enter(organised, settings, login=" CLERK ")

    visit = accounts.visit_of(organised, settings, token, NOW)

    assert visit is not None
    assert visit.account.id == clerk.id
    assert visit.actor.may("ticket:handle")
    with organised.reading() as session:
        assert token not in str(session.exec(select(SignIn)).one().model_dump())


def test_signing_in_again_ends_the_browsers_old_session(
    organised: Database, settings: Settings, clerk: Account
) -> None:
    old = enter(organised, settings)
    new, _ = accounts.sign_in(
        organised, settings, login="clerk", password=PASSWORD, address=HERE, now=NOW, replacing=old
    )

    assert old != new
    assert accounts.visit_of(organised, settings, old, NOW) is None
    assert accounts.visit_of(organised, settings, new, NOW) is not None


@pytest.mark.parametrize("ending", ["sign_out", "password", "disable", "forged"])
def test_what_ends_a_session_ends_it_at_once(
    organised: Database, settings: Settings, clerk: Account, ending: str
) -> None:
    token = enter(organised, settings)
    visit = accounts.visit_of(organised, settings, token, NOW)
    assert visit is not None
    with organised.writing() as session:
        account = session.get_one(Account, clerk.id)
        if ending == "sign_out":
            accounts.sign_out(session, token, NOW)
        elif ending == "password":
            accounts.change_password(
                session, account, visit.actor, old=PASSWORD, new="今天换了一把崭新的锁!", now=NOW
            )
        elif ending == "disable":
            accounts.disable_account(session, account, None, NOW)
        else:
            token += "x"

    assert accounts.visit_of(organised, settings, token, NOW) is None


def test_a_session_ends_when_idle_and_at_its_limit(
    organised: Database, settings: Settings, clerk: Account
) -> None:
    token = enter(organised, settings)
    idle = timedelta(minutes=settings.session_idle_minutes)
    seen = NOW + idle - timedelta(seconds=1)
    assert accounts.visit_of(organised, settings, token, seen) is not None
    assert accounts.visit_of(organised, settings, token, seen + idle - timedelta(seconds=1)) is not None
    assert accounts.visit_of(organised, settings, token, seen + 3 * idle) is None

    busy, now = enter(organised, settings), NOW
    while now < NOW + timedelta(hours=settings.session_limit_hours):
        assert accounts.visit_of(organised, settings, busy, now) is not None
        now += idle / 2
    assert accounts.visit_of(organised, settings, busy, now) is None


def test_the_sixth_try_is_refused_even_with_the_right_password(
    organised: Database, settings: Settings, clerk: Account
) -> None:
    for login in ("clerk", "nobody"):
        for _ in range(5):
            with pytest.raises(InputError):
                enter(organised, settings, "wrong", login=login)
    refusals = []
    for login in ("clerk", "nobody"):
        with pytest.raises(TooMany) as refused:
            enter(organised, settings, login=login)
        refusals.append(refused.value.message)

    assert refusals[0] == refusals[1]
    assert enter(organised, settings, address="198.51.100.1")
    assert enter(organised, settings, now=NOW + timedelta(minutes=15))


def test_many_addresses_get_twenty_checks_of_one_account(
    organised: Database, settings: Settings, clerk: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[str] = []

    def counting(_hash: str | None, password: str) -> bool:
        checks.append(password)
        return False

    monkeypatch.setattr(passwords, "matches", counting)

    def attempt(number: int) -> type[Exception]:
        try:
            enter(organised, settings, f"guess {number}", address=f"203.0.113.{number % 40}")
        except GridError as error:
            return type(error)
        raise AssertionError("let in")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(120)))

    assert len(checks) == 20
    assert answers.count(TooMany) == 100


def test_a_success_forgives_the_slips_before_it(
    organised: Database, settings: Settings, clerk: Account
) -> None:
    for _ in range(6):
        for _ in range(3):
            with pytest.raises(InputError):
                enter(organised, settings, "wrong")
        enter(organised, settings)


def test_an_unknown_name_is_answered_alike_and_in_the_same_time(
    organised: Database, settings: Settings, clerk: Account
) -> None:
    def seconds(login: str, number: int) -> tuple[float, str]:
        began = time.perf_counter()
        with pytest.raises(InputError) as wrong:
            enter(organised, settings, "wrong", login=login, address=f"192.0.2.{number}")
        return time.perf_counter() - began, wrong.value.message

    pairs = [(seconds("clerk", n), seconds(f"nobody{n}", n + 100)) for n in range(15)]
    known = statistics.median(known[0] for known, _ in pairs)
    unknown = statistics.median(unknown[0] for _, unknown in pairs)

    assert {known[1] for known, _ in pairs} == {unknown[1] for _, unknown in pairs}
    assert 0.6 < unknown / known < 1.7


def test_the_hash_nobody_has_is_as_slow_as_ours() -> None:
    ours = passwords.hash_password("irgendein Satz 12").split("$")[1:4]

    assert passwords.NOBODYS_HASH.split("$")[1:4] == ours == ["argon2id", "v=19", "m=19456,t=2,p=1"]


@pytest.mark.parametrize("poor", ["短", "12345678901234", "aaaaaaaaaaaaaa", "hello-clerk-hello", "x" * 201])
def test_a_poor_password_is_refused(organised: Database, clerk: Account, poor: str) -> None:
    with pytest.raises(InputError) as refused:
        passwords.check_password(poor, login="clerk", name="王小明")

    assert "password" in refused.value.fields


def test_a_password_link_works_once_and_only_with_a_good_password(
    organised: Database, settings: Settings, clerk: Account
) -> None:
    old = enter(organised, settings)
    with organised.writing() as session:
        token = accounts.make_password_link(session, clerk, None, NOW)

    with pytest.raises(InputError), organised.writing() as session:
        accounts.use_password_link(session, token, "short", NOW)
    with organised.writing() as session:
        accounts.use_password_link(session, token, "雨后山色分外青青好看", NOW)
    with pytest.raises(Gone), organised.writing() as session:
        accounts.use_password_link(session, token, "第二次使用同一个链接", NOW)

    assert accounts.visit_of(organised, settings, old, NOW) is None
    assert enter(organised, settings, "雨后山色分外青青好看")


def test_fifty_at_once_use_a_link_once(organised: Database, clerk: Account) -> None:
    with organised.writing() as session:
        token = accounts.make_password_link(session, clerk, None, NOW)

    def use(number: int) -> bool:
        try:
            organised.write(
                lambda session: accounts.use_password_link(
                    session, token, f"第{number}个人的密码很长很长", NOW
                )
            )
        except Gone:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(use, range(50))) == 1


def test_an_expired_or_foreign_link_is_gone(organised: Database, clerk: Account) -> None:
    with organised.writing() as session:
        token = accounts.make_password_link(session, clerk, None, NOW)
        expires_at = session.exec(select(OneTimeLink)).one().expires_at

    for now, tried in ((expires_at, token), (NOW, "made up"), (NOW, token + "é")):
        with pytest.raises(Gone), organised.writing() as session:
            accounts.use_password_link(session, tried, "一个足够长的新密码", now)


def test_the_first_administrator_comes_by_link_and_only_once(database: Database, settings: Settings) -> None:
    with database.writing() as session:
        forgotten = accounts.make_first_administrator_link(session, NOW)
        token = accounts.make_first_administrator_link(session, NOW)
    assert forgotten is not None
    assert token is not None

    def create(token: str) -> Account:
        return database.write(
            lambda session: accounts.create_first_administrator(
                session, token, login="admin", name="管理员甲", password=PASSWORD, now=NOW
            )
        )

    with pytest.raises(Gone):
        create(forgotten)
    create(token)
    with pytest.raises(Conflict):
        create(token)

    visit = accounts.visit_of(database, settings, enter(database, settings, login="admin"), NOW)
    assert visit is not None
    assert visit.actor.may("standing:change")
    with database.reading() as session:
        assert accounts.make_first_administrator_link(session, NOW) is None
