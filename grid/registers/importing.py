"""The registers from tables: each is checked whole, and written whole or not at all. The caller commits."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, time
from typing import Any

import shapely
import shapely.geometry
from sqlalchemy import delete, insert
from sqlmodel import Session, SQLModel, col, select
from uuid6 import uuid7

from geo.errors import GeoError
from geo.frames import to_wgs84
from grid.auditing import record_change
from grid.errors import InputError
from grid.importing.columns import Column, Record, read_code, read_date, read_phone, read_records
from grid.importing.organisations import known_areas
from grid.importing.report import ImportReport
from grid.importing.sheets import Row, Sheet
from grid.models import Account, Category, DutyRoster, Organisation
from grid.permissions import Actor
from grid.registers import gazetteer
from grid.registers.gazetteer import NamedPlace
from grid.registers.tables import Asset, EnforcementBinding

BATCH = 2000


def _degrees(limit: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"“{text[:20]}”不是数字,请写成十进制的度") from None
        if not -limit <= value <= limit:
            raise ValueError(f"{text} 不在 -{limit:g} 到 {limit:g} 之间,是不是经纬度写反了")
        return value

    return read


def _shift(text: str) -> str:
    begins, _, ends = text.replace("—", "-").replace("~", "-").partition("-")
    try:
        first, last = time.fromisoformat(begins.strip().zfill(5)), time.fromisoformat(ends.strip().zfill(5))
    except ValueError:
        raise ValueError(f"班次“{text[:20]}”请写成 08:00-16:00(跨夜写 22:00-06:00)") from None
    return f"{first:%H:%M}-{last:%H:%M}"


ASSETS = (
    Column("部件编码", "code", required=True, read=read_code),
    Column("部件名称", "name", required=True),
    Column("类别编码", "category_code", required=True, read=read_code),
    Column("经度", "lon", required=True, read=_degrees(180)),
    Column("纬度", "lat", required=True, read=_degrees(90)),
    Column("权属单位编码", "owner_code", required=True, read=read_code),
    Column("撤除日期", "removed_on", read=read_date),
)
BINDINGS = (
    Column("区域编码", "area_code", required=True, read=read_code),
    Column("单位编码", "organisation_code", required=True, read=read_code),
    Column("登录名", "login", also=("账号",)),
    Column("起始日期", "from_on", read=read_date),
    Column("截止日期", "to_on", read=read_date),
)
ROSTER = (
    Column("单位编码", "organisation_code", required=True, read=read_code),
    Column("日期", "on", required=True, read=read_date),
    Column("班次", "shift", required=True, read=_shift),
    Column("登录名", "login", also=("账号",)),
    Column("值班电话", "phone", read=read_phone),
)
PLACES = (
    Column("名称", "name", required=True),
    Column("类型", "kind", required=True),
    Column("经度", "lon", required=True, read=_degrees(180)),
    Column("纬度", "lat", required=True, read=_degrees(90)),
    Column("地址", "address"),
    Column("拼音首字母", "spoken"),
)


def import_assets(
    session: Session, sheet: Sheet, frame: str, actor: Actor | None, now: datetime
) -> ImportReport:
    """Components by code: new ones added, known ones updated; a removed one keeps its row with its date."""
    report = ImportReport("部件台账")
    records = read_records(sheet, ASSETS, report)
    _once(records, report, "code")
    _known(records, report, "category_code", _codes(session, Category.code), "类别")
    _known(records, report, "owner_code", _codes(session, Organisation.code), "单位")
    placed = _placed(records, frame, report)
    if not report.is_right:
        return report
    codes = [record["code"] for record in records]
    for start in range(0, len(codes), BATCH):
        session.execute(delete(Asset).where(col(Asset.code).in_(codes[start : start + BATCH])))
    _put(
        session,
        Asset,
        [{**r.values, "lon": lon, "lat": lat} for r, (lon, lat) in zip(records, placed, strict=True)],
    )
    return _written(session, report, "asset", sheet, len(records), "部件", actor, now)


def import_bindings(session: Session, sheet: Sheet, actor: Actor | None, now: datetime) -> ImportReport:
    """Teams bound to grids, in place of the present bindings."""
    report = ImportReport("执法绑定")
    records = read_records(sheet, BINDINGS, report)
    _known(records, report, "area_code", known_areas(session), "区域")
    _known(records, report, "organisation_code", _codes(session, Organisation.code), "单位")
    accounts = _accounts(session, records, report)
    for record in records:
        if record["from_on"] and record["to_on"] and record["to_on"] < record["from_on"]:
            report.problems.append(record.problem("to_on", "截止日期早于起始日期"))
    if not report.is_right:
        return report
    session.execute(delete(EnforcementBinding))
    plain = ("area_code", "organisation_code", "from_on", "to_on")
    _put(
        session,
        EnforcementBinding,
        [
            {"id": uuid7(), "account_id": accounts.get(r["login"]), **{name: r[name] for name in plain}}
            for r in records
        ],
    )
    return _written(session, report, "binding", sheet, len(records), "绑定", actor, now)


def import_roster(session: Session, sheet: Sheet, actor: Actor | None, now: datetime) -> ImportReport:
    """Who is on shift: the days of the table take the place of the same units' same days."""
    report = ImportReport("排班")
    records = read_records(sheet, ROSTER, report)
    _known(records, report, "organisation_code", _codes(session, Organisation.code), "单位")
    accounts = _accounts(session, records, report)
    if not report.is_right:
        return report
    for unit, on in dict.fromkeys((r["organisation_code"], r["on"]) for r in records):
        session.execute(
            delete(DutyRoster).where(col(DutyRoster.organisation_code) == unit, col(DutyRoster.on) == on)
        )
    plain = ("organisation_code", "on", "shift", "phone")
    _put(
        session,
        DutyRoster,
        [
            {"id": uuid7(), "account_id": accounts.get(r["login"]), **{name: r[name] for name in plain}}
            for r in records
        ],
    )
    return _written(session, report, "roster", sheet, len(records), "班次", actor, now)


