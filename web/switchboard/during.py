"""While a caller speaks: categories, tickets alike and answers appear; a call ends as a ticket, an answer or a refusal."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch import data
from dispatch.engine import jobs
from dispatch.insight import resembling
from dispatch.insight.suggesting import proposing
from dispatch.record import actions, queries
from dispatch.record.intake import Mode, Report, Reported
from dispatch.record.lines import knowledge, themes
from dispatch.rules.workflow import BY_ACTION
from grid.errors import InputError
from web.forms import ReportIn, read_given
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.acting import report_of
from web.switchboard.blueprint import REGISTER, blueprint

REGISTERED, ANSWERED, REFUSED = "register", "answer", "refuse"
LIKELY = 0.02


@blueprint.post("/while-typing")
@permission_required(REGISTER)
def while_typing() -> ResponseReturnValue:
    """What the words so far suggest; they travel in the body and in no address."""
    text = request.form.get("text", "")
    today = now().astimezone(settings().zone).date()
    with database().reading() as session:
        standing = world().refresh(session)
        values: dict[str, Any] = {
            "suggested": proposing.suggest(session, standing, text, at=now()),
            "answers": knowledge.proposals(session, text, today),
            "alike": _alike(session, text),
            "standing": standing,
        }
    return render_template("switchboard/while_typing.html", **values)


def _alike(session: Session, text: str) -> list[resembling.Resembling]:
    category, form = request.form.get("category_code", ""), request.form
    lon, lat = form.get("lon", type=float), form.get("lat", type=float)
    standing = world().standing
    if category not in standing.categories or lon is None or lat is None:
        return []
    return resembling.similar(
        session, standing, category_code=category, lon=lon, lat=lat, at=now(), text=text, public=False
    )


def end_call(form: ReportIn) -> Reported:
    """Register the call, and in the same breath answer or refuse it; the theme goes with it."""
    ending, posted, actor, moment = (
        request.form.get("ending", REGISTERED),
        request.form,
        current_actor(),
        now(),
    )
    report = report_of(form)
    today = moment.astimezone(settings().zone).date()

    def work(session: Session) -> Reported:
        if ending == REGISTERED:
            reported = actions.report(session, report, actor, world(), moment)
        else:
            held: Report = replace(report, mode=Mode.HOLD)
            reported = actions.report(session, held, actor, world(), moment)
            if not reported.repeated:
                action, given = _answer(session, today) if ending == ANSWERED else _refusal()
                actions.act(session, reported.code, action, read_given(action, given), actor, world(), moment)
        if posted.get("theme") and not reported.repeated:
            ticket = queries.find(session, reported.code, actor)
            themes.tag(session, ticket, posted["theme"], actor, moment)
        return reported

    reported = database().write(work)
    jobs.wake(settings())
    return reported


def _answer(session: Session, today: Any) -> tuple[str, dict[str, object]]:
    """The words of an answer at once; one taken from an entry is looked at again, it may have expired meanwhile."""
    chosen = request.form.get("entry", "")
    if chosen:
        try:
            knowledge.entry(session, UUID(chosen), today)
        except ValueError:
            raise InputError("所选的知识条目有误,请重新选择", {"answer": "请重新选择"}) from None
    words = request.form.get("answer", "").strip()
    if not words:
        raise InputError("没有登记:请填写即时答复的内容", {"answer": "请填写"})
    return "answer_instantly", {"answer": words}


def _refusal() -> tuple[str, dict[str, object]]:
    """R4 to R6 go to a second person; without words of the operator's own the standard sentence is said."""
    code = request.form.get("reason_code", "")
    row = next((row for row in data.refusal_codes().rows if row.code == code), None)
    if row is None:
        raise InputError("没有登记:请选择不予受理的原因(R1—R7)", {"reason_code": "请选择"})
    action = "propose_rejection" if row.second_person else "reject"
    given: dict[str, object] = {
        "reason_code": row.code,
        "reason": request.form.get("refusal", "").strip() or row.sentence,
        "new_danger": request.form.get("new_danger", ""),
    }
    if given["new_danger"] not in ("yes", "no"):
        raise InputError("没有登记:请先问清有没有新的安全事实", {"new_danger": "请选择"})
    return action, given


@blueprint.post("/urge/<code>")
@permission_required("ticket:urge")
def urge(code: str) -> ResponseReturnValue:
    """The caller asks how it stands: one more voice on the ticket that there is."""
    actor, moment = current_actor(), now()
    words = {"words": request.form["text"].strip()} if request.form.get("text", "").strip() else {}
    given = read_given("urge", words)
    database().write(lambda session: actions.act(session, code, "urge", given, actor, world(), moment))
    jobs.wake(settings())
    flash(f"{code} 已{BY_ACTION['urge'].label}", "done")
    return redirect(url_for("hotline.registered", code=code), 303)


def choices(session: Session) -> dict[str, Any]:
    """What the form of a call offers beside its fields."""
    units = (one for one in world().standing.organisations.values() if not one.closed_on)
    return {
        "refusals": data.refusal_codes().rows,
        "themes": themes.themes(session),
        "units": sorted(units, key=lambda one: (one.kind, one.name)),
    }
