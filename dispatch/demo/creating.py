"""Makes the made-up city once; a second start finds it and keeps everything that was done in it since."""

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select

from dispatch import seeding
from dispatch.demo import city, life, patrol
from dispatch.demo.drawing import draw
from dispatch.insight.reports import monthly
from dispatch.insight.topics import finding
from dispatch.record.evidence import photos
from dispatch.record.models import Ticket
from dispatch.record.world import World
from geo.borders import Level
from grid import codes
from grid.accounts import passwords
from grid.database import Database
from grid.errors import Conflict
from grid.models import Generation
from grid.settings import Settings

PICTURES = 24
FORMER = 98
PASSWORD_FILE = "demo_password"  # noqa: S105 - a file's name


@dataclass(frozen=True)
class Demo:
    """The logins to try, their one password, and whether the city was made just now."""

    logins: list[city.Login]
    password: str
    made_now: bool
    door: str

    def lines(self) -> list[str]:
        """What the terminal shows."""
        width = max(len(login.login) for login in self.logins)
        return [
            f"演示数据(全部虚构),以下账号的密码都是 {self.password}",
            *(f"  {login.login:<{width}}  {login.label}" for login in self.logins),
            f"居民扫网格码打开的页面(不用登录) {self.door}",
        ]


def create(
    database: Database, settings: Settings, now: datetime, *, seed: int = city.SEED, former: int = FORMER
) -> Demo:
    """The made-up city in this database, made if it is not there yet; `former` is how many matters are history.

    Raises
    ------
    Conflict
        The database holds a real city.
    """
    logins = city.logins(city.borders())
    with database.reading() as session:
        generation = session.exec(select(Generation).order_by(col(Generation.id))).first()
        has_tickets = session.exec(select(Ticket.id).limit(1)).first() is not None
    is_ours = generation is not None and generation.label == city.LABEL
    if (generation is not None or has_tickets) and not is_ours:
        raise Conflict("这个数据库里已有数据,不能放入演示城市;请换一个空的数据目录(GRID_INSTANCE_PATH)")
    password = _password(settings.instance_path)
    if has_tickets:
        return Demo(logins, password, made_now=False, door=_door(database, settings, now))
    database.write(lambda session: seeding.seed(session, now))
    if generation is None:
        city.draw_borders(database, settings, now)
    database.write(lambda session: city.settle(session, passwords.hash_password(password), now))
    album = _album(database, settings, now)

    def live(session: Session) -> None:
        life.Life(session, settings, now, album, seed=seed, former=former).play()

    database.write(live)
    database.write(lambda session: patrol.publish(session, settings, now))
    finding.look(database, now)
    monthly.make_due(database, World(settings), now)
    return Demo(logins, password, made_now=True, door=_door(database, settings, now))


def _door(database: Database, settings: Settings, now: datetime) -> str:
    """Where the code on the first worker's grid leads."""
    area = city.borders().level(Level.GRID)[0].code
    serial = database.write(lambda session: codes.present(session, area, now).serial)
    return f"{settings.base_url}/g/{codes.token(settings, area, serial)}"


def _album(database: Database, settings: Settings, now: datetime) -> life.Album:
    stored: dict[bool, list[str]] = {False: [], True: []}
    for mended, kept in stored.items():
        for number in range(PICTURES):
            kept.append(photos.store(database, settings, draw(number, mended=mended), None, now).sha256)
    return life.Album(stored[False], stored[True])


def _password(folder: Path) -> str:
    """This installation's own password for the demo's accounts, readable by its owner only."""
    file = folder / PASSWORD_FILE
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text("ascii").strip()
    password = f"yunling-{secrets.token_hex(3)}-{secrets.token_hex(2)}"
    with os.fdopen(descriptor, "w") as handle:
        handle.write(password)
    return password
