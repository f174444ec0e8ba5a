"""What returns teach: proposals with their evidence, and how often each rule was right."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from dispatch.engine import jobs
from dispatch.insight import returns
from dispatch.insight.tables import Learnt, Rehearsal
from dispatch.record.judging import admitting
from dispatch.record.models import Admittance, HandedDown
from grid.errors import GridError
from web.errors import problem_of
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.standing.places import outlines

blueprint = Blueprint("returns", __name__, url_prefix="/rules")

CHANGE, RULE = "standing:change", "ticket:rule"
DAYS = 90
MOST = 40
LATEST = 100


@blueprint.get("/returns")
@permission_required(CHANGE, RULE)
def proposals() -> ResponseReturnValue:
    """Proposed changes and the accuracy of rules, categories and areas; how good the suggestions are."""
    return _page()


def _page(error: GridError | None = None) -> ResponseReturnValue:
    moment = now()
    with database().reading() as session:
        standing = world().refresh(session)
        sent = returns.sent_since(session, moment - timedelta(days=DAYS), moment)
        page = render_template(
            "rules/returns.html",
            standing=standing,
            proposals=returns.proposals(session, standing, moment),
            tables=[
                (label, by, returns.accuracy(sent, by)[:MOST])
                for by, label in (("rule", "规则"), ("category", "类别"), ("area", "区域"))
            ],
            number=len(sent),
            outlines=outlines(standing),
            days=DAYS,
            learnt=session.exec(select(Learnt).order_by(col(Learnt.trained_at).desc()).limit(1)).first(),
            error=error,
        )
    return page, problem_of(error).status if error else 200


@blueprint.post("/returns/<outcome>")
@permission_required(CHANGE, RULE)
def decide(outcome: str) -> ResponseReturnValue:
    """Accept (a draft, with its rehearsal asked for) or dismiss a proposal."""
    key, actor, moment = request.form.get("key", ""), current_actor(), now()

    def work(session: Session) -> int | None:
        standing = world().refresh(session)
        if outcome == "accept":
            return returns.accept(session, standing, key, actor, moment)
        returns.dismiss(session, standing, key, actor, moment)
        return None

    try:
        version = database().write(work)
    except GridError as error:
        return _page(error)
    if version is None:
        flash("不再提这条建议", "done")
        return redirect(url_for("returns.proposals"), 303)
    jobs.ask_for(settings(), "rehearse")
    flash(f"已存为第 {version} 版草稿并开始演练;看过结果再启用", "done")
    with database().reading() as session:
        asked = session.exec(select(Rehearsal.id).where(Rehearsal.ruleset_version == version)).first()
    onward = url_for("rules.rehearsal", key=asked) if asked else url_for("rules.version", version=version)
    return redirect(onward, 303)


@blueprint.get("/admission")
@permission_required("admission:decide", *admitting.ASK, "figures:read")
def admission() -> ResponseReturnValue:
    """Attempts against the list by unit, and the one-off admissions that wait for a decision."""
    return _admission()


def _admission(error: GridError | None = None) -> ResponseReturnValue:
    with database().reading() as session:
        page = render_template(
            "rules/admission.html",
            standing=world().refresh(session),
            by_unit=admitting.attempts_by_unit(session),
            attempts=session.exec(select(HandedDown).order_by(col(HandedDown.at).desc()).limit(LATEST)).all(),
            asked=session.exec(
                select(Admittance).order_by(col(Admittance.asked_at).desc()).limit(LATEST)
            ).all(),
            may_decide=current_actor().may(admitting.DECIDE),
            may_ask=any(current_actor().may(verb) for verb in admitting.ASK),
            error=error,
            typed=request.form,
        )
    return page, problem_of(error).status if error else 200


@blueprint.post("/admission")
@permission_required(*admitting.ASK)
def ask() -> ResponseReturnValue:
    """Ask the district to let one matter through to one community, once."""
    form, actor, moment = request.form, current_actor(), now()

    def work(session: Session) -> object:
        return admitting.ask(
            session,
            form.get("code", ""),
            form.get("to_code", ""),
            form.get("reason", ""),
            actor,
            world(),
            moment,
        )

    return _done(work, "已提交准入申请,等区里审批")


@blueprint.post("/admission/<uuid:key>")
@permission_required("admission:decide")
def settle(key: UUID) -> ResponseReturnValue:
    """Let it through once, or not."""
    outcome, actor, moment = request.form.get("outcome", ""), current_actor(), now()
    return _done(lambda s: admitting.decide(s, key, outcome, actor, moment), "已审批")


def _done(work: Callable[[Session], object], said: str) -> ResponseReturnValue:
    try:
        database().write(work)
    except GridError as error:
        return _admission(error)
    flash(said, "done")
    return redirect(url_for("returns.admission"), 303)
