"""What one batch of effects needs to know, read once for all of its rows: tickets, reporters, places, and who is told."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.engine.claiming import Due, Key
from dispatch.record import queries
from dispatch.record.models import Reporter, Ticket, TicketEvent
from dispatch.record.world import World
from dispatch.rules.workflow import BY_ACTION
from grid import accounts
from grid.models import Account, Area, DutyRoster, NoticeRule, Post
from grid.permissions import ROLES, role_scopes

UNNAMED = "地点见工单"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who reads it: organisations (everybody there) and single accounts."""

    organisations: tuple[str, ...] = ()
    accounts: tuple[UUID, ...] = ()


class Told(NamedTuple):
    """What people are told of a ticket; whole rows would cost most of the batch."""

    intake_district: str
    id: UUID
    code: str
    category_code: str
    urgent: bool
    verify_mode: str
    main_code: str | None
    assistant_codes: str | None
    generation_id: int | None
    district_code: str | None
    street_code: str | None
    community_code: str | None
    grid_code: str | None
    due_at: datetime | None
    total_due_at: datetime | None

    @property
    def key(self) -> Key:
        return self.intake_district, self.id

    @property
    def narrowest(self) -> str:
        """The smallest area that it lies in."""
        return self.grid_code or self.community_code or self.street_code or self.district_code or ""


_TOLD = select(*(getattr(Ticket, name) for name in Told._fields))


