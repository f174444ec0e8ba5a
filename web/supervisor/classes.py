"""Topics and their candidates, and what comes every year (未诉先办)."""

from datetime import date
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dispatch.insight.metrics.slices import FIGURES
from dispatch.insight.topics import finding, managing, seasons
from dispatch.insight.topics.models import TopicKind, TopicState
from dispatch.record import queries
from web.forms import Code, Long, Strict, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown.labels import _
from web.shown.lists import area_names
from web.supervisor.answering.asking import asked
from web.supervisor.blueprint import blueprint

KINDS = {
    TopicKind.REPEAT: "同点同类反复",
    TopicKind.CLUSTER: "时空聚集",
    TopicKind.BURST: "突增",
    TopicKind.PERSISTENT: "久拖反复",
}
STATES = {
    TopicState.CANDIDATE: "候选",
    TopicState.ADOPTED: "治理中",
    TopicState.DONE: "已办结",
    TopicState.DISMISSED: "不采纳",
}


class AdoptForm(Strict):
    owner: Code
    plan: Long
    due_on: date


class EndForm(Strict):
    state: TopicState


@blueprint.get("/topics")
@permission_required(FIGURES)
def topics() -> ResponseReturnValue:
    """Candidates and topics, and what last year's weeks announce."""
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        rows = managing.listed(session, its.actor)
        return render_template(
            "supervisor/topics.html",
            asked=its,
            rows=[(row, number, managing.title(row, standing)) for row, number in rows],
            kinds=KINDS,
            states=STATES,
            standing=standing,
            coming=seasons.coming(session, its.slice),
            weeks=seasons.weeks(its.slice),
            may=its.actor.may(managing.MANAGE),
        )


@blueprint.post("/topics")
@permission_required(managing.MANAGE)
def look_for_topics() -> ResponseReturnValue:
    """Look now; every night it is looked without being asked."""
    flash(_("新发现 %(n)d 个候选。", n=finding.look(database(), now())), "done")
    return redirect(url_for("supervisor.topics"), 303)


@blueprint.get("/topics/<uuid:topic_id>")
@permission_required(FIGURES, "ticket:handle")
def topic(topic_id: UUID) -> ResponseReturnValue:
    """One class of problems: its tickets, who sees to it, and whether it helps; for that unit too."""
    actor = current_actor()
    with database().reading() as session:
        standing = world().refresh(session)
        row = managing.one(session, topic_id, actor)
        found = managing.tickets(session, row, actor)
        return render_template(
            "supervisor/topic.html",
            row=row,
            title=managing.title(row, standing),
            tickets=found,
            openable=queries.openable(session, found, actor),
            kinds=KINDS,
            states=STATES,
            standing=standing,
            names=area_names(standing, found),
            effect=managing.effect(session, row, now()),
            may=actor.may(managing.MANAGE),
            sees_figures=actor.may(FIGURES),
        )


@blueprint.post("/topics/<uuid:topic_id>/adopt")
@permission_required(managing.MANAGE)
def adopt(topic_id: UUID) -> ResponseReturnValue:
    """Somebody answers for it from now on."""
    form = read_form(AdoptForm, request.form)
    actor, at = current_actor(), now()
    with database().writing() as session:
        world().refresh(session)
        found = managing.one(session, topic_id, actor)
        managing.adopt(session, found, form.owner, form.plan, form.due_on, actor, world(), at)
    return redirect(url_for("supervisor.topic", topic_id=topic_id), 303)


@blueprint.post("/topics/<uuid:topic_id>/end")
@permission_required(managing.MANAGE)
def end_topic(topic_id: UUID) -> ResponseReturnValue:
    """Done, or not taken up."""
    form, actor = read_form(EndForm, request.form), current_actor()
    with database().writing() as session:
        managing.end(session, managing.one(session, topic_id, actor), form.state, actor, now())
    return redirect(url_for("supervisor.topics"), 303)
