"""The pages of borders in time: every version, what it would change, redrawing on a map, beginning at an instant."""

from datetime import date, datetime
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from dispatch.engine import jobs
from dispatch.insight.linting.findings import Finding
from dispatch.insight.linting.stored import troubles_of_borders
from dispatch.insight.load import proposing
from dispatch.insight.rehearsing import running
from dispatch.insight.tables import Rehearsal
from geo.borders import Level
from geo.review.differing import Change, diff_borders, diff_overlays
from grid.areas import beginning, drafting, following, generations, succeeding
from grid.areas.succeeding import Succession
from grid.database import Database
from grid.errors import GridError, InputError, NotFound
from grid.models import Area, Generation, GenerationState, OverlayArea
from web.errors import problem_of
from web.forms import Empty, Strict, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.standing.places import neighbourhoods

blueprint = Blueprint("generations", __name__, url_prefix="/generations")

CHANGE = "standing:change"
STATES = {
    GenerationState.DRAFT: "草稿",
    GenerationState.REHEARSED: "已演练",
    GenerationState.ACTIVE: "使用中",
    GenerationState.RETIRED: "已停用",
    GenerationState.DISCARDED: "已废弃",
}
MOST_SHOWN = 100


class PeriodForm(Strict):
    from_on: date
    to_on: date


class BeginForm(Strict):
    """`begins_at` is local time; empty is at once. What was not rehearsed, and what troubles rules, needs a tick."""

    ticked: bool = False
    known: bool = False
    begins_at: Annotated[datetime | None, Empty] = None


@blueprint.get("/")
@permission_required(CHANGE)
def listed() -> ResponseReturnValue:
    """Every version, the newest first, and a map on which the present one is redrawn."""
    return _list()


def _list(error: GridError | None = None) -> ResponseReturnValue:
    with database().reading() as session:
        standing = world().refresh(session)
        choices = neighbourhoods(standing)
        known, wanted = [code for code, _ in choices], request.values.get("around")
        around = wanted if wanted in known else next(iter(known), None)
        page = render_template(
            "generations/list.html",
            versions=session.exec(select(Generation).order_by(col(Generation.id).desc())).all(),
            states=STATES,
            choices=choices,
            around=around,
            grids=[
                (code, area.name)
                for code, area in sorted(standing.areas.items())
                if area.level == Level.GRID and (around is None or around in standing.area_lineage(code))
            ],
            error=error,
            typed=request.form,
        )
    return page, problem_of(error).status if error else 200


@blueprint.post("/redraw/<how>")
@permission_required(CHANGE)
def redraw(how: str) -> ResponseReturnValue:
    """Split, merge or redraw grids of the version in force; the result is a draft."""
    given, actor, moment = request.form, current_actor(), now()
    codes = [code for code in given.getlist("codes") if code]
    names = [
        name.strip() for name in given.get("names", "").replace("\uff1b", ";").split(";") if name.strip()
    ]
    try:
        if not codes:
            raise InputError("请选择网格", {"codes": "请选择网格"})
        if how == "split":
            work, label = drafting.split(codes[0], given.get("points", ""), names), f"拆分{_named(codes[0])}"
        elif how == "merge":
            if len(names) != 1:
                raise InputError("请给出合并后的一个名称", {"names": "请填一个名称"})
            work, label = drafting.merge(codes, names[0]), f"合并为{names[0]}"
        else:
            work, label = drafting.redraw(codes[0], given.get("points", "")), f"调整{_named(codes[0])}"
        label = f"{label} {moment.astimezone(settings().zone):%Y-%m-%d %H:%M:%S}"
        made = drafting.draft(database(), settings().instance_path, label, work, actor, moment, ask_for_index)
    except GridError as error:
        return _list(error)
    flash("已存为草稿;请看变化、演练,再启用", "done")
    return redirect(url_for("generations.one", generation_id=made.id), 303)


def ask_for_index() -> None:
    """Hint that a large draft waits for its index."""
    jobs.ask_for(settings(), "index_borders")


def _named(code: str) -> str:
    with database().reading() as session:
        area = world().refresh(session).areas.get(code)
    return area.name if area else f" {code}"


@blueprint.get("/<int:generation_id>")
@permission_required(CHANGE)
def one(generation_id: int) -> ResponseReturnValue:
    """What this version changes against the one in force."""
    return _one(generation_id)


def _one(generation_id: int, error: GridError | None = None) -> ResponseReturnValue:
    with database().reading() as session:
        found = _generation(session, generation_id)
        active = generations.active_generation(session)
        before = active.id if active and active.id != generation_id else found.former_id
        names = {
            code: name
            for table in (Area, OverlayArea)
            for code, name in session.exec(
                select(table.code, table.name).where(
                    col(table.generation_id).in_([generation_id, before or 0])
                )
            )
        }
        rehearsals = session.exec(
            select(Rehearsal)
            .where(Rehearsal.generation_id == generation_id)
            .order_by(col(Rehearsal.asked_at).desc())
            .limit(5)
        ).all()
        troubles = _troubles(session, found)
        today = now().astimezone(settings().zone).date()
        followed, alone = _people(session, found, before, today)
    page = render_template(
        "generations/one.html",
        troubles=troubles,
        one=found,
        states=STATES,
        changes=_changes(database(), before, generation_id)
        if before and found.state is not GenerationState.DISCARDED
        else None,
        most=MOST_SHOWN,
        names=names,
        rehearsals=rehearsals,
        split_of=(found.source or "").partition(proposing.SOURCE)[2],
        today=today,
        followed=followed,
        alone=alone,
        since=today - running.USUAL,
        error=error,
        typed=request.form,
    )
    return page, problem_of(error).status if error else 200


