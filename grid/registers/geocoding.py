"""Places asked of a service on the net, where the city has one: any service by its own function, common ones by a row.

The answer says its frame and comes back in WGS-84. Whatever goes wrong there, the gazetteer's own answer stands.
"""

import importlib
import json
import logging
import math
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from geo.errors import GeoError
from geo.frames import Frame, to_wgs84
from grid.errors import SettingsError
from grid.registers.gazetteer import FoundPlace

log = logging.getLogger(__name__)

TIMEOUT_S = 2.0
RESTS_S = 30.0  # after a failure nobody waits for the service again so soon
MOST = 5
MOST_BYTES = 1_000_000
LONGEST_NAME = 80
FIT = 0.5


class OnlinePlace(NamedTuple):
    """What a service found, in the frame that it answers in."""

    name: str
    lon: float
    lat: float
    frame: str
    address: str | None = None


Geocoder = Callable[[str, float], Iterable[OnlinePlace]]


@dataclass(frozen=True)
class Answers:
    """How a service answers: where its list is, what its fields are called, and its frame; dots lead inwards."""

    frame: Frame
    places: str
    name: str
    address: str
    lon: str
    lat: str


# The fields as the services' own manuals give them. `amap`: one field "lon,lat"; GeoJSON: a list of two.
ANSWERS = {
    "amap": Answers(Frame.GCJ02, "pois", "name", "address", "location.0", "location.1"),
    "baidu": Answers(Frame.BD09, "results", "name", "address", "location.lng", "location.lat"),
    "nominatim": Answers(Frame.WGS84, "", "name", "display_name", "lon", "lat"),
    "geojson": Answers(
        Frame.WGS84,
        "features",
        "properties.name",
        "properties.address",
        "geometry.coordinates.0",
        "geometry.coordinates.1",
    ),
}


class Online:
    """The service of this deployment; safe for threads."""

    def __init__(self, ask: Geocoder) -> None:
        self._ask = ask
        self._rests_until_s = 0.0
        self._lock = threading.Lock()

    def find(self, words: str) -> list[FoundPlace] | None:
        """What the service says, in WGS-84; None when it did not answer in time or not sensibly."""
        with self._lock:
            if time.monotonic() < self._rests_until_s:
                return None
        try:
            return [_placed(one) for one in list(self._ask(words, TIMEOUT_S))[:MOST]]
        except Exception as error:  # whatever a foreign service does, an address search goes on
            log.warning("geocoder failed: %s", type(error).__name__)
            with self._lock:
                self._rests_until_s = time.monotonic() + RESTS_S
            return None


@lru_cache(maxsize=4)
def online(spec: str | None, answers: str) -> Online | None:
    """The service that the settings name, None without one.

    `spec` is an address with `{words}` in it, read as `answers` says, or `package.module:function`, called with the
    words and the seconds that it may take.

    Raises
    ------
    SettingsError
        It names nothing that can be used.
    """
    if not spec:
        return None
    if "://" in spec:
        return Online(_by_address(spec, answers))
    module, colon, name = spec.partition(":")
    try:
        found = getattr(importlib.import_module(module), name) if colon else None
    except (ImportError, AttributeError):
        found = None
    if not callable(found):
        raise SettingsError(f"GRID_GEOCODER:{spec} 不是可用的函数,请写成 包.模块:函数,或带 {{words}} 的网址")
    return Online(found)


def _by_address(template: str, answers: str) -> Geocoder:
    if not template.startswith(("http://", "https://")) or "{words}" not in template:
        raise SettingsError("GRID_GEOCODER:网址须以 http(s):// 开头并含 {words}")
    reads = ANSWERS.get(answers)
    if reads is None:
        raise SettingsError(f"GRID_GEOCODER_ANSWERS:没有“{answers}”,可用的有:{'、'.join(ANSWERS)}")

    def ask(words: str, timeout_s: float) -> list[OnlinePlace]:
        url = template.replace("{words}", urllib.parse.quote(words, safe=""))
        request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 -- http(s), checked above
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            body = json.loads(answer.read(MOST_BYTES))
        return [_read(one, reads) for one in (_inward(body, reads.places) or [])[:MOST]]

    return ask


def _read(one: Any, reads: Answers) -> OnlinePlace:
    address = _inward(one, reads.address)
    return OnlinePlace(
        str(_inward(one, reads.name) or address or ""),
        float(_inward(one, reads.lon)),
        float(_inward(one, reads.lat)),
        reads.frame,
        str(address) if address and isinstance(address, str) else None,
    )


def _inward(value: Any, path: str) -> Any:
    """`location.lng`, `geometry.coordinates.0`; a text like `116.4,39.9` counts as a list."""
    for step in path.split(".") if path else ():
        if step.isdigit():
            parts = value.split(",") if isinstance(value, str) else value
            value = parts[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _placed(one: OnlinePlace) -> FoundPlace:
    """In WGS-84, or an error: a place that is nowhere is no answer."""
    if not (math.isfinite(one.lon) and math.isfinite(one.lat) and abs(one.lon) <= 180 and abs(one.lat) <= 90):
        raise GeoError("the position is no place on earth")
    lon, lat = to_wgs84(lon=one.lon, lat=one.lat, frame=one.frame)
    name, address = one.name[:LONGEST_NAME], (one.address or "")[:LONGEST_NAME] or None
    return FoundPlace(name, "网上地名", float(lon), float(lat), address, FIT)
