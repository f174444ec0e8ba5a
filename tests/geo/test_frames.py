"""Frames against the field manual's vectors and two independent implementations."""

import geocoordinates_ffi
import numpy as np
import prcoords
import pytest
import shapely

from geo.errors import BadPoint, UnknownFrame
from geo.frames import (
    Frame,
    decode_geometry,
    encode_geometry,
    from_wgs84,
    from_wgs84_array,
    to_wgs84,
    to_wgs84_array,
)
from geo.metres import metres_per_degree
from geo.outline import INSIDE, OUTLINE, in_china, in_china_array

VECTORS = {
    "北京": ((116.397500, 39.908700), (116.403744, 39.910103), (116.410117, 39.916443)),
    "上海": ((121.473700, 31.230400), (121.478223, 31.228458), (121.484781, 31.234311)),
    "重庆": ((106.551600, 29.563000), (106.555318, 29.560151), (106.561748, 29.566466)),
    "三亚": ((109.512000, 18.252800), (109.516084, 18.251094), (109.522631, 18.256878)),
    "崖州": ((109.172000, 18.353000), (109.176082, 18.351392), (109.182556, 18.357493)),
}
SHIFTED = (Frame.GCJ02, Frame.BD09)


@pytest.fixture(scope="module")
def points() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(73, 136, 60_000), rng.uniform(4, 54, 60_000)
    inside = in_china_array(lon=lon, lat=lat)
    return lon[inside], lat[inside]


@pytest.mark.parametrize("place", VECTORS)
def test_known_vectors(place: str) -> None:
    wgs, gcj, bd = VECTORS[place]
    assert from_wgs84(lon=wgs[0], lat=wgs[1], frame="gcj02") == pytest.approx(gcj, abs=1e-6)
    assert from_wgs84(lon=wgs[0], lat=wgs[1], frame="bd09") == pytest.approx(bd, abs=1e-6)
    assert to_wgs84(lon=gcj[0], lat=gcj[1], frame=Frame.GCJ02) == pytest.approx(wgs, abs=2e-6)


@pytest.mark.parametrize("frame", SHIFTED)
def test_round_trip_is_below_a_micrometre(frame: Frame, points: tuple[np.ndarray, np.ndarray]) -> None:
    lon, lat = points
    assert len(lon) > 15_000
    x, y = to_wgs84_array(
        **dict(zip(("lon", "lat"), from_wgs84_array(lon=lon, lat=lat, frame=frame), strict=True)), frame=frame
    )
    scale = [metres_per_degree(lat=v) for v in (0.0, 53.0)]
    metres = np.hypot((x - lon) * scale[0][0], (y - lat) * scale[1][1])
    assert metres.max() < 1e-6


@pytest.mark.parametrize("frame", SHIFTED)
def test_scalar_and_array_agree(frame: Frame, points: tuple[np.ndarray, np.ndarray]) -> None:
    lon, lat = points[0][:500], points[1][:500]
    there = from_wgs84_array(lon=lon, lat=lat, frame=frame)
    back = to_wgs84_array(lon=lon, lat=lat, frame=frame)
    for i in range(500):
        assert from_wgs84(lon=lon[i], lat=lat[i], frame=frame) == pytest.approx(
            (there[0][i], there[1][i]), abs=1e-12
        )
        assert to_wgs84(lon=lon[i], lat=lat[i], frame=frame) == pytest.approx(
            (back[0][i], back[1][i]), abs=1e-12
        )


def test_agrees_with_prcoords(points: tuple[np.ndarray, np.ndarray]) -> None:
    for lon, lat in zip(points[0][:300], points[1][:300], strict=True):
        there = prcoords.wgs_gcj(prcoords.Coords(lat, lon))
        assert from_wgs84(lon=lon, lat=lat, frame="gcj02") == pytest.approx((there.lon, there.lat), abs=1e-9)
        baidu = prcoords.wgs_bd(prcoords.Coords(lat, lon))
        assert from_wgs84(lon=lon, lat=lat, frame="bd09") == pytest.approx((baidu.lon, baidu.lat), abs=1e-6)


