"""What leaves the house: at least once on the wire with one stable id, in order, each destination by itself."""

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from dispatch.engine import outbox
from dispatch.engine.outbox import Tools
from dispatch.engine.sending import links, outgoing
from dispatch.engine.sending.channels import Message, SendError, gateway
from dispatch.engine.sending.delivering import LEASE
from dispatch.record.models import CallbackLink, Reporter
from dispatch.record.oversight import letters
from dispatch.record.world import World
from grid.errors import Gone, NotFound
from tests.engine.conftest import EngineRoom
from tests.record.test_oversight import overdue
from tests.town import SANITATION

PHONE = "13800009999"


def link_of(text: str) -> str:
    return text.rsplit(links.PATH, 1)[1]


def test_the_reporter_is_told_and_asked_with_a_link_that_opens(room: EngineRoom) -> None:
    code = room.reported_on_behalf()
    room.drain()
    assert room.send() == 1
    assert code in room.gateway.taken[0].text
    room.verified(code)
    room.drain()
    assert room.send() == 1
    asked = room.gateway.taken[1]
    assert (asked.to, asked.ticket_code) == (PHONE, code)
    with room.town.database.reading() as session:
        link = links.find(session, link_of(asked.text), room.town.now)
    actor = links.holder(link)
    town = room.town
    with town.database.writing() as session:
        from dispatch.record import actions

        given = {"solved": "solved", "satisfaction": "5"}
        actions.act(session, code, "answer_satisfied", given, actor, town.world, town.now)
    assert town.ticket(code).state == "closed"


def test_neither_payloads_nor_links_hold_what_they_must_not(room: EngineRoom) -> None:
    room.verified(room.reported_on_behalf())
    room.drain()
    room.send_all()
    token = link_of(room.gateway.taken[-1].text)
    for row in room.rows("send") + room.rows("ask_reporter") + room.rows("notify"):
        kept = json.dumps(row.payload, ensure_ascii=False)
        assert PHONE not in kept
        assert "赵大爷" not in kept
        assert token not in kept
    with room.town.database.reading() as session:
        kept_links = session.exec(select(CallbackLink)).all()
    assert {link.round for link in kept_links} == {links.FOLLOWING, 1}
    assert all(token not in (link.token_hash, link.key_id) for link in kept_links)
    assert PHONE not in repr(room.gateway.taken[-1])


def test_a_link_is_refused_when_forged_expired_or_used(room: EngineRoom) -> None:
    room.verified(room.reported_on_behalf())
    room.drain()
    room.send_all()
    token, now = link_of(room.gateway.taken[-1].text), room.town.now
    with room.town.database.writing() as session:
        for forged in (token[:-1], token + "A", "", "工单", "\ud800", "' OR 1=1 --"):
            with pytest.raises(NotFound):
                links.find(session, forged, now)
        with pytest.raises(Gone):
            links.find(session, token, now + links.VALID_FOR)
        links.find(session, token, now, lock=True).used_at = now
        session.flush()
        with pytest.raises(Gone):
            links.find(session, token, now)


def test_a_crash_between_sending_and_marking_repeats_the_same_message(room: EngineRoom) -> None:
    room.reported_on_behalf()
    room.drain()

    class Killed(BaseException):
        pass

    def dies_after_sending(message: Message) -> None:
        room.gateway.taken.append(message)
        raise Killed

    room.tools.senders = {"sms": dies_after_sending}
    with pytest.raises(Killed):
        room.send()
    room.tools.senders = {"sms": room.gateway}
    assert room.send() == 0, "leased"
    room.town.later(seconds=LEASE.total_seconds())
    assert room.send() == 1
    first, second = room.gateway.taken
    assert first == second


def test_the_same_round_is_always_the_same_link(room: EngineRoom) -> None:
    code = room.reported_on_behalf()
    ticket = room.town.ticket(code)
    settings = room.town.world.settings
    with room.town.database.writing() as session:
        for _ in range(2):
            links.issue(session, settings, ticket, 1, room.town.now)
            session.flush()
    with room.town.database.reading() as session:
        assert len(session.exec(select(CallbackLink)).all()) == 1
    tokens = {links.token(settings, ticket.id, round_) for round_ in (1, 1, 2)}
    assert len(tokens) == 2
    assert all(len(token) == 43 for token in tokens), "256 bits"


