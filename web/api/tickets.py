"""Tickets over the API: report, list, read, act."""

from flask import url_for
from flask.typing import ResponseReturnValue

from dispatch.record import queries
from dispatch.rules.workflow import BY_ACTION
from grid.errors import NotFound
from web.api.answers import HistoryOut, LineOut, PageOut, ReportedOut, SummaryOut, TicketOut, summary, whole
from web.api.blueprint import blueprint
from web.forms import ActionIn, ReportIn, TicketsQuery, read_given
from web.gate.access import current_actor, permission_required, signed_in
from web.service.context import database, now, world
from web.shown import showing
from web.shown.acting import carry_out, submit
from web.shown.lists import after_of


@blueprint.post("/tickets")
@permission_required("ticket:report", "ticket:remind", "ticket:register")
@blueprint.input(ReportIn, arg_name="form")
@blueprint.output(ReportedOut, status_code=201)
@blueprint.doc(
    summary="Report; the same client_uuid is always answered alike", responses=[401, 403, 409, 422, 503]
)
def report(form: ReportIn) -> ResponseReturnValue:
    reported = submit(form)
    return (  # type: ignore[return-value]
        ReportedOut(code=reported.code, state=reported.state),
        201,
        {"Location": url_for("api.ticket", code=reported.code)},
    )


@blueprint.get("/tickets")
@permission_required("ticket:read")
@blueprint.input(TicketsQuery, location="query", arg_name="query")
@blueprint.output(PageOut)
@blueprint.doc(summary="One page of the tickets in reach, the most pressing first", responses=[401, 403, 422])
def tickets(query: TicketsQuery) -> ResponseReturnValue:
    with database().reading() as session:
        found = queries.page(
            session, current_actor(), *query.conditions(now()), after=query.after_key(), size=query.size
        )
    following = after_of(found[-1]) if len(found) == query.size else None
    return PageOut(tickets=[summary(ticket) for ticket in found], next=following)  # type: ignore[return-value]


@blueprint.get("/tickets/<code>")
@permission_required("ticket:read")
@blueprint.output(TicketOut)
@blueprint.doc(summary="One ticket", responses=[401, 404])
def ticket(code: str) -> ResponseReturnValue:
    with database().reading() as session:
        return whole(showing.show(session, code, current_actor(), world(), now()))  # type: ignore[return-value]


@blueprint.get("/tickets/<code>/history")
@permission_required("ticket:read")
@blueprint.output(HistoryOut)
@blueprint.doc(summary="Its appended, chained history", responses=[401, 404])
def history(code: str) -> ResponseReturnValue:
    with database().reading() as session:
        told = showing.show(session, code, current_actor(), world(), now()).told()
    lines = [LineOut.model_validate(line, from_attributes=True) for line in told]
    return HistoryOut(lines=lines)  # type: ignore[return-value]


@blueprint.post("/tickets/<code>/actions/<action>")
@signed_in
@blueprint.input(ActionIn, arg_name="form")
@blueprint.output(SummaryOut)
@blueprint.doc(
    summary="Act on a ticket; `possible` of the ticket lists actions and their fields",
    responses=[401, 403, 404, 409, 422],
)
def act(code: str, action: str, form: ActionIn) -> ResponseReturnValue:
    if action not in BY_ACTION:
        raise NotFound(f"没有动作 {action};工单的 possible 列出了现在可做的动作")
    given = read_given(action, form.given)
    changed = carry_out(code, action, given, form.expected_version, form.request_key)
    return summary(changed)  # type: ignore[return-value]
