"""One grid, one code: whose grid it is, a report without account, and following it, all without JavaScript."""

import io
import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlmodel import select

from dispatch.record import queries
from dispatch.record.models import Source, Ticket, TicketEvent
from grid import codes
from tests.town import CONSULT, EAST, GARBAGE, IN_EAST, SCRAPS, WEST, Town
from tests.web.conftest import TOKEN, Program, Visitor
from tests.web.pictures import picture


def upload(program: Program, data: bytes, taken: object = None) -> str:
    fields: dict[str, Any] = {"photo": (io.BytesIO(data), "a.jpg")}
    if taken is not None:
        fields["taken"] = json.dumps(taken)
    answer = program.client.post(
        "/api/v1/photos", data=fields, headers={"Authorization": f"Bearer {program.token}"}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json["sha256"])


def code_of(town: Town, grid: str = WEST) -> str:
    with town.database.writing() as session:
        row = codes.present(session, grid, town.now)
        return codes.token(town.world.settings, row.area_code, row.serial)


class Resident:
    """Somebody in the street with a browser and no account."""

    def __init__(self, app: Flask, token: str) -> None:
        self.client, self.path = app.test_client(), f"/g/{token}"

    def sees(self, path: str | None = None) -> Any:
        return self.client.get(path or self.path)

    def posts(self, path: str | None = None, **fields: Any) -> Any:
        found = TOKEN.search(self.sees(path or self.path).text)
        return self.client.post(path or self.path, data={"csrf_token": found[1] if found else "", **fields})

    def hands_in(self, **fields: Any) -> Any:
        return self.posts(
            client_uuid=str(uuid4()), **{"category_code": GARBAGE, "text": "墙角堆了垃圾", **fields}
        )


@pytest.fixture
def resident(town: Town, app: Flask) -> Resident:
    return Resident(app, code_of(town))


def only(town: Town) -> Ticket:
    with town.database.reading() as session:
        return session.exec(select(Ticket)).one()


def place(at: dict[str, float]) -> dict[str, str]:
    return {"lon": str(at["lon"]), "lat": str(at["lat"]), "accuracy_m": "9"}


def test_the_page_says_whose_grid_it_is_and_shows_nothing_private(town: Town, resident: Resident) -> None:
    town.worker.reports()
    town.operator.reports(GARBAGE, source=Source.HOTLINE, photos=(), nature="complaint", text="邻居乱倒")
    town.operator.reports(CONSULT, source=Source.HOTLINE, photos=(), text="问政策")
    page = resident.sees()
    assert page.status_code == 200
    assert "井巷第一网格" in page.text
    assert "王小网" in page.text
    assert page.text.count('name="joins"') == 1
    assert "邻居乱倒" not in page.text
    assert "问政策" not in page.text


@pytest.mark.acceptance("A7")
def test_a_scanned_grid_is_filled_in_asked_about_and_never_forged(
    town: Town, app: Flask, resident: Resident
) -> None:
    assert 'name="chosen_grid"' not in resident.sees().text
    asked = resident.hands_in(**place(IN_EAST))
    assert asked.status_code == 200
    assert "您似乎在井巷第二网格" in asked.text
    assert f'name="chosen_grid" value="{WEST}"' in asked.text
    assert f'name="chosen_grid" value="{EAST}"' in asked.text
    for chosen in (WEST, EAST):
        answer = resident.hands_in(**place(IN_EAST), chosen_grid=chosen)
        assert answer.status_code == 303
        code = re.search(r"code=([0-9A-Z-]+)", answer.location)
        assert code
        ticket = town.ticket(code[1])
        assert (ticket.grid_code, ticket.source) == (chosen, Source.RESIDENT)
        assert ticket.placed
        assert (ticket.placed["scanned"], ticket.placed["located"]) == (WEST, EAST)
        with town.database.reading() as session:
            given = queries.rows(session, TicketEvent, ticket)[0].given
        assert (given["scanned_grid"], given["chosen_grid"]) == (WEST, chosen)
    forged = Resident(app, code_of(town).replace(WEST, EAST))
    assert forged.sees().status_code == 404
    assert "不是本系统印发" in forged.sees().text
    assert forged.client.post(forged.path, data={}).status_code in (403, 404)


def test_without_position_the_scanned_grid_counts_and_a_photo_is_kept(town: Town, resident: Resident) -> None:
    answer = resident.hands_in(photos=(io.BytesIO(picture(7)), "a.jpg"))
    assert answer.status_code == 303
    assert "已收到" in resident.sees(answer.location).text
    ticket = only(town)
    assert (ticket.grid_code, ticket.location_source, ticket.reported_by) == (WEST, "grid", None)


