"""Twenty tickets whose figures were worked out by hand, walked through the one writer with their timers fired in time.

All of them begin on Monday, 2 March 2026, 10:00, in one grid (the neighbour's ones in the other). The limits are the
town's: look within 2 work hours, answer within 5 work days, the matter within 15 work days.

| tickets | what happens |
|---|---|
| 1–6 | hotline, garbage: contacted at +1 h, answered at +2 h, verified, reporter very satisfied |
| 7–8 | hotline: the same, but answered "partly", basically satisfied (3) |
| 9 | hotline: answered, reporter says unsolved and dissatisfied; the review dismisses it: closed |
| 10 | hotline: answered, verified, nobody answers the callback: closed unanswered |
| 11–12 | patrol: verification fails once, then answered again and closed |
| 13 | patrol: objected and upheld, goes to the drainage company, which opens it and leaves it open |
| 14 | patrol: objected and refused; answered, closed |
| 15 | patrol: never looked at: signed by itself, never answered, overdue in all clocks |
| 16 | patrol: extended by 3 days, answered on the sixth work day, closed |
| 17 | patrol: excluded |
| 18 | merged into 11 as a repeat |
| 19 | suspended with approval |
| 20 | dealt with on the spot by the worker: not counted at all |
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from dispatch.record.firing import fire
from dispatch.record.intake import Mode
from dispatch.record.models import Source, Timer
from tests.town import DRAINAGE, GARBAGE, IN_EAST, MONDAY, Town

END = MONDAY + timedelta(days=40)
"""Long after every limit of the town."""


def fire_until(town: Town, until: datetime) -> None:
    """Let time pass: every timer fires at its own instant."""
    while True:
        with town.database.writing() as session:
            query = select(Timer).where(col(Timer.done_at).is_(None), col(Timer.due_at) <= until)
            timer = session.exec(query.order_by(col(Timer.due_at), col(Timer.id)).limit(1)).first()
            if timer is None:
                break
            town.now = max(town.now, timer.due_at)
            timer.outcome = fire(session, timer, town.world, town.now)
            timer.done_at = town.now
    town.now = until


class Twenty:
    """The twenty, played in order of time."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.codes: dict[int, str] = {}
        self.plan: list[tuple[datetime, int, Callable[[], Any]]] = []

    def play(self) -> "Twenty":
        town = self.town
        for number in range(1, 11):
            self._at(0, self._called, number)
        for number in (*range(11, 18), 19):
            self._at(0, self._patrolled, number)
        self._at(0, self._on_the_spot)
        for number in (*range(1, 13), 16, 17, 19):
            self._at(0.5, self._does, "department", number, "open")
        self._at(1, self._repeated)
        for number in range(1, 11):
            self._at(1, self._does, "department", number, "contact", outcome="reached")
            self._at(2, self._handled, number)
            self._at(4, self._passed, number)
        for number in range(1, 9):
            self._at(
                5, self._answered, number, "solved" if number < 7 else "partly", "5" if number < 7 else "3"
            )
        self._at(5, self._does, "agent", 9, "answer_unsolved", solved="unsolved", satisfaction="1")
        self._at(6, self._does, "clerk2", 9, "dismiss_dissatisfaction", reason="现场已清")
        for number in (11, 12):
            self._at(2, self._handled, number)
            self._at(3, self._does, "worker", number, "verify_fail", note="角落还有")
            self._at(5, self._handled, number)
            self._at(6, self._passed, number)
        for number in (13, 14):
            self._at(0.5, self._objects, number)
        self._at(1, self._ruled, 13, "uphold_objection", organisation=DRAINAGE)
        self._at(1.5, self._does, "drainage", 13, "open")
        self._at(1, self._ruled, 14, "refuse_objection")
        self._at(2, self._handled, 14)
        self._at(3, self._passed, 14)
        days = 24.0
        self._at(3 * days, self._extended)
        self._at(8 * days, self._handled, 16)
        self._at(8 * days + 1, self._passed, 16)
        self._at(
            2, self._does, "department", 17, "ask_exclusion", reason_code="unreasonable", reason="超出政策"
        )
        self._at(3, self._does, "supervisor", 17, "grant_exclusion", reason="查实")
        self._at(1.5, self._suspended)
        for at, _, act in sorted(self.plan, key=lambda step: step[:2]):
            fire_until(town, at)
            act()
        fire_until(town, END)
        return self

    def _at(self, hours: float, act: Callable[..., Any], *args: Any, **given: Any) -> None:
        self.plan.append((MONDAY + timedelta(hours=hours), len(self.plan), lambda: act(*args, **given)))

    def _does(self, who: str, number: int, action: str, **given: Any) -> None:
        self.town.people[who].acts(self.codes[number], action, **given)

    def _called(self, number: int) -> None:
        self.codes[number] = self.town.operator.reports(
            GARBAGE,
            source=Source.HOTLINE,
            reporter_name="赵大爷",
            reporter_phone=f"1380000{number:04d}",
            consented=True,
            text="门口垃圾三天没清",
            notice_version="1",
        ).code

    def _patrolled(self, number: int) -> None:
        at = {"at": IN_EAST} if number in (15, 19) else {}
        person = self.town.neighbour if at else self.town.worker
        self.codes[number] = person.reports(GARBAGE, **at).code

    def _on_the_spot(self) -> None:
        self.codes[20] = self.town.worker.reports(GARBAGE, mode=Mode.SELF_HANDLED).code

    def _repeated(self) -> None:
        self._patrolled(18)
        self.town.dispatcher.acts(self.codes[18], "merge", into=self.codes[11])

    def _handled(self, number: int) -> None:
        photo = self.town.photo("b" * 64)
        self._does("department", number, "handle", solved="solved", answer="已清运", photos=(photo,))

    def _passed(self, number: int) -> None:
        self._does("worker", number, "verify_pass", photos=(self.town.photo("c" * 64),))

    def _answered(self, number: int, solved: str, satisfaction: str) -> None:
        self._does("agent", number, "answer_satisfied", solved=solved, satisfaction=satisfaction)

    def _objects(self, number: int) -> None:
        self._does("department", number, "open")
        self._does(
            "department", number, "object", reason_code="function", organisation=DRAINAGE, basis="职责清单"
        )

    def _ruled(self, number: int, action: str, **given: Any) -> None:
        self._does("dispatcher", number, action, reason="经核实", **given)

    def _extended(self) -> None:
        self._does("department", 16, "ask_extension", days="3", reason="车辆故障")
        self._does("dispatcher", 16, "grant_extension", days="3")

    def _suspended(self) -> None:
        plan = MONDAY + timedelta(days=60)
        given = {"person": "所长", "reason_code": "funds", "plan_until": plan, "reason": "待资金"}
        self._does("department", 19, "start")
        self._does("department", 19, "ask_suspension", **given)
        self._does("dispatcher", 19, "grant_suspension", told="none")
