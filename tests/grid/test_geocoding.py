"""A service on the net beside the gazetteer: its frame is undone, and whatever it does the own names stay."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from geo.frames import from_wgs84
from grid.errors import SettingsError
from grid.registers import geocoding
from grid.registers.geocoding import Online, OnlinePlace, online

LON, LAT = 116.4, 39.9


class Service(ThreadingHTTPServer):
    """Answers what a test puts into `answer`, after `waits_s`."""

    answer: Any = None
    status = 200
    waits_s = 0.0
    asked: list[str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/find?q={{words}}&key=k"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.asked += parse_qs(urlsplit(self.path).query)["q"]
        time.sleep(self.server.waits_s)
        body = (
            self.server.answer
            if isinstance(self.server.answer, bytes)
            else json.dumps(self.server.answer).encode()
        )
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the console."""


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service(("127.0.0.1", 0), _Handler)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def at(frame: str) -> tuple[float, float]:
    """The one place on earth as a service of this frame writes it."""
    lon, lat = from_wgs84(lon=LON, lat=LAT, frame=frame)
    return float(lon), float(lat)


def bodies() -> dict[str, Any]:
    gcj, bd = at("gcj02"), at("bd09")
    return {
        "amap": {
            "status": "1",
            "pois": [{"name": "人民医院", "address": "东街1号", "location": f"{gcj[0]},{gcj[1]}"}],
        },
        "baidu": {
            "status": 0,
            "results": [{"name": "人民医院", "address": "东街1号", "location": {"lng": bd[0], "lat": bd[1]}}],
        },
        "nominatim": [{"name": "人民医院", "display_name": "东街1号", "lon": str(LON), "lat": str(LAT)}],
        "geojson": {
            "features": [
                {
                    "geometry": {"type": "Point", "coordinates": [LON, LAT]},
                    "properties": {"name": "人民医院", "address": "东街1号"},
                }
            ]
        },
    }


@pytest.mark.parametrize("answers", list(geocoding.ANSWERS))
def test_each_known_answer_comes_back_in_wgs84(service: Service, answers: str) -> None:
    service.answer = bodies()[answers]
    (found,) = Online(geocoding._by_address(service.address, answers)).find("人民 医院&x") or []
    assert (found.name, found.address) == ("人民医院", "东街1号")
    assert (found.lon, found.lat) == pytest.approx((LON, LAT), abs=1e-6)
    assert service.asked == ["人民 医院&x"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"<html>", 200),
        ({"features": [{"geometry": None, "properties": {}}]}, 200),
        ({"features": [{"geometry": {"coordinates": [999, 1]}, "properties": {"name": "x"}}]}, 200),
        ({}, 500),
    ],
    ids=["no json", "no place", "nowhere", "broken"],
)
def test_what_is_no_answer_leaves_the_own_names_and_is_not_asked_again_at_once(
    service: Service, answer: Any, status: int
) -> None:
    service.answer, service.status = answer, status
    its = Online(geocoding._by_address(service.address, "geojson"))
    assert its.find("医院") is None
    assert its.find("医院") is None
    assert len(service.asked) == 1


def test_a_slow_service_is_not_waited_for(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geocoding, "TIMEOUT_S", 0.2)
    service.answer, service.waits_s = bodies()["geojson"], 1.5
    began = time.monotonic()
    assert Online(geocoding._by_address(service.address, "geojson")).find("医院") is None
    assert time.monotonic() - began < 1.0


def test_a_service_that_found_nothing_has_answered(service: Service) -> None:
    service.answer = {"features": []}
    assert Online(geocoding._by_address(service.address, "geojson")).find("医院") == []


def of_our_own(words: str, timeout_s: float) -> list[OnlinePlace]:
    lon, lat = at("gcj02")
    return [OnlinePlace(f"{words}({timeout_s:g})", lon, lat, "gcj02")]


def test_a_function_of_the_city_can_be_named() -> None:
    its = online(f"{__name__}:of_our_own", "geojson")
    assert its is not None
    (found,) = its.find("医院") or []
    assert found.name == "医院(2)"
    assert (found.lon, found.lat) == pytest.approx((LON, LAT), abs=1e-6)
    assert online(None, "geojson") is None


@pytest.mark.parametrize(
    ("spec", "answers"),
    [
        ("no.such.module:find", "geojson"),
        ("grid.registers", "geojson"),
        ("http://127.0.0.1/find", "geojson"),
        ("ftp://127.0.0.1/{words}", "geojson"),
        ("http://127.0.0.1/{words}", "unknown"),
    ],
)
def test_what_cannot_be_used_is_said_at_start(spec: str, answers: str) -> None:
    with pytest.raises(SettingsError, match="GRID_GEOCODER"):
        online(spec, answers)
