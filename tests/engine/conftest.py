"""The town with the shipped notices, and an engine room whose clock is the town's."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from sqlmodel import col, select
from uuid6 import uuid7

from dispatch import data
from dispatch.engine import outbox
from dispatch.engine.outbox import Tools
from dispatch.engine.sending import delivering
from dispatch.engine.sending.channels import Message, SendError
from dispatch.engine.timers import TimerDesk
from dispatch.record.models import Notice, OutboxRow, Source, Timer
from grid.models import NoticeRule
from tests.town import DISTRICT, Town


@dataclass
class Gateway:
    """A message gateway that remembers what it took and fails when told to."""

    taken: list[Message] = field(default_factory=list)
    fails: int = 0
    final: bool = False

    def __call__(self, message: Message) -> None:
        if self.fails:
            self.fails -= 1
            raise SendError("没有应答", final=self.final)
        self.taken.append(message)


@dataclass
class EngineRoom:
    """Everything that carries out, on the town's database and clock."""

    town: Town
    tools: Tools
    gateway: Gateway

    def drain(self) -> int:
        return outbox.drain(self.tools)

    def fire(self) -> int:
        return TimerDesk(self.tools).fire_due()

    def send(self) -> int:
        return delivering.send(self.tools)

    def send_all(self) -> None:
        """A ticket's messages go one after the other, so a look sends one of each."""
        while self.send():
            pass

    def put(self, topic: str, **more: object) -> UUID:
        """An outbox row that no action wrote."""
        row = OutboxRow(
            intake_district=DISTRICT,
            id=uuid7(),
            topic=topic,
            created_at=self.town.now,
            available_at=self.town.now,
            **more,
        )
        with self.town.database.writing() as session:
            session.add(row)
        return row.id

    def row(self, id_: UUID) -> OutboxRow:
        with self.town.database.reading() as session:
            return session.exec(select(OutboxRow).where(col(OutboxRow.id) == id_)).one()

    def rows(self, topic: str) -> list[OutboxRow]:
        with self.town.database.reading() as session:
            return list(session.exec(select(OutboxRow).where(col(OutboxRow.topic) == topic)))

    def notices(self, **where: object) -> list[Notice]:
        with self.town.database.reading() as session:
            query = select(Notice).order_by(col(Notice.created_at))
            return list(session.exec(query.filter_by(**where)))

    def timers(self, *, pending: bool | None = None) -> list[Timer]:
        with self.town.database.reading() as session:
            found = session.exec(select(Timer).order_by(col(Timer.due_at))).all()
        return [t for t in found if pending is None or (t.done_at is None) == pending]

    def reported_on_behalf(self, **more: object) -> str:
        """A ticket whose reporter agreed to be asked."""
        values = {"reporter_name": "赵大爷", "reporter_phone": "13800009999", "consented": True, **more}
        reported = self.town.worker.reports(
            source=Source.ON_BEHALF, text="门口垃圾三天没清", notice_version="1", **values
        )
        return str(reported.code)

    def verified(self, code: str) -> None:
        """Handle and verify a ticket, so that its reporter is asked."""
        photo = (self.town.photo("b" * 64),)
        self.town.later(hours=1).department.acts(code, "contact", outcome="reached")
        self.town.department.acts(code, "handle", solved="solved", answer="已清运", photos=photo)
        self.town.later(hours=1).worker.acts(code, "verify_pass", photos=photo)


@pytest.fixture
def room(town: Town) -> EngineRoom:
    with town.database.writing() as session:
        for row in data.notices().rows:
            values = (row.id, row.happening, row.audience, row.urgent, row.channel, row.text)
            names = ("id", "happening", "audience", "urgent", "channel", "text")
            session.add(NoticeRule(ruleset_version=1, **dict(zip(names, values, strict=True))))
    gateway = Gateway()
    return EngineRoom(town, Tools(town.database, town.world, {"sms": gateway}, lambda _: town.now), gateway)
