"""The one writer: every change of a ticket goes through `report` or `act`.

One call, one transaction: ticket row, appended events, clocks and timers, outbox. Everything else reads.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session
from uuid6 import uuid7

from dispatch.record import clocks, queries
from dispatch.record.change import Change
from dispatch.record.codes import new_code
from dispatch.record.effects import asking
from dispatch.record.effects.table import EFFECTS
from dispatch.record.intake import Mode, Report, Reported, earlier, key_of
from dispatch.record.judging import admitting, deciding, facts, questions, repeated, same_matter
from dispatch.record.judging.checking import Asked
from dispatch.record.judging.facts import PUBLIC_SOURCES
from dispatch.record.judging.given import MAX_STATEMENT, checked
from dispatch.record.models import UNPLACED_DISTRICT, Queue, Reporter, Source, Ticket
from dispatch.record.world import World
from dispatch.rules.guards import PERSON_GUARDS, refusal
from dispatch.rules.workflow import BY_ACTION, SUBMIT, State, Transition, actions_from
from geo.placed import Placed
from grid.errors import Conflict, InputError, NotAllowed
from grid.models import Category
from grid.permissions import SYSTEM_ACTOR, Actor
from grid.rows import fresh

REPORT_VERBS = {
    Source.PATROL: "ticket:report",
    Source.ON_BEHALF: "ticket:report",
    Source.HOTLINE: "ticket:register",
    Source.RESIDENT: "ticket:submit",
    Source.UPPER: "ticket:register",
}
ROUTED_AFTER = frozenset(
    {
        "place",
        "reclassify",
        "accept",
        "confirm_report",
        "overrule_rejection",
        "passed_back",
        "return_barred",
        "unmerge",
        "stand_alone",
        "reopen_instant",
    }
)
# Reading changes nothing that anybody could overwrite: whoever types meanwhile is not told of a conflict.
NO_CHANGE = frozenset({"open"})
FIRST_ACTION = {Mode.REPORT: "accept", Mode.REMIND: "remind", Mode.SELF_HANDLED: "self_handle"}


def report(session: Session, report: Report, actor: Actor, world: World, now: datetime) -> Reported:
    """Register a report: place, judge, route and dispatch it in one transaction.

    The same `client_uuid` with the same content is answered with the ticket it made.

    Raises
    ------
    InputError, NotAllowed
        Nothing was written.
    """
    known = earlier(session, report)
    if known is not None:
        return known
    verb = REPORT_VERBS[report.source]
    if not actor.may(verb):
        raise NotAllowed("您的岗位不能登记这类上报(巡查上报由网格员、电话诉求由热线受理员登记)")
    standing = world.refresh(session)
    category = standing.category(report.category_code)
    _check_report(session, report, category, world)
    placed = deciding.placed(world, report)
    same = same_matter.repeated(session, report, category, placed, world, now)
    ticket = _new_ticket(report, category, placed, actor, world, now)
    change = Change(session, ticket, actor, world, now, new=True)
    if report.reporter_phone or report.reporter_name:
        _keep_reporter(change, report)
    given = {
        "category": report.category_code,
        "source": str(report.source),
        "text": report.text,
        "answers": dict(report.answers) if report.answers else None,
        "scanned_grid": report.scanned_grid,
        "chosen_grid": report.chosen_grid if report.scanned_grid else None,
        "photos": report.photos,
    }
    change.append(SUBMIT, "submit", State.SUBMITTED, given, reasons={"placed": ticket.placed})
    first = _first_action(report, category) if same is None else None
    if first is None:
        ticket.queue = Queue.INTAKE
    else:
        if report.mode is Mode.REPORT:
            change.actor = SYSTEM_ACTOR
        _carry_out(change, BY_ACTION[first], {}, effect_only={"queue": deciding.queue_for(placed)})
        deciding.dispatch_if_routed(change, placed, _carry_out)
    clocks.enter_stage(change, entered=True)
    change.keep(key_of(report, ticket, now))
    change.write()
    if report.joins:
        _join(session, ticket, report.joins, actor, world, now)
    if same:
        merge = BY_ACTION["merge"]
        carry(
            session, ticket, merge, {"into": same.code}, SYSTEM_ACTOR, world, now, reasons={"same": same.why}
        )
    return Reported(ticket.code, ticket.id, ticket.intake_district, str(ticket.state))


def act(
    session: Session,
    code: str,
    action: str,
    given: Mapping[str, Any],
    actor: Actor,
    world: World,
    now: datetime,
    expected_version: int | None = None,
    request_key: UUID | None = None,
) -> Ticket:
    """Carry out one action on a ticket, with everything that follows from it by itself.

    Raises
    ------
    NotFound, NotAllowed, Conflict, InputError
        Nothing was written.
    """
    row = BY_ACTION.get(action)
    if row is None:
        raise InputError(f"没有动作 {action}")
    world.refresh(session)
    ticket = queries.find(session, code, actor, lock=True)
    request = repeated.fingerprint(action, given, actor, expected_version)
    before = repeated.earlier(session, ticket, request_key, request) if request_key else None
    if before is not None:
        return before
    if not queries.reaches(session, ticket, actor, row.may):
        raise NotAllowed(f"您的岗位不能对这件工单“{row.label}”")
    if expected_version is not None and expected_version != ticket.version:
        raise Conflict(
            "这件工单刚被别人更新,请核对后再提交", version=ticket.version, expected=expected_version
        )
    carry(session, ticket, row, given, actor, world, now, request_key)
    if request_key is not None:
        repeated.remember(session, ticket, request_key, request, now)
    return ticket


def carry(
    session: Session,
    ticket: Ticket,
    row: Transition,
    given: Mapping[str, Any],
    actor: Actor,
    world: World,
    now: datetime,
    request_key: UUID | None = None,
    reasons: Mapping[str, Any] | None = None,
) -> None:
    """The action itself, once it is known that the actor may: rules, effect, event, clocks, what follows."""
    standing = world.standing
    category = standing.categories[ticket.category_code]
    clause = deciding.forbidden_clause(standing, ticket, given.get("organisation"))
    admitted = admitting.approved(session, ticket, given.get("organisation")) if clause else None
    its_facts = facts.facts_of(session, ticket, standing, now, None if admitted else clause)
    refused = refusal(row.action, its_facts, facts.doer_of(actor))
    if refused is not None and refused.guard == "admitted":
        raise admitting.barred_from(ticket, refused.sentence, str(given.get("organisation")), row.action)
    if refused is not None:
        kind = NotAllowed if refused.guard in PERSON_GUARDS else Conflict
        raise kind(refused.sentence, guard=refused.guard)
    values = checked(
        session, row, given, standing, category, Asked(session, ticket, standing, its_facts, now)
    )
    change = Change(session, ticket, actor, world, now)
    if admitted is not None and "admitted" in row.guards:
        admitted.used_at = now
        change.reasons["admitted"] = {"admittance": str(admitted.id), "clause": admitted.clause}
    _carry_out(change, row, values, reasons=reasons, request_key=request_key)
    entered = row.target is not None
    if ticket.state is State.FILED and row.action in ROUTED_AFTER:
        deciding.dispatch_if_routed(change, None, _carry_out)
        entered = entered or ticket.state is not State.FILED
    entered = _follow_up(change) or entered
    if row.action not in NO_CHANGE:
        ticket.version += 1
    clocks.enter_stage(change, entered=entered)
    change.write()
    for other, action in change.then:
        if (
            refusal(action, facts.facts_of(session, other, standing, now), facts.doer_of(SYSTEM_ACTOR))
            is None
        ):
            carry(session, other, BY_ACTION[action], {}, SYSTEM_ACTOR, world, now)


def _carry_out(
    change: Change,
    row: Transition,
    given: Mapping[str, Any],
    *,
    reasons: Any = None,
    request_key: UUID | None = None,
    effect_only: Mapping[str, Any] | None = None,
) -> None:
    """Effect, clocks, event and notice of one row."""
    EFFECTS[row.action](change, {**given, **(effect_only or {})})
    why = {**(reasons or {}), **change.reasons} or None
    change.reasons = {}
    event = change.append(row, row.action, row.target or change.ticket.state, given, why, request_key)
    clocks.apply(change, row)
    if row.happening:
        change.send("notify", happening=row.happening, event_id=str(event.id))


def _follow_up(change: Change) -> bool:
    """Carry out the automatic rows that the new state allows; True when one was."""
    followed = False
    while True:
        state = change.ticket.state
        possible = [row for row in actions_from(state) if row.automatic and row.may == "ticket:carry"]
        now_facts = (
            facts.facts_of(change.session, change.ticket, change.standing, change.now) if possible else None
        )
        row = next(
            (
                r
                for r in possible
                if now_facts and refusal(r.action, now_facts, facts.doer_of(SYSTEM_ACTOR)) is None
            ),
            None,
        )
        if row is None:
            return followed
        change.actor = SYSTEM_ACTOR
        _carry_out(change, row, {})
        followed = True


def _join(session: Session, ticket: Ticket, code: str, actor: Actor, world: World, now: datetime) -> None:
    """Another reporter of a matter: a ticket of their own, merged at once, so that they are asked for themselves."""
    if not actor.may("ticket:merge"):
        raise NotAllowed("您的岗位不能并单,请单独登记")
    carry(session, ticket, BY_ACTION["merge"], {"into": code}, actor, world, now)


def _first_action(report: Report, category: Category) -> str | None:
    """What the system does with a fresh report; None leaves it to a person at the intake desk."""
    if report.mode is Mode.HOLD or report.joins:
        return None
    if (
        report.mode is Mode.REPORT
        and report.source in PUBLIC_SOURCES
        and category.preverify
        and not category.urgent
    ):
        return "send_to_verify"
    return FIRST_ACTION[report.mode]


def _new_ticket(
    report: Report, category: Category, placed: Placed, actor: Actor, world: World, now: datetime
) -> Ticket:
    local_day = now.astimezone(world.settings.zone).date()
    ticket = fresh(
        Ticket,
        intake_district=placed.codes.get("district") or UNPLACED_DISTRICT,
        id=uuid7(),
        code=new_code(local_day),
        state=State.SUBMITTED,
        source=report.source,
        nature=report.nature,
        category_code=category.code,
        urgent=category.urgent,
        verify_mode=category.verify_mode,
        synthetic=report.synthetic,
        reported_lon=report.lon,
        reported_lat=report.lat,
        frame=report.frame,
        accuracy_m=report.accuracy_m,
        location_source=report.location_source,
        lon=placed.lon,
        lat=placed.lat,
        owner_code=world.standing.centre_code,
        ruleset_version=world.standing.ruleset_version,
        reported_by=actor.account_id,
        captured_at=report.captured_at,
        reported_at=now,
        upper_code=report.upper_code,
        upper_due_at=report.upper_due_at,
        accused_code=report.accused,
    )
    deciding.keep_place(ticket, placed, world.standing.generation_id)
    if report.scanned_grid:
        deciding.place_as_scanned(ticket, placed, report, world.standing)
    elif report.chosen_grid:
        deciding.place_as_chosen(ticket, placed, report, world.standing)
    return ticket


def _check_report(session: Session, report: Report, category: Category, world: World) -> None:
    wrong: dict[str, str] = {}
    if (
        category.needs_photo
        and not report.photos
        and report.mode is Mode.REPORT
        and report.source is Source.PATROL
    ):
        wrong["photos"] = f"“{category.name}”需要一张现场照片,请拍照"
    if category.needs_text and not (report.text or "").strip():
        wrong["text"] = f"“{category.name}”需要一句话说明情况"
    if len(report.text or "") > MAX_STATEMENT:
        wrong["text"] = f"说明请不要超过 {MAX_STATEMENT} 字"
    if report.mode is Mode.REMIND and category.urgent:
        wrong["mode"] = "这是紧急类问题,不能只当场提醒,请上报派单"
    if report.photos:
        try:
            checked(session, SUBMIT, {"photos": report.photos}, world.standing, category)
        except InputError as error:
            wrong["photos"] = error.fields["photos"]
    unknown = questions.unknown(world.standing, category.code, report.answers or {})
    if unknown:
        wrong["answers"] = unknown
    if report.source is Source.UPPER and not report.upper_code:
        wrong["upper_code"] = "上级平台派来的工单须填写其编号"
    if report.accused and report.accused not in world.standing.organisations:
        wrong["accused"] = "没有这个单位,请重新选择被投诉的单位"
    if wrong:
        raise InputError("上报没有提交:" + ";".join(wrong.values()), wrong)


def _keep_reporter(change: Change, report: Report) -> None:
    change.add(
        Reporter,
        name=report.reporter_name,
        phone=report.reporter_phone,
        person_key=asking.person_key(change.world.settings, report.reporter_phone),
        consented=report.consented,
        confidential=report.confidential,
        notice_version=report.notice_version,
    )
