"""Leave with a deputy, the duty roster of one's unit, and whether its leader approves its answers."""

from datetime import date
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select
from uuid6 import uuid7

from grid.accounts import leave
from grid.auditing import record_change, values_of
from grid.errors import InputError
from grid.models import Account, DutyRoster, Organisation
from grid.permissions import Actor, role_scopes
from web.desk.blueprint import blueprint
from web.gate.access import current_actor, permission_required, signed_in
from web.service.context import database, now, settings, world

APPROVE = "ticket:approve"
ROSTER = ("ticket:handle", APPROVE, "ticket:dispatch")
SHIFTS = ("白班", "夜班", "全天")


@blueprint.get("/leave")
@signed_in
def leave_page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/leave")
@signed_in
def take_leave() -> ResponseReturnValue:
    """Go on leave."""
    form, actor, at = request.form, current_actor(), now()
    try:
        deputy = UUID(form.get("deputy", ""))
        begins, ends = date.fromisoformat(form.get("from_on", "")), date.fromisoformat(form.get("to_on", ""))
    except ValueError:
        return _page(InputError("请选择顶岗人和起止日期", {"deputy": "请检查"})), 422
    try:
        database().write(lambda s: leave.take(s, actor, deputy, begins, ends, form.get("reason", ""), at))
    except InputError as error:
        return _page(error), 422
    flash("已登记,顶岗人在这几天同时看到您的待办", "done")
    return redirect(url_for("desk.leave_page"), 303)


@blueprint.post("/leave/<uuid:leave_id>/end")
@signed_in
def end_leave(leave_id: UUID) -> ResponseReturnValue:
    """Come back early."""
    actor, at = current_actor(), now()
    database().write(lambda s: leave.end_early(s, actor, leave_id, at.astimezone(settings().zone).date(), at))
    return redirect(url_for("desk.leave_page"), 303)


@blueprint.post("/roster")
@permission_required(*ROSTER)
def put_on_roster() -> ResponseReturnValue:
    """Write down who is on duty: overdue openings and urgent matters at night are told to them."""
    form, actor, at = request.form, current_actor(), now()
    try:
        on, account_id = date.fromisoformat(form.get("on", "")), UUID(form.get("account", ""))
    except ValueError:
        return _page(InputError("请选择日期和人员", {"on": "请检查"})), 422
    shift, phone = form.get("shift", ""), form.get("phone", "").strip()[:20]
    if shift not in SHIFTS or actor.organisation_code is None:
        return _page(InputError("请选择班次", {"shift": "请选择"})), 422
    unit = actor.organisation_code

    def work(session: Session) -> None:
        if account_id not in {one.id for one in leave.deputies(session, actor)} | {actor.account_id}:
            raise InputError("只能排本单位的人", {"account": "请重新选择"})
        same = select(DutyRoster).where(
            DutyRoster.organisation_code == unit, DutyRoster.on == on, DutyRoster.shift == shift
        )
        row = session.exec(same).first() or DutyRoster(id=uuid7(), organisation_code=unit, on=on, shift=shift)
        row.account_id, row.phone = account_id, phone or None
        session.add(row)
        record_change(session, actor, "duty_roster", str(row.id), "set", after=values_of(row), now=at)

    try:
        database().write(work)
    except InputError as error:
        return _page(error), 422
    return redirect(url_for("desk.leave_page"), 303)


@blueprint.post("/approval")
@permission_required(APPROVE)
def switch_approval() -> ResponseReturnValue:
    """Have the answers of one's own units approved from now on, or no longer; drafts that wait are still decided."""
    actor, on, at = current_actor(), request.form.get("on") == "yes", now()

    def work(session: Session) -> None:
        for unit in _led(session, actor):
            before = {"approves_answers": unit.approves_answers}
            unit.approves_answers = on
            session.add(unit)
            record_change(
                session,
                actor,
                "organisation",
                unit.code,
                "change",
                before=before,
                after={"approves_answers": on},
                now=at,
            )

    database().write(work)
    flash("答复从现在起先经分管领导审核" if on else "答复从现在起由经办人直接反馈", "done")
    return redirect(url_for("desk.leave_page"), 303)


def _led(session: Session, actor: Actor) -> list[Organisation]:
    """The units in which the actor leads."""
    codes = {tenure.organisation_code for tenure in actor.tenures if role_scopes(tenure.role, APPROVE)}
    return list(session.exec(select(Organisation).where(col(Organisation.code).in_(codes))))


def _page(error: InputError | None = None) -> str:
    actor, today = current_actor(), now().astimezone(settings().zone).date()
    with database().reading() as session:
        world().refresh(session)
        units = sorted({tenure.organisation_code for tenure in actor.tenures})
        rows = (
            select(DutyRoster, Account.name)
            .join(Account, col(Account.id) == col(DutyRoster.account_id), isouter=True)
            .where(col(DutyRoster.organisation_code).in_(units), DutyRoster.on >= today)
            .order_by(col(DutyRoster.on), col(DutyRoster.shift))
        )
        return render_template(
            "desk/leave.html",
            leaves=leave.of(session, actor),
            deputies=leave.deputies(session, actor),
            roster=list(session.exec(rows)),
            shifts=SHIFTS,
            led=_led(session, actor),
            may_roster=any(actor.may(verb) for verb in ROSTER),
            error=error,
            typed=request.form,
        )
