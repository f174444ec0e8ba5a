"""The administrator's pages: people, imports with their reports, the audit, and how the service is running."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_
from sqlmodel import Session, col, select
from werkzeug.datastructures import FileStorage
from werkzeug.utils import secure_filename

from dispatch import duties
from dispatch.engine import outbox, timers
from dispatch.engine.health import checking, job_times
from dispatch.engine.health.operating import Health, health
from dispatch.engine.parts import heartbeats
from dispatch.record.models import OutboxRow, Timer
from dispatch.upkeep.keeping import keeping, warnings
from geo.zones import ZONE_OF_EPSG
from grid import accounts
from grid.areas import generations
from grid.errors import GridError, InputError
from grid.importing.borders import read_border_files
from grid.importing.organisations import import_organisations
from grid.importing.report import ImportReport
from grid.importing.sheets import Sheet, read_sheet
from grid.importing.staff import import_staff
from grid.models import Account, Generation, Organisation, Post, StandingChange
from grid.permissions import ROLES
from web.errors import problem_of
from web.forms import AccountForm, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

CHANGE = "standing:change"
OPERATE = "operations:read"
LATEST = 100
PEOPLE = 50
MOST_WORDS = 80
FRAMES = (
    ("wgs84", "WGS-84"),
    ("cgcs2000", "CGCS2000"),
    ("gcj02", "GCJ-02(高德、腾讯)"),
    ("bd09", "BD-09(百度)"),
    *(
        (
            str(epsg),
            f"CGCS2000 三度带 {zone} 带(中央经线 {3 * zone}°),{'带带号' if epsg < 4534 else '不带带号'},EPSG:{epsg}",
        )
        for epsg, zone in ZONE_OF_EPSG.items()
    ),
)
SheetImport = Callable[[Session, Sheet], ImportReport]


@blueprint.get("/")
@permission_required(CHANGE)
def home() -> ResponseReturnValue:
    """What is in force, and where to bring in more."""
    return _home()


def _home(report: ImportReport | None = None, error: GridError | None = None) -> ResponseReturnValue:
    with database().reading() as session:
        page = render_template(
            "admin/home.html",
            generations=session.exec(select(Generation).order_by(col(Generation.id).desc())).all(),
            organisations=len(session.exec(select(Organisation.code)).all()),
            people=len(session.exec(select(Account.id)).all()),
            frames=FRAMES,
            report=report,
            error=error,
            typed=request.form,
        )
    wrong = error is not None or (report is not None and not report.is_right)
    return page, (problem_of(error).status if error else 422) if wrong else 200


@blueprint.post("/import/borders")
@permission_required(CHANGE)
def import_borders() -> ResponseReturnValue:
    """Read boundary files as one complete set; a right one becomes a draft, to be looked at and activated."""
    actor, moment, frame = current_actor(), now(), request.form.get("frame", "")
    if frame not in dict(FRAMES):
        return _home(error=InputError("请选择坐标系:不能猜,错了会派错单", {"frame": "请选择坐标系"}))
    with tempfile.TemporaryDirectory() as folder:
        paths = [_kept(file, Path(folder)) for file in request.files.getlist("files") if file.filename]
        if not paths:
            return _home(error=InputError("请选择边界文件(GeoJSON、GeoPackage、Shapefile 压缩包或 KML)"))
        found = read_border_files(paths, frame=frame, level=request.form.get("level") or None)
    if found.report.is_right:
        new = generations.NewGeneration(
            label=moment.astimezone(settings().zone).strftime("%Y-%m-%d %H:%M:%S"),
            areas=found.areas,
            overlays=found.overlays,
            source=";".join(found.checksums),
        )
        made = database().write(lambda session: generations.create_draft(session, new, actor, moment))
        generations.write_index(database(), made.id or 0, settings().instance_path)
        found.report.written = True
    return _home(found.report)


@blueprint.post("/generations/<int:generation_id>/activate")
@permission_required(CHANGE)
def activate(generation_id: int) -> ResponseReturnValue:
    actor, moment = current_actor(), now()
    made = database().write(lambda session: generations.activate(session, generation_id, actor, moment))
    flash(f"边界版本“{made.label}”已启用", "done")
    return redirect(url_for("admin.home"), 303)


@blueprint.post("/import/<what>")
@permission_required(CHANGE)
def import_table(what: str) -> ResponseReturnValue:
    """Organisations, staff or responsibilities from CSV or XLSX: all of it, or nothing and every row's fault."""
    actor, moment = current_actor(), now()
    imports: dict[str, SheetImport] = {
        "organisations": lambda session, sheet: import_organisations(
            session, sheet, duties.organisation_kinds(), actor, moment
        ),
        "staff": lambda session, sheet: import_staff(session, sheet, actor, moment),
        "responsibilities": lambda session, sheet: duties.import_duties(session, sheet, actor, moment),
    }
    file = request.files.get("files")
    if what not in imports or file is None or not file.filename:
        return _home(error=InputError("请选择一个 CSV 或 XLSX 文件"))
    try:
        with tempfile.TemporaryDirectory() as folder:
            sheet = read_sheet(_kept(file, Path(folder)))
        return _home(database().write(lambda session: imports[what](session, sheet)))
    except GridError as error:
        return _home(error=error)


def _kept(file: FileStorage, folder: Path) -> Path:
    """The upload in a private folder, under a name that cannot lead elsewhere but keeps its ending."""
    ending = Path(secure_filename(file.filename or "")).suffix or Path(file.filename or "").suffix[:8]
    stem = "".join(sign for sign in Path(file.filename or "file").stem if sign.isalnum() or sign in "-_")[:80]
    path = folder / f"{stem or 'file'}{ending.lower()}"
    file.save(path)
    return path