def test_a_failing_destination_rests_and_does_not_hold_up_another(room: EngineRoom) -> None:
    other: list[Message] = []
    room.tools.senders = {"sms": room.gateway, "letter": other.append}
    for _ in range(3):
        room.reported_on_behalf()
    room.drain()
    first = room.rows("send")[0]
    with room.town.database.writing() as session:
        session.merge(first).destination = "letter"
    room.gateway.fails = 1
    assert room.send() == 1
    assert [m.id for m in other] == [first.id]
    assert sorted(row.attempts for row in room.rows("send")) == [0, 1, 1], "the second SMS was not even tried"
    room.tools.resting.clear()
    room.town.later(minutes=1)
    assert room.send() == 2
    assert len({m.id for m in room.gateway.taken}) == 2


def test_messages_of_one_ticket_keep_their_order(room: EngineRoom) -> None:
    code = room.reported_on_behalf()
    room.verified(code)
    room.drain()
    room.drain()
    room.gateway.fails = 1
    room.send()
    room.tools.resting.clear()
    assert room.send() == 0, "the first one is waiting, so the second one waits too"
    room.town.later(minutes=1)
    while room.send():
        room.town.later(seconds=1)
    assert ["已转" in m.text for m in room.gateway.taken] == [True, False]


def test_a_final_refusal_is_a_dead_letter_at_once(room: EngineRoom) -> None:
    room.reported_on_behalf()
    room.drain()
    room.gateway.fails, room.gateway.final = 1, True
    room.send()
    with room.town.database.reading() as session:
        (dead,) = outbox.dead_letters(session)
    assert dead.last_error == "没有应答"


def test_an_erased_reporter_is_not_written_to(room: EngineRoom) -> None:
    room.reported_on_behalf()
    room.drain()
    with room.town.database.writing() as session:
        reporter = session.exec(select(Reporter)).one()
        reporter.erased_at, reporter.phone = room.town.now, None
    room.send()
    assert room.gateway.taken == []
    assert all(row.done_at for row in room.rows("send"))


def test_staff_see_what_was_sent_with_a_masked_number(room: EngineRoom) -> None:
    room.verified(room.reported_on_behalf())
    room.drain()
    with room.town.database.reading() as session:
        shown = outgoing.outgoing(session, room.town.world)
    assert len(shown) == 2
    assert {m.to for m in shown} == {"138****9999"}
    assert any(links.PATH in m.text for m in shown)
    world = World(replace(room.town.world.settings, sms_url="http://127.0.0.1:9/"))
    with room.town.database.reading() as session:
        world.refresh(session)
        assert not [m for m in outgoing.outgoing(session, world) if links.PATH in m.text]


class _Peer(http.server.BaseHTTPRequestHandler):
    """A gateway over HTTP that deduplicates by key and may drop its answers after having taken the message."""

    def do_POST(self) -> None:
        peer: Peer = self.server  # type: ignore[assignment]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Idempotency-Key"] == body["id"]
        peer.requests += 1
        peer.taken[body["id"]] = body
        if peer.drops:
            peer.drops -= 1
            self.connection.close()
            return
        self.send_response(peer.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


class Peer(http.server.ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Peer)
        self.requests, self.drops, self.status = 0, 0, 200
        self.taken: dict[str, dict[str, str]] = {}
        self.url = f"http://127.0.0.1:{self.server_port}/sms"


@pytest.fixture
def peer() -> Iterator[Peer]:
    server = Peer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_peer_that_drops_its_answers_sees_each_message_as_one(room: EngineRoom, peer: Peer) -> None:
    tools: Tools = room.tools
    tools.senders = {"sms": gateway(peer.url)}
    for _ in range(6):
        room.reported_on_behalf()
    room.drain()
    peer.drops = 4
    for _ in range(12):
        tools.resting.clear()
        room.send()
        room.town.now += timedelta(minutes=2)
    assert peer.requests == 10
    assert len(peer.taken) == 6
    assert all(row.done_at for row in room.rows("send"))


@pytest.mark.parametrize(("status", "final"), [(302, True), (400, True), (429, False), (503, False)])
def test_what_a_gateway_answers_decides_whether_to_try_again(peer: Peer, status: int, final: bool) -> None:
    peer.status = status
    with pytest.raises(SendError) as refused:
        gateway(peer.url)(Message(id=__import__("uuid").uuid4(), ticket_code="x", to=PHONE, text="x"))
    assert refused.value.final is final
    assert PHONE not in str(refused.value)


def test_a_letter_is_told_under_its_own_number(room: EngineRoom) -> None:
    town = room.town
    overdue(town, "escalate_2")
    with town.database.writing() as session:
        (draft,) = letters.listed(session, town.supervisor.actor)
        letters.sign(session, draft.id, "限期清运", town.supervisor.actor, town.world, town.now)
    room.drain()
    (told,) = [n for n in room.notices() if "督办" in n.text and n.organisation_code == SANITATION]
    assert "督办单 督办〔2026〕1 号 已签发" in told.text
    assert told.ticket_id is None
