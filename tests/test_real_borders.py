"""Real street polygons, with their real dirt, through the command; then tickets reported at real coordinates."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from sqlmodel import col, func, select

from app import create_app
from dispatch.record import actions
from dispatch.record.intake import Report
from dispatch.record.models import Source, Ticket
from geo.borders import Level
from geo.frames import from_wgs84
from grid import accounts
from grid.accounts import NewAccount, NewPost
from grid.database import Database
from grid.models import Area, Organisation
from grid.permissions import Actor
from grid.settings import Settings

NOW = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
# Landmarks whose street nobody disputes.
PLACES = {
    "天安门": (116.3975, 39.9087, "东华门街道", "110101000000"),
    "首都机场二号航站楼(飞地)": (116.5880, 40.0750, "首都机场街道", "110105000000"),
    "清华大学主楼": (116.3265, 40.0030, "清华园街道", "110108000000"),
    "什刹海": (116.3840, 39.9400, "什刹海街道", "110102000000"),
    "国贸": (116.4610, 39.9090, "建外街道", "110105000000"),
}


@pytest.fixture
def app(tables_url: str, tmp_path: Path) -> Flask:
    settings = Settings(instance_path=tmp_path, secret_key="k" * 48, database_url=tables_url)
    return create_app(settings)


@pytest.fixture
def city(app: Flask, test_data: Path, tables_url: str) -> Iterator[Database]:
    files = sorted(str(path) for path in (test_data / "beijing_core6").glob("*.geojson"))
    names = str(test_data / "codes" / "areas.csv")
    runner = app.test_cli_runner()
    assert runner.invoke(args=["grid", "seed"]).exit_code == 0
    result = runner.invoke(args=["grid", "import", *files, "--frame", "wgs84", "--names", names])
    assert result.exit_code == 0, result.output
    assert "街道乡镇 139、区县 6" in result.output
    assert "“丰台区”(110106000000)没有边界,由下级区域合成" in result.output
    assert "2 个街道乡镇都叫“八里庄街道”" in result.output
    database = Database(tables_url)
    yield database
    database.dispose()


@pytest.fixture
def worker(city: Database) -> Actor:
    with city.writing() as session:
        for code, name, kind, area in (
            ("centre", "指挥中心", "centre", None),
            ("dc", "东城环卫", "sanitation", "110101000000"),
            ("cy", "朝阳环卫", "sanitation", "110105000000"),
            ("hd", "海淀环卫", "sanitation", "110108000000"),
            ("xc", "西城环卫", "sanitation", "110102000000"),
        ):
            session.add(Organisation(code=code, name=name, kind=kind, area_code=area))
            session.flush()
        post = NewPost("grid_worker", "centre", "110101001000")
        account = accounts.create_account(session, NewAccount("wang", "王小网", (post,)), None, NOW)
    with city.reading() as session:
        return accounts.actor_of(session, account, NOW.date())


def report(app: Flask, city: Database, worker: Actor, *, lon: float, lat: float, frame: str) -> Ticket:
    given = Report(
        client_uuid=uuid4(),
        source=Source.ON_BEHALF,
        category_code="200102",
        lon=lon,
        lat=lat,
        frame=frame,
        accuracy_m=8.0,
    )
    world = app.extensions["world"]
    made = city.write(lambda session: actions.report(session, given, worker, world, NOW))
    with city.reading() as session:
        return session.get_one(Ticket, (made.intake_district, made.ticket_id))


def street_of(city: Database, ticket: Ticket) -> str | None:
    with city.reading() as session:
        return session.exec(select(Area.name).where(Area.code == ticket.street_code)).first()


def test_landmarks_fall_into_their_streets_and_go_to_their_districts_unit(
    app: Flask, city: Database, worker: Actor
) -> None:
    units = {"110101": "dc", "110102": "xc", "110105": "cy", "110108": "hd"}
    for place, (lon, lat, street, district) in PLACES.items():
        for frame in ("wgs84", "gcj02", "bd09"):
            moved = from_wgs84(lon=lon, lat=lat, frame=frame)
            ticket = report(app, city, worker, lon=moved[0], lat=moved[1], frame=frame)

            assert street_of(city, ticket) == street, (place, frame)
            assert ticket.district_code == ticket.intake_district == district
            assert ticket.main_code == units[district[:6]], (place, frame)


def test_a_position_taken_in_the_wrong_frame_lands_elsewhere(
    app: Flask, city: Database, worker: Actor
) -> None:
    lon, lat, street, _ = PLACES["什刹海"]
    offset_lon, offset_lat = from_wgs84(lon=lon, lat=lat, frame="gcj02")

    elsewhere = report(app, city, worker, lon=offset_lon, lat=offset_lat, frame="wgs84")
    assert street_of(city, elsewhere) != street


def test_every_street_is_stored_with_its_size(city: Database) -> None:
    with city.reading() as session:
        streets, km2 = session.exec(
            select(func.count(), func.sum(col(Area.area_m2) / 1e6)).where(Area.level == Level.STREET)
        ).one()

    assert streets == 139
    assert km2 == pytest.approx(
        1_377, rel=0.02
    )  # the six districts by the yearbook: 41.8+50.5+470.8+304.2+84.3+426
