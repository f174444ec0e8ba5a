"""One action on many tickets: each is tried by itself, and each says what became of it; what can be undone, can."""

import json
from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.record import queries
from dispatch.record.desks import holding
from dispatch.rules.workflow import BY_ACTION
from grid.errors import GridError, InputError
from web.department.blueprint import blueprint
from web.desk.filters import NOBODYS
from web.forms import read_given
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings
from web.session import local_path
from web.shown.acting import carry_out

MOST = 200
HOLD = "hold"
# What needs no words of its own per ticket.
ACTIONS = ("start", "contact", "report_progress", "assign_within", "resume_early")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one ticket; `before` is what an undo goes back to."""

    code: str
    done: bool
    sentence: str
    before: str | None = None


@blueprint.post("/bulk")
@permission_required("ticket:handle")
def bulk() -> ResponseReturnValue:
    """Carry out the chosen action on every ticket that was ticked."""
    codes = list(dict.fromkeys(request.form.getlist("code")))
    action = request.form.get("action", "")
    if not codes:
        raise InputError("没有勾选工单;请先在列表里勾选(按 x)", {"code": "请先勾选"})
    if len(codes) > MOST:
        raise InputError(f"一次最多 {MOST} 件,请分几次", {"code": f"最多 {MOST} 件"})
    if action == HOLD:
        holder = request.form.get("holder", "")
        results = [_give(code, holder) for code in codes]
        label = "分给经办人"
    elif action in ACTIONS:
        given = read_given(
            action, {name: request.form[name] for name in _fields(action) if request.form.get(name)}
        )
        results = [_act(code, action, given) for code in codes]
        label = BY_ACTION[action].label
    else:
        raise InputError("请选择要做的事", {"action": "请选择"})
    undo = json.dumps({one.code: one.before or "" for one in results if one.done}) if action == HOLD else None
    back = local_path(request.form.get("then")) or url_for("department.queue")
    return render_template("department/results.html", results=results, label=label, undo=undo, back=back)


@blueprint.post("/bulk/undo")
@permission_required("ticket:handle")
def undo() -> ResponseReturnValue:
    """Give every ticket back to whoever had it before."""
    try:
        before = json.loads(request.form.get("before", "{}"))
        pairs = [(str(code), str(holder)) for code, holder in before.items()][:MOST]
    except (ValueError, AttributeError):
        raise InputError("撤销的内容有误,请回到列表逐件调整") from None
    results = [_give(code, holder or NOBODYS) for code, holder in pairs]
    back = local_path(request.form.get("then")) or url_for("department.queue")
    return render_template("department/results.html", results=results, label="撤销分配", undo=None, back=back)


@blueprint.post("/<code>/holder")
@permission_required("ticket:handle")
def hold(code: str) -> ResponseReturnValue:
    """Give one ticket to somebody of the unit, from its own page."""
    _give_now(code, request.form.get("holder", ""))
    return "", 204, {"HX-Trigger": "beside:changed"}


def _fields(action: str) -> list[str]:
    return [field.name for field in BY_ACTION[action].given]


def _act(code: str, action: str, given: dict[str, object]) -> Result:
    try:
        carry_out(code, action, given, None, uuid4())
    except GridError as error:
        return Result(code, False, str(error))
    return Result(code, True, f"已{BY_ACTION[action].label}")


def _give(code: str, holder: str) -> Result:
    try:
        return _give_now(code, holder)
    except GridError as error:
        return Result(code, False, str(error))


def _give_now(code: str, holder: str) -> Result:
    actor, at = current_actor(), now()
    today = at.astimezone(settings().zone).date()

    def work(session: Session) -> Result:
        queries.find(session, code, actor)
        try:
            account_id = None if holder == NOBODYS else UUID(holder)
        except ValueError:
            raise InputError("请选择经办人", {"holder": "请选择"}) from None
        before = holding.give(session, code, actor, account_id, today, at)
        return Result(code, True, "已分给所选的人" if account_id else "已不再归任何人", str(before or ""))

    return database().write(work)