def _people(
    session: Session, found: Generation, before: int | None, today: date
) -> tuple[list[following.Followed], list[tuple[str, str]]]:
    """Whose posts follow the ground, or did, and the grids that nobody works in."""
    key = found.id or 0
    if found.state is GenerationState.DISCARDED:
        return [], []
    succession = _succession(database(), before, key) if before else Succession()
    if found.state is GenerationState.ACTIVE:
        people, alone = following.done(session, found), following.without_worker(session, key, today)
    else:
        people = following.planned(session, succession, today)
        alone = following.without_worker(session, key, today, succession)
    return people, sorted(alone, key=lambda one: one[0] not in succession.came)


@lru_cache(maxsize=8)
def _succession(its: Database, before: int, after: int) -> Succession:
    """Two versions never change, so who has whose ground is worked out once."""
    with its.reading() as session:
        return succeeding.compare(session, before, after)


def _troubles(session: Session, found: Generation) -> list[Finding]:
    """Where the rules in force would not hold in borders that may begin."""
    if found.state in (GenerationState.ACTIVE, GenerationState.DISCARDED):
        return []
    standing = world().refresh(session)
    on = now().astimezone(settings().zone).date()
    return troubles_of_borders(database(), session, standing, found.id or 0, on)


@lru_cache(maxsize=8)
def _changes(its: Database, before: int, after: int) -> list[Change]:
    """Two versions never change, so what differs is worked out once."""
    with its.reading() as session:
        areas = diff_borders(generations.areas_of(session, before), generations.areas_of(session, after))
        overlays = diff_overlays(
            generations.overlays_of(session, before), generations.overlays_of(session, after)
        )
    return [change for change in (*areas.changes, *overlays) if change.kind != "unchanged"]


@blueprint.post("/<int:generation_id>/rehearse")
@permission_required(CHANGE)
def rehearse(generation_id: int) -> ResponseReturnValue:
    """Replay past tickets in these borders, by the rules in force."""
    actor, moment = current_actor(), now()

    def ask(session: Session) -> Rehearsal:
        version = world().refresh(session).ruleset_version
        return running.ask(session, version, form.from_on, form.to_on, actor, moment, generation_id)

    try:
        form = read_form(PeriodForm, request.form)
        asked = database().write(ask)
    except GridError as error:
        return _one(generation_id, error)
    jobs.ask_for(settings(), "rehearse")
    return redirect(url_for("rules.rehearsal", key=asked.id), 303)


@blueprint.post("/<int:generation_id>/begin")
@permission_required(CHANGE)
def begin(generation_id: int) -> ResponseReturnValue:
    """Put a version in force now or at an instant; a retired one again is the undo."""
    actor, moment = current_actor(), now()
    try:
        form = read_form(BeginForm, request.form)
        begins_at = form.begins_at
        if begins_at is not None and begins_at.tzinfo is None:
            begins_at = begins_at.replace(tzinfo=ZoneInfo(settings().timezone))
        with database().reading() as session:
            found = _generation(session, generation_id)
            troubles = _troubles(session, found)
        if troubles and not form.known:
            sentence = (
                f"现行规则在这套边界里有 {len(troubles)} 处问题:{troubles[0].sentence}。确认知悉后再启用"
            )
            raise InputError(sentence, {"known": sentence})
        if found.state is GenerationState.DRAFT and not form.ticked:
            raise InputError("这一版还没有演练过;先演练,或勾选“不演练,直接启用”", {"ticked": "请演练或勾选"})
        if begins_at is not None:
            at = begins_at
            database().write(lambda s: beginning.schedule(s, generation_id, at, actor, moment))
        else:
            on = moment.astimezone(settings().zone).date()
            database().write(lambda s: beginning.activate(s, generation_id, actor, moment, on))
            with database().reading() as session:
                world().refresh(session, at_once=True)
    except GridError as error:
        return _one(generation_id, error)
    flash("将按时启用" if begins_at else "已启用;未签收的工单随后重新落格,每件都留原因", "done")
    return redirect(url_for("generations.one", generation_id=generation_id), 303)


@blueprint.post("/<int:generation_id>/discard")
@permission_required(CHANGE)
def discard(generation_id: int) -> ResponseReturnValue:
    """A draft that was never in force is given up; that it was there stays in the audit."""
    actor, moment = current_actor(), now()
    index_file = database().write(lambda s: beginning.discard(s, generation_id, actor, moment))
    if index_file:
        (settings().instance_path / index_file).unlink(missing_ok=True)
    flash("已废弃这份草稿", "done")
    return redirect(url_for("generations.listed"), 303)


@blueprint.post("/<int:generation_id>/cancel")
@permission_required(CHANGE)
def cancel(generation_id: int) -> ResponseReturnValue:
    """It does not begin at its instant after all."""
    actor, moment = current_actor(), now()
    database().write(lambda s: beginning.unschedule(s, generation_id, actor, moment))
    flash("已取消定时启用", "done")
    return redirect(url_for("generations.one", generation_id=generation_id), 303)


def _generation(session: Session, generation_id: int) -> Generation:
    found = session.get(Generation, generation_id)
    if found is None:
        raise NotFound(f"没有编号为 {generation_id} 的边界版本")
    return found