def test_who_cannot_say_what_it_is_leaves_it_to_a_person(town: Town, resident: Resident) -> None:
    town_has_other(town)
    assert resident.hands_in(category_code="other", text="").status_code == 422
    assert resident.hands_in(category_code="other", text="水池里有东西").status_code == 303
    assert (only(town).queue, only(town).state) == ("intake", "submitted")


def town_has_other(town: Town) -> None:
    from grid.auditing import record_change
    from grid.models import Category

    with town.database.writing() as session:
        session.add(
            Category(
                code="3007", name="其他诉求", kind="nature", leaf=True, needs_text=True, needs_photo=False
            )
        )
        record_change(session, None, "category", "3007", "add", now=town.now)
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)


def test_joining_adds_a_reporter_and_no_second_matter(town: Town, resident: Resident) -> None:
    first = town.worker.reports().code
    answer = resident.hands_in(joins=first, phone="13900001111", consented="yes", category_code="", text="")
    assert answer.status_code == 303
    assert town.ticket(first).merged_count == 1
    hidden = town.operator.reports(GARBAGE, source=Source.HOTLINE, photos=(), nature="complaint").code
    assert resident.hands_in(joins=hidden).status_code == 422


def test_following_by_number_and_last_four_digits(town: Town, app: Flask, resident: Resident) -> None:
    resident.hands_in(phone="139 0000 1234", consented="yes")
    code = only(town).code
    assert resident.posts("/follow", code=code, digits="0000").status_code == 422
    assert resident.posts("/follow", code="20260302-0000-0", digits="1234").status_code == 422
    found = resident.posts("/follow", code=code, digits="1234")
    assert found.status_code == 303
    page = resident.sees(found.location)
    for words in ("已转区环卫局", "承诺", "撤回"):
        assert words in page.text
    assert "13900001234" not in page.text
    assert "待签收" not in page.text
    assert resident.posts("/follow", code=code, digits="9999").status_code in (422, 429)
    assert {resident.posts("/follow", code=code, digits=f"{n:04}").status_code for n in range(8)} >= {429}


def test_the_link_withdraws_and_the_anonymous_one_follows_too(town: Town, resident: Resident) -> None:
    answer = resident.hands_in(category_code=SCRAPS)
    link = re.search(r'href="(/callback/[^"]+)"', resident.sees(answer.location).text)
    assert link
    assert resident.sees(link[1]).status_code == 200
    before = only(town).version
    assert only(town).version == before
    found = TOKEN.search(resident.sees(link[1]).text)
    assert found
    gone = resident.client.post(f"{link[1]}/withdraw", data={"csrf_token": found[1]})
    assert gone.status_code == 303
    assert only(town).state == "withdrawn"


def test_within_thirty_days_the_reporter_takes_it_up_again(town: Town, resident: Resident) -> None:
    answer = resident.hands_in()
    link = re.search(r'href="(/callback/[^"]+)"', resident.sees(answer.location).text)
    assert link
    code = only(town).code
    photo = town.photo("b" * 64)
    town.later(hours=1).department.acts(code, "handle", solved="solved", answer="已清运", photos=(photo,))
    town.later(hours=1).worker.acts(code, "verify_pass", photos=(town.photo("c" * 64),))
    assert town.ticket(code).state == "closed"
    found = TOKEN.search(resident.sees(link[1]).text)
    assert found
    again = resident.client.post(f"{link[1]}/reopen", data={"csrf_token": found[1], "reason": "又堆起来了"})
    assert again.status_code == 303
    assert town.ticket(code).state == "rework"


def test_sheets_are_printed_for_all_and_rotation_leaves_old_ones_good(
    town: Town, app: Flask, visitor: Callable[[str], Visitor]
) -> None:
    administrator = visitor("administrator")
    page = administrator.posts("/grid-codes/print", size="a6")
    assert page.text.count('class="sheet"') == 2
    addresses = re.findall(r"/g/([0-9]+-[0-9]+-[A-Z2-7]+)", page.text)
    old = addresses[0]
    assert app.test_client().get(f"/g/{old}").status_code == 200
    assert administrator.posts("/grid-codes/rotate", days="30").status_code == 303
    assert app.test_client().get(f"/g/{old}").status_code == 200
    town.later(days=31)
    assert app.test_client().get(f"/g/{old}").status_code == 410
    assert visitor("worker").sees("/grid-codes/").status_code == 403
