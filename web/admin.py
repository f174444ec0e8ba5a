"""The administrator's pages: what is in force, people, the audit, and how the service is running."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from dispatch.engine import outbox, timers
from dispatch.engine.health import checking, job_times
from dispatch.engine.health.operating import Health, health
from dispatch.engine.parts import heartbeats
from dispatch.record.models import OutboxRow, Timer
from dispatch.upkeep.keeping import keeping, warnings
from grid import accounts, rulesets
from grid.areas import following, generations
from grid.errors import GridError, InputError
from grid.models import Account, Generation, GenerationState, Organisation, Post, StandingChange
from grid.permissions import ROLES
from web.errors import problem_of
from web.forms import AccountForm, PostForm, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.lists import names_of_areas

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

CHANGE = "standing:change"
OPERATE = "operations:read"
LATEST = 100
PEOPLE = 50
MOST_WORDS = 80


@blueprint.get("/")
@permission_required(CHANGE)
def home() -> ResponseReturnValue:
    """What is in force, and where to bring in more."""
    with database().reading() as session:
        return render_template(
            "admin/home.html",
            active=(active := generations.active_generation(session)),
            alone=_alone(session, active),
            drafts=session.exec(
                select(func.count())
                .select_from(Generation)
                .where(col(Generation.state).in_((GenerationState.DRAFT, GenerationState.REHEARSED)))
            ).one(),
            organisations=session.exec(select(func.count()).select_from(Organisation)).one(),
            people=session.exec(select(func.count()).select_from(Account)).one(),
            in_force=rulesets.in_force(session, now()),
        )


def _alone(session: Session, active: Generation | None) -> int:
    """How many grids in force have nobody who could verify there."""
    return len(following.without_worker(session, active.id or 0, _today())) if active else 0


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


@blueprint.post("/accounts/<uuid:account_id>/posts")
@permission_required("account:change")
def give_post(account_id: UUID) -> ResponseReturnValue:
    """One more post from today on."""
    actor, moment = current_actor(), now()

    def work(session: Session) -> None:
        account = session.get(Account, account_id)
        if account is None:
            raise InputError("没有这个账号,请刷新页面")
        form = read_form(PostForm, request.form)
        if form.area_code is not None and form.area_code not in world().refresh(session).areas:
            message = f"现行边界里没有编码为 {form.area_code} 的区域,请从边界页面查编码"
            raise InputError(message, {"area_code": message})
        new = accounts.NewPost(form.role, form.organisation_code, form.area_code, from_on=_today())
        accounts.add_post(session, account, new, actor, moment)

    return _change_posts(work)


@blueprint.post("/accounts/posts/<uuid:post_id>/end")
@permission_required("account:change")
def end_post(post_id: UUID) -> ResponseReturnValue:
    """A post ends with yesterday; it stays in the history."""
    actor, moment = current_actor(), now()

    def work(session: Session) -> None:
        post = session.get(Post, post_id)
        if post is None or (post.to_on is not None and post.to_on < _today()):
            raise InputError("没有这个岗位,或它已经结束,请刷新页面")
        if post.account_id == actor.account_id:
            raise InputError("不能结束自己的岗位,请由另一位管理员操作")
        accounts.end_post(session, post_id, _today(), actor, moment)

    return _change_posts(work)


def _change_posts(work: Callable[[Session], None]) -> ResponseReturnValue:
    try:
        database().write(work)
    except GridError as error:
        return _people(error)
    return redirect(url_for("admin.people", q=request.args.get("q") or None), 303)


def _today() -> date:
    return now().astimezone(settings().zone).date()


def _people(error: GridError | None = None, link: tuple[str, str] | None = None) -> ResponseReturnValue:
    words, after = request.args.get("q", "").strip()[:MOST_WORDS], request.args.get("after", "")
    with database().reading() as session:
        found = _found_people(session, words, after)
        posts: dict[UUID, list[Post]] = {}
        for post in session.exec(select(Post).where(col(Post.account_id).in_([one.id for one in found]))):
            posts.setdefault(post.account_id, []).append(post)
        standing = world().refresh(session)
        organisations = {o.code: o for o in session.exec(select(Organisation).order_by(Organisation.name))}
        page = render_template(
            "admin/people.html",
            people=found[:PEOPLE],
            following=found[PEOPLE - 1].login if len(found) > PEOPLE else None,
            words=words,
            posts=posts,
            today=_today(),
            names=names_of_areas(standing, [post.area_code for all_ in posts.values() for post in all_]),
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
            active=(active := generations.active_generation(session)),
            alone=_alone(session, active),
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