class Telling:
    """One batch."""

    def __init__(self, session: Session, rows: Sequence[Due], world: World, now: datetime) -> None:
        self.session, self.world, self.now, self._rows = session, world, now, rows
        self.standing = world.refresh(session)
        self.tickets = self._tickets()
        self._known_rules: dict[tuple[str, bool], list[NoticeRule]] = {}
        self._known_verifiers: dict[tuple[str | None, ...], Audience] = {}
        self._known_duty: dict[str | None, Audience] = {}

    def ticket(self, row: Due) -> Told:
        """The ticket of a row; `KeyError` for one that is not there."""
        return self.tickets[row.intake_district, row.ticket_id]

    def _tickets(self) -> dict[tuple[str, UUID | None], Told]:
        wanted = {row.ticket_id for row in self._rows if row.ticket_id}
        if not wanted:
            return {}
        districts = {row.intake_district for row in self._rows}
        query = _TOLD.where(col(Ticket.intake_district).in_(districts), col(Ticket.id).in_(wanted))
        found = (Told(*row) for row in self.session.connection().execute(query))
        return {told.key: told for told in found}

    @cached_property
    def reporters(self) -> dict[tuple[str, UUID], list[Reporter]]:
        """Who reported the tickets of this batch, read when somebody is to be told."""
        query = select(Reporter).where(queries.of_keys(Reporter, self.tickets))
        found: dict[tuple[str, UUID], list[Reporter]] = {}
        for reporter in self.session.execute(query.order_by(col(Reporter.id))).scalars():
            found.setdefault((reporter.intake_district, reporter.ticket_id), []).append(reporter)
        return found

    @cached_property
    def _events(self) -> dict[str, TicketEvent]:
        wanted = {UUID(id_) for row in self._rows if (id_ := _event_id(row))}
        districts = {row.intake_district for row in self._rows}
        query = select(TicketEvent).where(
            col(TicketEvent.intake_district).in_(districts), col(TicketEvent.id).in_(wanted)
        )
        return {str(event.id): event for event in self.session.execute(query).scalars()} if wanted else {}

    @cached_property
    def _former_places(self) -> dict[tuple[int | None, str], str]:
        """Names from borders that are no longer in force."""
        wanted = {
            (told.generation_id, told.narrowest)
            for told in self.tickets.values()
            if told.generation_id not in (None, self.standing.generation_id)
        }
        query = select(col(Area.generation_id), col(Area.code), col(Area.name)).where(
            col(Area.generation_id).in_({generation for generation, _ in wanted}),
            col(Area.code).in_({code for _, code in wanted}),
        )
        return {(generation, code): name for generation, code, name in self.session.execute(query)}

    def rules(self, happening: str, *, urgent: bool) -> list[NoticeRule]:
        """The rows for a happening; of an urgent ticket the urgent row stands in for the ordinary one."""
        known = self._known_rules.get((happening, urgent))
        if known is None:
            rows = [r for r in self.standing.notices if r.happening == happening and (urgent or not r.urgent)]
            pressed = {r.audience for r in rows if r.urgent}
            known = [r for r in rows if r.urgent or r.audience not in pressed]
            self._known_rules[happening, urgent] = known
        return known

    def audience(self, ticket: Told, name: str) -> Audience:
        """Who is meant by a rule's audience."""
        found = {
            "handler": self._handler,
            "assistants": self._assistants,
            "supervision": self._supervision,
            "duty": self._duty,
            "verifier": self._verifiers,
        }.get(name, self._centre)(ticket)
        # Nobody in particular is the centre's business: a notice is never written to no one.
        return (
            found if found.organisations or found.accounts or name == "assistants" else self._centre(ticket)
        )

    def _centre(self, _ticket: Told) -> Audience:
        return Audience((self.standing.centre_code,))

    def _handler(self, ticket: Told) -> Audience:
        return Audience((ticket.main_code,) if ticket.main_code else ())

    def _assistants(self, ticket: Told) -> Audience:
        return Audience(tuple(code for code in (ticket.assistant_codes or "").split(",") if code))

    def _supervision(self, _ticket: Told) -> Audience:
        return self.oversight

    @cached_property
    def oversight(self) -> Audience:
        """Everybody who watches over the units; without such an office, the centre."""
        kinds = self.standing.organisations.values()
        found = tuple(sorted(o.code for o in kinds if o.kind == "supervision" and not o.closed_on))
        return Audience(found or (self.standing.centre_code,))

    def _duty(self, ticket: Told) -> Audience:
        if ticket.main_code not in self._known_duty:
            query = select(col(DutyRoster.account_id)).where(
                col(DutyRoster.organisation_code) == (ticket.main_code or self.standing.centre_code),
                col(DutyRoster.on) == self._today(),
                col(DutyRoster.account_id).is_not(None),
            )
            accounts = tuple(a for a in self.session.execute(query).scalars() if a)
            self._known_duty[ticket.main_code] = Audience(accounts=accounts)
        return self._known_duty[ticket.main_code]

    def _verifiers(self, ticket: Told) -> Audience:
        its = (ticket.verify_mode, ticket.main_code, ticket.grid_code, ticket.community_code)
        if its not in self._known_verifiers:
            self._known_verifiers[its] = self._find_verifiers(ticket)
        return self._known_verifiers[its]

    def _find_verifiers(self, ticket: Told) -> Audience:
        if ticket.verify_mode == "none":
            return Audience()
        in_field = ticket.verify_mode == "field"
        roles = [
            r for r in ROLES if any((str(s) == "grid") == in_field for s in role_scopes(r, "ticket:verify"))
        ]
        query = (
            select(col(Account.id))
            .join(Post, col(Post.account_id) == col(Account.id))
            .where(col(Post.role).in_(roles), col(Account.disabled_at).is_(None))
            .where(accounts.held_on(self._today()))
            .where(col(Post.organisation_code) != (ticket.main_code or ""))
        )
        if in_field:
            query = query.where(col(Post.area_code).in_([ticket.grid_code, ticket.community_code]))
        return Audience(accounts=tuple(sorted(set(self.session.execute(query).scalars()))))

    def _today(self) -> date:
        return self.now.astimezone(self.world.settings.zone).date()

    def values(self, row: Due, ticket: Told, names: Iterable[str]) -> Mapping[str, str]:
        """The values of a text's placeholders; of unknown ones none."""
        return {name: VALUES[name](self, row, ticket) for name in names if name in VALUES}

    def place(self, ticket: Told) -> str:
        """The name of the smallest area, as it was called when the ticket was placed."""
        if ticket.generation_id == self.standing.generation_id:
            area = self.standing.areas.get(ticket.narrowest)
            return area.name if area else UNNAMED
        return self._former_places.get((ticket.generation_id, ticket.narrowest), UNNAMED)

    def category(self, ticket: Told) -> str:
        found = self.standing.categories.get(ticket.category_code)
        return found.name if found else ""

    def due(self, row: Due, ticket: Told) -> str:
        of_all = str(row.payload.get("happening")).startswith("total_")
        due_at = ticket.total_due_at if of_all else ticket.due_at
        return self.local(due_at) if due_at else "时限内"

    def reason(self, row: Due) -> str:
        """The chosen reason in words; what somebody wrote may hold names and is read on the ticket itself."""
        event = self._events.get(str(_event_id(row)))
        action = BY_ACTION.get(event.action) if event else None
        for given in action.given if action and event else ():
            chosen = (event.given or {}).get(given.name) if event else None
            if given.name.startswith("reason") and given.choices and chosen:
                return dict(given.choices).get(str(chosen), str(chosen))
        return "理由见工单"

    def name_of(self, organisation_code: str | None) -> str:
        organisation = self.standing.organisations.get(organisation_code or "")
        return organisation.name if organisation else "指挥中心"

    def local(self, at: datetime) -> str:
        return f"{at.astimezone(self.world.settings.zone):%m月%d日 %H:%M}"


def _event_id(row: Due) -> str | None:
    return row.payload.get("event_id") or None


VALUES: Mapping[str, Callable[[Telling, Due, Told], str]] = {
    "code": lambda telling, row, ticket: ticket.code,
    "category": lambda telling, row, ticket: telling.category(ticket),
    "place": lambda telling, row, ticket: telling.place(ticket),
    "organisation": lambda telling, row, ticket: telling.name_of(ticket.main_code),
    "due": lambda telling, row, ticket: telling.due(row, ticket),
    "reason": lambda telling, row, ticket: telling.reason(row),
    "count": lambda telling, row, ticket: str(row.payload.get("count", 1)),
}
