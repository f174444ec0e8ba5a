"""The frames that a file's coordinates may be in, as a person chooses among them; never guessed."""

from geo.zones import ZONE_OF_EPSG


def _zone(epsg: int, zone: int) -> str:
    words = "带带号" if epsg < 4534 else "不带带号"
    return f"CGCS2000 三度带 {zone} 带(中央经线 {3 * zone}°),{words},EPSG:{epsg}"


FRAMES = (
    ("wgs84", "WGS-84"),
    ("cgcs2000", "CGCS2000"),
    ("gcj02", "GCJ-02(高德、腾讯)"),
    ("bd09", "BD-09(百度)"),
    *((str(epsg), _zone(epsg, zone)) for epsg, zone in ZONE_OF_EPSG.items()),
)
GEOGRAPHIC = FRAMES[:4]
