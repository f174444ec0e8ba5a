"""What goes to a reporter stands on a page with its link, so that it can be passed on where no gateway is."""

import re
from datetime import UTC, datetime

from sqlmodel import select

from app import create_app
from dispatch.engine.sending import links
from grid import accounts
from grid.accounts import passwords
from grid.models import Account
from grid.settings import Settings
from tests.engine.conftest import EngineRoom

PASSWORD = "a sentence nobody guesses"


def test_the_agent_finds_the_link_and_the_reporter_opens_it(room: EngineRoom) -> None:
    code = room.reported_on_behalf()
    room.verified(code)
    room.drain()
    url = room.town.database.engine.url.render_as_string(hide_password=False)
    settings = Settings(room.town.world.settings.instance_path, "k" * 40, url)
    app = create_app(settings)
    with room.town.database.writing() as session:
        for account in session.exec(select(Account)):
            account.password_hash = passwords.hash_password(PASSWORD)
            session.add(account)
    token, _ = accounts.sign_in(
        room.town.database, settings, login="agent", password=PASSWORD, address="", now=datetime.now(UTC)
    )
    page = app.test_client().get("/hotline/messages", headers={"Authorization": f"Bearer {token}"})
    assert page.status_code == 200
    assert code in page.text
    assert "13800009999" not in page.text
    found = re.search(re.escape(links.PATH) + r"([\w-]{43})", page.text)
    assert found
    with room.town.database.reading() as session:
        assert links.find(session, found[1], room.town.now).round == 1