def import_places(
    session: Session, sheet: Sheet, frame: str, actor: Actor | None, now: datetime
) -> ImportReport:
    """Names of places; the file takes the place of what a file of the same name gave before."""
    report = ImportReport("地名")
    records = read_records(sheet, PLACES, report)
    placed = _placed(records, frame, report)
    if not report.is_right:
        return report
    places = (
        NamedPlace(r["name"], r["kind"], lon, lat, r["address"], r["spoken"])
        for r, (lon, lat) in zip(records, placed, strict=True)
    )
    report.count("地名", gazetteer.replace(session, places, sheet.name, actor, now))
    report.written = True
    return report


def places_of_geojson(name: str, data: bytes) -> Sheet:
    """The features of a GeoJSON as the table of places: `name`, `kind`, `address`; of a shape a point inside it."""
    try:
        features = json.loads(data.decode("utf-8-sig"))["features"]
        rows = []
        for number, feature in enumerate(features, start=1):
            point = shapely.geometry.shape(feature["geometry"]).representative_point()
            said = feature.get("properties") or {}
            cells = {
                "名称": str(said.get("name") or said.get("名称") or ""),
                "类型": str(said.get("kind") or said.get("类型") or "地名"),
                "经度": repr(point.x),
                "纬度": repr(point.y),
                "地址": str(said.get("address") or said.get("地址") or ""),
            }
            rows.append(Row(number, cells))
    except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError) as error:
        raise InputError(
            f"{name}:不是能读懂的 GeoJSON(应有 features,各有 geometry 和 properties.name)"
        ) from error
    return Sheet(name, ("名称", "类型", "经度", "纬度", "地址"), tuple(rows))


def _codes(session: Session, column: Any) -> frozenset[str]:
    return frozenset(session.exec(select(column)).all())


def _once(records: Iterable[Record], report: ImportReport, field: str) -> None:
    first: dict[str, int] = {}
    for record in records:
        if record[field] in first:
            message = f"{record[field]} 与第 {first[record[field]]} 行重复"
            report.problems.append(record.problem(field, message))
        if record[field]:
            first.setdefault(record[field], record.row.number)


def _known(
    records: Iterable[Record], report: ImportReport, field: str, codes: Iterable[str], what: str
) -> None:
    known = set(codes)
    for record in records:
        if record[field] and record[field] not in known:
            report.problems.append(record.problem(field, f"没有编码为 {record[field]} 的{what}"))


def _accounts(session: Session, records: Iterable[Record], report: ImportReport) -> dict[str, Any]:
    known: dict[str, Any] = dict(session.exec(select(Account.login, Account.id)).all())
    for record in records:
        if record["login"] and record["login"] not in known:
            report.problems.append(record.problem("login", f"没有登录名为 {record['login']} 的账号"))
    return known


def _placed(records: Iterable[Record], frame: str, report: ImportReport) -> list[tuple[float, float]]:
    """Every position in WGS-84."""
    found = []
    for record in records:
        if not record.fields("lon", "lat"):
            continue
        try:
            found.append(to_wgs84(lon=record["lon"], lat=record["lat"], frame=frame))
        except GeoError as error:
            report.problems.append(record.problem("lon", str(error)))
            found.append((0.0, 0.0))
    return found


def _put(session: Session, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), BATCH):
        session.execute(insert(table), rows[start : start + BATCH])


def _written(
    session: Session,
    report: ImportReport,
    thing: str,
    sheet: Sheet,
    number: int,
    what: str,
    actor: Actor | None,
    now: datetime,
) -> ImportReport:
    record_change(session, actor, thing, sheet.name, "import", after={"rows": number}, now=now)
    report.count(what, number)
    report.written = True
    return report
