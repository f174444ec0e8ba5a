"""The reporter's link: opening it changes nothing, it works once, and afterwards says so."""

import io
from datetime import timedelta

from flask import Flask
from werkzeug.test import TestResponse

from dispatch.engine.sending import links
from dispatch.record import queries
from dispatch.record.models import Source, TicketEvent
from tests.town import Town
from tests.walking import calls, fires
from tests.web.conftest import TOKEN
from tests.web.pictures import picture


def asked(town: Town) -> tuple[str, str]:
    """A handled and verified ticket of somebody who agreed to be asked, and their link."""
    code = town.worker.reports(
        source=Source.ON_BEHALF,
        reporter_name="赵大爷",
        reporter_phone="13800009999",
        consented=True,
        notice_version="1",
        text="门口垃圾三天没清,我电话 13800009999",
    ).code
    photo = town.photo("b" * 64)
    town.later(hours=1).department.acts(code, "handle", solved="solved", answer="已清运", photos=(photo,))
    town.later(hours=1).worker.acts(code, "verify_pass", photos=(town.photo("c" * 64),))
    ticket = town.ticket(code)
    settings = town.world.settings
    with town.database.writing() as session:
        links.issue(session, settings, ticket, ticket.callback_round, town.now)
    return code, f"/callback/{links.token(settings, ticket.id, ticket.callback_round)}"


def answers(app: Flask, path: str, **fields: str) -> int:
    client = app.test_client()
    found = TOKEN.search(client.get(path).text)
    return client.post(path, data={"csrf_token": found[1] if found else "", **fields}).status_code


def test_opening_the_link_shows_the_outcome_and_changes_nothing(town: Town, app: Flask) -> None:
    code, path = asked(town)
    before = town.ticket(code).version
    page = app.test_client().get(path)
    assert page.status_code == 200
    assert "已清运" in page.text
    assert "等待您评价" in page.text
    assert "13800009999" not in page.text
    assert "赵大爷" not in page.text
    assert town.ticket(code).version == before


def test_a_content_answer_closes_and_the_link_is_gone(town: Town, app: Flask) -> None:
    code, path = asked(town)
    assert answers(app, path, solved="solved", satisfaction="5", words="谢谢") == 200
    ticket = town.ticket(code)
    assert (ticket.state, ticket.satisfaction, ticket.solved) == ("closed", 5, "solved")
    again = app.test_client().get(path)
    assert (again.status_code, "已经用过" in again.text) == (410, True)
    with town.database.reading() as session:
        events = queries.rows(session, TicketEvent, ticket)
    assert events[-1].channel == "link"
    assert events[-1].account_id is None


def test_a_discontent_answer_goes_to_review(town: Town, app: Flask) -> None:
    code, path = asked(town)
    assert answers(app, path, solved="partly", satisfaction="2") == 200
    assert town.ticket(code).state == "reviewing"


def test_without_an_answer_nothing_is_used_up(town: Town, app: Flask) -> None:
    code, path = asked(town)
    assert answers(app, path, words="没选") == 422
    assert answers(app, path, solved="solved") == 200
    assert town.ticket(code).satisfaction is None


def test_an_expired_or_forged_link_says_what_to_do(town: Town, app: Flask) -> None:
    _, path = asked(town)
    assert app.test_client().get(path[:-3] + "xyz").status_code == 404
    town.now += timedelta(days=15)
    expired = app.test_client().get(path)
    assert (expired.status_code, "过期" in expired.text) == (410, True)


def test_guessing_is_slowed_down(town: Town, app: Flask) -> None:
    client = app.test_client()
    seen = {client.get(f"/callback/guess{number}").status_code for number in range(60)}
    assert seen == {404, 429}


def following(town: Town, code: str) -> str:
    """The link that comes with the first message and stays good."""
    ticket, settings = town.ticket(code), town.world.settings
    with town.database.writing() as session:
        links.issue(session, settings, ticket, links.FOLLOWING, town.now)
    return f"/callback/{links.token(settings, ticket.id, links.FOLLOWING)}"


def does(app: Flask, path: str, action: str, **fields: object) -> TestResponse:
    client = app.test_client()
    found = TOKEN.search(client.get(path).text)
    return client.post(f"{path}/{action}", data={"csrf_token": found[1] if found else "", **fields})


def test_by_the_same_link_they_urge_supplement_and_withdraw(town: Town, app: Flask) -> None:
    code = calls(town)
    path = following(town, code)
    page = app.test_client().get(path).text
    assert "催一催" in page
    assert "撤回" in page
    assert "补充情况" not in page
    assert "再补充一点" in page
    told = does(
        app, path, "add_information", text="靠近变电箱那一侧", photos=(io.BytesIO(picture(9)), "a.jpg")
    )
    assert told.status_code == 303
    with town.database.reading() as session:
        ticket = town.ticket(code)
        last = queries.rows(session, TicketEvent, ticket)[-1]
        assert (last.action, ticket.state, len(last.given["photos"])) == ("add_information", "dispatched", 1)
    for _ in range(2):
        assert does(app, path, "urge", words="请快一点").status_code == 303
    assert town.ticket(code).urged == 2
    town.department.acts(code, "ask_more", reason="请补充门牌号")
    assert "补充情况" in app.test_client().get(path).text
    refused = does(app, path, "supply")
    assert (refused.status_code, "请填写" in refused.text) == (422, True)
    assert does(app, path, "supply", text="12 号楼东侧").status_code == 303
    assert town.ticket(code).state == "in_progress"
    assert does(app, path, "withdraw", words="已经清走了").status_code == 303
    assert town.ticket(code).state == "withdrawn"
    after = does(app, path, "withdraw")
    assert (after.status_code, "您已撤回" in app.test_client().get(path).text) == (409, True)
    assert town.ticket(code).state == "withdrawn"


def test_when_the_limit_has_passed_they_say_how_it_goes(town: Town, app: Flask) -> None:
    code = calls(town)
    path = following(town, code)
    assert does(app, path, "ask_progress", progress="knows").status_code == 409
    for kind in ("clock_hint", "clock_yellow", "clock_red"):
        assert fires(town, code, kind) == "done"
    path = following(town, code)
    assert does(app, path, "ask_progress", progress="not_told").status_code == 303
    assert town.ticket(code).progress_due_at is None


def test_the_link_does_nothing_else(town: Town, app: Flask) -> None:
    code = calls(town)
    path = following(town, code)
    for action in ("handle", "verify_pass", "attempt_callback", "nonsense"):
        assert does(app, path, action).status_code == 404
    assert town.ticket(code).state == "dispatched"
