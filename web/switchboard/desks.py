"""Theme desks: the tickets that stay with one desk, and who sits at it."""

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlmodel import col

from dispatch.record import queries
from dispatch.record.lines import themes
from grid.errors import InputError, NotFound
from grid.models import Account, DutyClass
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown.lists import area_names
from web.switchboard.blueprint import REGISTER, blueprint

READERS = (REGISTER, themes.CHANGE, "ticket:call_back")


@blueprint.get("/themes")
@permission_required(*READERS)
def theme_desks() -> ResponseReturnValue:
    """Which desks there are and who sits at them."""
    with database().reading() as session:
        world().refresh(session)
        intake = select(Account).where(
            col(Account.duty_class) == DutyClass.INTAKE, col(Account.disabled_at).is_(None)
        )
        return render_template(
            "switchboard/themes.html",
            themes=themes.themes(session),
            seats=themes.seated(session),
            mine=themes.seats_of(session, current_actor()),
            people=list(session.execute(intake.order_by(col(Account.name))).scalars()),
            may_change=current_actor().may(themes.CHANGE),
            organisations=world().standing.organisations.values(),
        )


@blueprint.post("/themes")
@permission_required(themes.CHANGE)
def set_up_desk() -> ResponseReturnValue:
    """Make a desk or seat it anew."""
    form, actor = request.form, current_actor()
    try:
        accounts = [UUID(one) for one in form.getlist("accounts")]
    except ValueError:
        raise InputError("人员有误,请重新选择", {"accounts": "请重新选择"}) from None
    key, name, unit = form.get("key", ""), form.get("name", ""), form.get("organisation_code")
    database().write(lambda session: themes.set_up(session, actor, key, name, unit, accounts))
    return redirect(url_for("switchboard.theme_desks"), 303)


@blueprint.get("/themes/<key>")
@permission_required(*READERS)
def theme_desk(key: str) -> ResponseReturnValue:
    """The open tickets of one desk, the most pressing first: for those who sit at it."""
    actor = current_actor()
    with database().reading() as session:
        standing = world().refresh(session)
        theme = next((one for one in themes.themes(session) if one.key == key), None)
        if theme is None or (key not in themes.seats_of(session, actor) and not actor.may(themes.CHANGE)):
            raise NotFound("没有这个专席,或您不在这个专席")
        tickets = queries.page(session, actor, themes.of_desk([key]), queries.is_open(), size=100)
        return render_template(
            "switchboard/theme.html",
            theme=theme,
            standing=standing,
            tickets=tickets,
            names=area_names(standing, tickets),
            at=now(),
        )
