"""Hands checked forms to the one writer, for pages and API alike."""

from uuid import UUID

from sqlmodel import Session

from dispatch.engine import jobs
from dispatch.record import actions
from dispatch.record.desks import beside
from dispatch.record.intake import Mode, Report, Reported
from dispatch.record.judging import admitting
from dispatch.record.models import Source, Ticket
from web.forms import ReportIn
from web.gate.access import current_actor
from web.service.context import database, now, settings, world


def submit(form: ReportIn) -> Reported:
    """Hand a checked form to the one writer."""
    its, actor, moment = report_of(form), current_actor(), now()
    reported = database().write(lambda session: actions.report(session, its, actor, world(), moment))
    jobs.wake(settings())
    return reported


def report_of(form: ReportIn) -> Report:
    """The form as the writer's value."""
    reporter = form.reporter
    return Report(
        client_uuid=form.client_uuid,
        source=Source(form.source),
        mode=Mode(form.mode),
        category_code=form.category_code,
        nature=form.nature,
        lon=form.lon,
        lat=form.lat,
        frame=form.frame,
        accuracy_m=form.accuracy_m,
        location_source=form.location_source,
        captured_at=form.captured_at,
        text=form.text,
        photos=form.photos,
        chosen_grid=form.chosen_grid,
        joins=form.joins,
        apart=form.apart,
        answers=form.answers,
        reporter_name=reporter.name if reporter else None,
        reporter_phone=reporter.phone if reporter else None,
        consented=bool(reporter and reporter.consented),
        confidential=bool(reporter and reporter.confidential),
        accused=form.accused,
        notice_version=reporter.notice_version if reporter else None,
    )


def carry_out(
    code: str, action: str, given: dict[str, object], expected_version: int | None, request_key: UUID | None
) -> Ticket:
    """Hand a checked action to the one writer."""
    actor, moment = current_actor(), now()

    def work(session: Session) -> Ticket:
        ticket = actions.act(
            session, code, action, given, actor, world(), moment, expected_version, request_key
        )
        beside.drop_draft(session, ticket, actor, action)
        return ticket

    changed = admitting.counted(database(), actor, moment, work)
    jobs.wake(settings())
    return changed