def test_agrees_with_geocoordinates_rs(points: tuple[np.ndarray, np.ndarray]) -> None:
    rust = geocoordinates_ffi
    for lon, lat in zip(points[0][:300], points[1][:300], strict=True):
        gcj = rust.wgs84_to_gcj02(rust.Wgs84(lat=lat, lon=lon))
        assert from_wgs84(lon=lon, lat=lat, frame="gcj02") == pytest.approx((gcj.lon, gcj.lat), abs=1e-9)
        bd = rust.wgs84_to_bd09(rust.Wgs84(lat=lat, lon=lon))
        assert from_wgs84(lon=lon, lat=lat, frame="bd09") == pytest.approx((bd.lon, bd.lat), abs=1e-6)


@pytest.mark.parametrize(
    ("place", "lon", "lat"),
    [("大阪", 135.5, 34.7), ("首尔", 126.98, 37.57), ("河内", 105.85, 21.03), ("乌兰巴托", 106.9, 47.9),
     ("那霸", 127.68, 26.2), ("平壤", 125.75, 39.03), ("加德满都", 85.3, 27.7), ("马尼拉", 120.98, 14.6),
     ("符拉迪沃斯托克", 131.9, 43.1), ("曼德勒", 96.08, 21.97), ("伦敦", -0.1, 51.5)],
)  # fmt: skip
def test_identity_abroad(place: str, lon: float, lat: float) -> None:
    assert to_wgs84(lon=lon, lat=lat, frame="gcj02") == (lon, lat)
    assert from_wgs84(lon=lon, lat=lat, frame="bd09") == (lon, lat)


@pytest.mark.parametrize(
    ("place", "lon", "lat"),
    [("黑河", 127.5, 50.25), ("瑞丽", 97.85, 24.0), ("丹东", 124.39, 40.13), ("喀什", 75.99, 39.47),
     ("河口", 103.96, 22.52), ("三亚", 109.5, 18.25), ("嵊泗", 122.45, 30.73), ("抚远", 134.3, 48.36),
     ("漠河", 122.5, 53.5), ("亚东", 88.9, 27.48), ("樟木", 85.98, 27.99), ("三沙", 112.33, 16.83),
     ("霍尔果斯", 80.4, 44.2), ("台北", 121.56, 25.04), ("成山头", 122.7, 37.4), ("磨憨", 101.69, 21.18)],
)  # fmt: skip
def test_border_towns_are_shifted(place: str, lon: float, lat: float) -> None:
    assert in_china(lon=lon, lat=lat)
    assert from_wgs84(lon=lon, lat=lat, frame="gcj02") != (lon, lat)


def test_shortcut_rectangles_lie_inside_the_outline() -> None:
    outline = shapely.Polygon(OUTLINE)
    assert outline.is_valid
    assert all(outline.covers(shapely.box(*box)) for box in INSIDE)


@pytest.mark.parametrize("frame", ["wgs84", "cgcs2000"])
def test_plain_frames_are_left_alone(frame: str) -> None:
    assert to_wgs84(lon=109.5, lat=18.25, frame=frame) == (109.5, 18.25)


def test_bad_input_is_named() -> None:
    with pytest.raises(UnknownFrame, match="mars"):
        to_wgs84(lon=1, lat=1, frame="mars")
    for lon, lat in ((float("nan"), 1.0), (181.0, 1.0), (1.0, float("inf")), ("x", 1.0)):
        with pytest.raises(BadPoint):
            to_wgs84(lon=lon, lat=lat, frame="wgs84")  # type: ignore[arg-type]
    with pytest.raises(BadPoint, match="写反"):
        to_wgs84(lon=39.9, lat=116.4, frame="wgs84")
    x, _ = to_wgs84_array(lon=[116.4, 999.0], lat=[39.9, 39.9], frame="gcj02")
    assert np.isnan(x).tolist() == [False, True]


def test_borders_can_be_compared_in_gcj02_without_inverting() -> None:
    area = shapely.box(116.39, 39.90, 116.40, 39.91)
    encoded = encode_geometry(area, frame="gcj02")
    inside = from_wgs84(lon=116.395, lat=39.905, frame="gcj02")
    assert encoded.covers(shapely.Point(inside))
    assert shapely.equals_exact(decode_geometry(encoded, frame="gcj02"), area, tolerance=1e-12)
