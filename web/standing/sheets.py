"""Sheets for the walls: each grid's code with whose grid it is, one or many at a time, to be printed from the browser."""

from base64 import b64encode
from datetime import timedelta
from io import BytesIO

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from geo.borders import Level
from grid import accounts, codes
from grid.errors import InputError
from grid.models import Account, Area, Post
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world

blueprint = Blueprint("sheets", __name__, url_prefix="/grid-codes")

SIZES = {"a6": "A6", "a4": "A4"}
MOST_SHEETS = 400
MOST_GRACE_DAYS = 730


@blueprint.get("/")
@permission_required("standing:change")
def choose() -> ResponseReturnValue:
    """The grids, to print their sheets or to replace their codes."""
    with database().reading() as session:
        grids = _grids(session, None)
        return render_template("borders/codes.html", grids=grids, sizes=SIZES, grace=codes.GRACE.days)


@blueprint.post("/print")
@permission_required("standing:change")
def sheets() -> ResponseReturnValue:
    """One sheet per chosen grid; none chosen means all. A grid that has no code yet gets its first one."""
    size = request.form.get("size", "a6")
    wanted = [code for code in request.form.getlist("grid") if code]

    def work(session: Session) -> list[dict[str, object]]:
        return [_sheet(session, area) for area in _grids(session, wanted)[:MOST_SHEETS]]

    return render_template(
        "borders/sheets.html",
        sheets=database().write(work),
        size=size if size in SIZES else "a6",
        supervision_phone=settings().supervision_phone,
    )


@blueprint.post("/rotate")
@permission_required("standing:change")
def rotate() -> ResponseReturnValue:
    """New codes; what hangs on the walls works for the days that were given."""
    days = request.form.get("days", "")
    if not (days.isascii() and days.isdecimal() and int(days) <= MOST_GRACE_DAYS):
        raise InputError(f"旧码继续有效的天数请填 0 到 {MOST_GRACE_DAYS}", {"days": "天数不对"})
    wanted = request.form.getlist("grid")
    actor, moment = current_actor(), now()

    def work(session: Session) -> int:
        areas = [area.code for area in _grids(session, wanted)]
        return codes.rotate(session, areas, actor, moment, timedelta(days=int(days)))

    flash(f"已换发 {database().write(work)} 个网格的码,旧码再用 {days} 天", "done")
    return redirect(url_for("sheets.choose"), 303)


def _grids(session: Session, wanted: list[str] | None) -> list[Area]:
    query = select(Area).where(
        Area.generation_id == world().refresh(session).generation_id, Area.level == Level.GRID
    )
    if wanted:
        query = query.where(col(Area.code).in_(wanted))
    return list(session.exec(query.order_by(Area.code)))


def _sheet(session: Session, area: Area) -> dict[str, object]:
    row = codes.present(session, area.code, now())
    token = codes.token(settings(), row.area_code, row.serial)
    address = settings().base_url.rstrip("/") + url_for("resident.scan", token=token)
    standing = world().standing
    above = [standing.areas[code].name for code in reversed(standing.area_lineage(area.code)[1:3])]
    query = select(Account.name, Account.phone).join(Post, col(Post.account_id) == col(Account.id))
    workers = session.exec(
        query.where(
            Post.area_code == area.code,
            Post.role == "grid_worker",
            col(Account.disabled_at).is_(None),
            accounts.held_on(now().astimezone(settings().zone).date()),
        )
    ).all()
    shows = settings().show_worker_phone
    return {
        "name": area.name,
        "above": " ".join(above),
        "address": address,
        "picture": _picture(address),
        "serial": row.serial,
        "workers": [(name, phone if shows else None) for name, phone in workers],
    }


def _picture(address: str) -> str:
    """The code as an SVG in the page; level Q survives rain and a torn corner."""
    out = BytesIO()
    segno.make(address, error="q", micro=False).save(out, kind="svg", scale=4, border=4, xmldecl=False)
    return "data:image/svg+xml;base64," + b64encode(out.getvalue()).decode()
