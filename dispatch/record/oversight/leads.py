"""码上督: takes in a lead, with or without a name. From there on the rows of its workflow carry it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session
from uuid6 import uuid7

from dispatch.record import clocks
from dispatch.record.change import Change
from dispatch.record.codes import new_code
from dispatch.record.effects import asking
from dispatch.record.intake import Report, Reported, earlier, key_of
from dispatch.record.judging import deciding
from dispatch.record.judging.given import MAX_STATEMENT, checked
from dispatch.record.models import UNPLACED_DISTRICT, Reporter, Source, Ticket
from dispatch.record.world import World
from dispatch.rules.workflow import LEAD, SUBMIT, State
from grid.errors import InputError
from grid.permissions import Actor
from grid.rows import fresh

# Whoever hands in a lead acts for themselves; nothing about them goes into the chain.
ANYBODY = Actor(account_id=None, person_key="public", name="线索提供人", duty_class=None, channel="public")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """What is handed in; name and telephone only if wished."""

    client_uuid: UUID
    category_code: str
    lon: float
    lat: float
    frame: str
    text: str
    photos: tuple[str, ...] = ()
    name: str | None = None
    phone: str | None = None


def register(session: Session, lead: Lead, world: World, now: datetime) -> Reported:
    """Register a lead; the same `client_uuid` is answered with what it made.

    Raises
    ------
    InputError
        Nothing was written.
    """
    report = Report(
        client_uuid=lead.client_uuid,
        source=Source.RESIDENT,
        category_code=lead.category_code,
        lon=lead.lon,
        lat=lead.lat,
        frame=lead.frame,
        location_source="map",
        text=lead.text,
        photos=lead.photos,
        reporter_name=lead.name,
        reporter_phone=lead.phone,
        confidential=True,
    )
    known = earlier(session, report)
    if known is not None:
        return known
    standing = world.refresh(session)
    category = standing.category(lead.category_code)
    if not lead.text.strip() or len(lead.text) > MAX_STATEMENT:
        sentence = f"请写明线索内容,不超过 {MAX_STATEMENT} 字"
        raise InputError(sentence, {"text": sentence})
    checked(session, SUBMIT, {"photos": lead.photos}, standing, category)
    placed = deciding.placed(world, report)
    ticket = fresh(
        Ticket,
        intake_district=placed.codes.get("district") or UNPLACED_DISTRICT,
        id=uuid7(),
        code=new_code(now.astimezone(world.settings.zone).date()),
        workflow=LEAD,
        state=State.LEAD_REGISTERED,
        source=Source.RESIDENT,
        category_code=category.code,
        reported_lon=lead.lon,
        reported_lat=lead.lat,
        frame=lead.frame,
        location_source="map",
        lon=placed.lon,
        lat=placed.lat,
        owner_code=standing.centre_code,
        ruleset_version=standing.ruleset_version,
        reported_at=now,
    )
    deciding.keep_place(ticket, placed, standing.generation_id)
    change = Change(session, ticket, ANYBODY, world, now, new=True)
    if lead.name or lead.phone:
        change.add(
            Reporter,
            name=lead.name,
            phone=lead.phone,
            person_key=asking.person_key(world.settings, lead.phone),
            confidential=True,
        )
    given = {"category": category.code, "text": lead.text, "photos": lead.photos}
    change.append(SUBMIT, "submit", State.LEAD_REGISTERED, given, reasons={"placed": ticket.placed})
    clocks.enter_stage(change, entered=True)
    change.keep(key_of(report, ticket, now))
    change.write()
    return Reported(ticket.code, ticket.id, ticket.intake_district, str(ticket.state))
