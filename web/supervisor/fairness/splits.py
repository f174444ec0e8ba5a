"""The split of an overloaded grid or community: its parts on a map, hours before and after, the draft made of it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.engine import jobs
from dispatch.insight.load import measuring, proposing
from dispatch.insight.schemes import keeping
from geo.borders import Level
from grid.areas import following, generations
from grid.areas.succeeding import Succession
from grid.models import Generation, GenerationState
from web.forms import Code, Strict, check, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.labels import _
from web.shown.lists import names_of_areas
from web.supervisor.blueprint import blueprint

STATES = {GenerationState.DRAFT: "草稿", GenerationState.REHEARSED: "已演练"}
BORDERS = "standing:change"
FINE = (Level.GRID, Level.COMMUNITY)


class SplitForm(Strict):
    code: Code


@blueprint.get("/load/split")
@permission_required(keeping.SWITCH, BORDERS)
def split() -> ResponseReturnValue:
    """The proposal, or the draft that was made of one; whoever puts borders in force reads it as well."""
    form = check(SplitForm, {"code": request.args.get("code", "")})
    today = now().astimezone(settings().zone).date()
    with database().reading() as session:
        standing = world().refresh(session)
        proposed = proposing.propose(session, standing, form.code, today)
        around = [code for code in standing.area_lineage(form.code) if standing.areas[code].level in FINE]
        around += [code for code, area in standing.areas.items() if area.parent_code == form.code]
        people = following.planned(session, Succession(frozenset(around)), today)
        return render_template(
            "supervisor/split.html",
            one=proposed,
            kinds=measuring.KINDS,
            words=measuring.WORDS,
            states=STATES,
            names=names_of_areas(standing, around),
            people=[its for its in people if its.thing == following.POST],
            may=current_actor().may(keeping.SWITCH),
            begins=current_actor().may(BORDERS),
        )


@blueprint.post("/load/split")
@permission_required(keeping.SWITCH)
def draft_split() -> ResponseReturnValue:
    """Make the draft, or open the one that there is; people rehearse it and put it in force."""
    form = read_form(SplitForm, request.form)
    at, actor, zone = now(), current_actor(), settings().zone

    def work(session: Session) -> Generation:
        standing = world().refresh(session)
        proposed = proposing.propose(session, standing, form.code, at.astimezone(zone).date())
        return proposing.draft(session, proposed, actor, at, zone)

    made = database().write(work)
    if made.index_file is None:
        generations.index_soon(
            database(),
            made.id or 0,
            settings().instance_path,
            lambda: jobs.ask_for(settings(), "index_borders"),
        )
    flash(_("已有草案“%(label)s”,由管理员演练后启用。", label=made.label), "done")
    return redirect(url_for("supervisor.split", code=form.code), 303)