@blueprint.route("/accounts", methods=["GET", "POST"])
@permission_required("account:change")
def people() -> ResponseReturnValue:
    """Accounts with their posts, and a form for a new one; it gets a single-use link to choose a password."""
    if request.method == "GET":
        return _people()
    actor, moment = current_actor(), now()

    def make(session: Session) -> tuple[str, str]:
        form = read_form(AccountForm, request.form)
        post = accounts.NewPost(form.role, form.organisation_code, form.area_code)
        new = accounts.NewAccount(form.login, form.name, (post,), phone=form.phone)
        account = accounts.create_account(session, new, actor, moment)
        return account.login, accounts.make_password_link(session, account, actor, moment)

    try:
        login, token = database().write(make)
    except GridError as error:
        return _people(error)
    return _people(link=(login, f"{settings().base_url}{url_for('links.password', token=token)}"))


@blueprint.post("/accounts/<uuid:account_id>/<step>")
@permission_required("account:change")
def change_person(account_id: UUID, step: str) -> ResponseReturnValue:
    """A new password link, or shutting and opening an account."""
    actor, moment = current_actor(), now()

    def work(session: Session) -> tuple[str, str] | None:
        account = session.get(Account, account_id)
        if account is None:
            raise InputError("没有这个账号,请刷新页面")
        if step == "link":
            return account.login, accounts.make_password_link(session, account, actor, moment)
        if account.id == actor.account_id:
            raise InputError("不能停用自己的账号,请由另一位管理员操作")
        change = accounts.enable_account if account.disabled_at else accounts.disable_account
        change(session, account, actor, moment)
        return None

    try:
        made = database().write(work)
    except GridError as error:
        return _people(error)
    if made is None:
        return redirect(url_for("admin.people", q=request.args.get("q") or None), 303)
    return _people(link=(made[0], f"{settings().base_url}{url_for('links.password', token=made[1])}"))


def _people(error: GridError | None = None, link: tuple[str, str] | None = None) -> ResponseReturnValue:
    words, after = request.args.get("q", "").strip()[:MOST_WORDS], request.args.get("after", "")
    with database().reading() as session:
        found = _found_people(session, words, after)
        posts: dict[UUID, list[Post]] = {}
        for post in session.exec(select(Post).where(col(Post.account_id).in_([one.id for one in found]))):
            posts.setdefault(post.account_id, []).append(post)
        organisations = {o.code: o for o in session.exec(select(Organisation).order_by(Organisation.name))}
        page = render_template(
            "admin/people.html",
            people=found[:PEOPLE],
            following=found[PEOPLE - 1].login if len(found) > PEOPLE else None,
            words=words,
            posts=posts,
            organisations=organisations,
            roles=ROLES,
            error=error,
            link=link,
            typed=request.form if error else {},
        )
    return page, problem_of(error).status if error else 200


def _found_people(session: Session, words: str, after: str) -> list[Account]:
    """One page of accounts and one more, by login; the words may be of a login, a name or a unit."""
    query = select(Account).where(col(Account.login) > after).order_by(col(Account.login)).limit(PEOPLE + 1)
    if words:
        of_unit = (
            select(Post.account_id)
            .join(Organisation, col(Organisation.code) == col(Post.organisation_code))
            .where(col(Organisation.name).contains(words, autoescape=True))
        )
        query = query.where(
            or_(
                col(Account.login).contains(words, autoescape=True),
                col(Account.name).contains(words, autoescape=True),
                col(Account.id).in_(of_unit),
            )
        )
    return list(session.exec(query))


@blueprint.get("/changes")
@permission_required(CHANGE)
def changes() -> ResponseReturnValue:
    """The audit of the standing world, newest first."""
    with database().reading() as session:
        query = select(StandingChange).order_by(col(StandingChange.at).desc(), col(StandingChange.id).desc())
        rows = session.exec(query.limit(LATEST)).all()
        wanted = {row.account_id for row in rows if row.account_id}
        names = dict(session.exec(select(Account.id, Account.name).where(col(Account.id).in_(wanted))).all())
        return render_template("admin/changes.html", rows=rows, names=names)


@blueprint.get("/operations")
@permission_required(OPERATE)
def operations() -> ResponseReturnValue:
    """Parts, queues, what was given up, and what to do about it."""
    with database().reading() as session:
        found: Health = health(session, database(), settings(), now())
        return render_template(
            "admin/operations.html",
            health=found,
            parts=heartbeats.alive(session, now=now()),
            kept=(kept := keeping(session, settings())),
            warnings=warnings(kept, now()),
            redis_troubles=list(checking.redis_troubles(settings())),
            refused=job_times.refused(settings()),
            letters=outbox.dead_letters(session),
            timers=timers.dead_timers(session),
            may_run=current_actor().may(CHANGE),
        )


@blueprint.post("/operations/again/<kind>/<district>/<uuid:row_id>")
@permission_required(CHANGE)
def run_again(kind: str, district: str, row_id: UUID) -> ResponseReturnValue:
    """Put a given-up effect or timer back to work."""
    key, moment = (district, row_id), now()

    def work(session: Session) -> bool:
        if kind == Timer.__tablename__:
            return timers.run_again(session, key)
        return kind == OutboxRow.__tablename__ and outbox.run_again(session, key, moment)

    flash("已重新排队" if database().write(work) else "它已经不在待处理之列", "done")
    return redirect(url_for("admin.operations"), 303)
