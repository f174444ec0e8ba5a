"""The map of a bulletin: the areas that were in force, coloured by a number. Kept as values, so that it is drawn the
same ever after; no tiles, no network."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import cos, radians
from typing import Any

import shapely
from PIL import Image, ImageDraw, ImageFont
from shapely import Point, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import or_, select
from sqlmodel import Session, col

from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import LEVELS
from grid.areas import generations
from grid.models import Area, Generation

STEPS = 5
WIDTH, MARGIN = 1000, 10
COARSE = 400  # what is smaller than so many parts of the picture is not drawn
KEY_PX = 34  # a line of the key below the picture
SIGN_PX, LINE_PX = 20, 24  # how wide and high a sign of a label is
FILLS = ("#f1f3f4", "#d6e6f2", "#9ec9e2", "#5a9ec7", "#22699e", "#0b3c66")
LINE, INK = "#3c4a52", "#10222e"


def steps(numbers: Mapping[str, int]) -> list[int]:
    """Upper bounds of up to five classes with about as many areas in each; 0 is a class of its own."""
    known = sorted(number for code, number in numbers.items() if number and code != "-")
    return (
        sorted({known[min(len(known) * n // STEPS, len(known) - 1)] for n in range(1, STEPS + 1)})
        if known
        else []
    )


def step(number: int, bounds: list[int]) -> int:
    """The class of a number."""
    if not number:
        return 0
    place = next((place for place, bound in enumerate(bounds, start=1) if number <= bound), len(bounds))
    return place + STEPS - len(bounds)


def picture(
    session: Session, period: Period, timezone: str, area: str | None, received: Mapping[tuple[str, str], int]
) -> dict[str, Any] | None:
    """The next finer areas of one area (or of the city) as they were at the period's end; None where there are none."""
    generation = _in_force(session, period.ends_at(timezone))
    if generation is None:
        return None
    level, shown = _shown(session, generation, area)
    if not shown:
        return None
    return {
        "level": level,
        **outlines(shown, {one.code: received.get((LEVELS[level], one.code), 0) for one in shown}),
    }


def _in_force(session: Session, at: datetime) -> Generation | None:
    """The borders of that instant; those of now where none are known of then."""
    begun, ended = col(Generation.active_from), col(Generation.active_to)
    then = select(Generation).where(begun < at, or_(ended.is_(None), ended >= at))
    found = session.execute(then.order_by(begun.desc()).limit(1)).scalar_one_or_none()
    return found or generations.active_generation(session)


def _shown(session: Session, generation: Generation, area: str | None) -> tuple[str, list[Area]]:
    """The coarsest level that has several areas there."""
    rows = session.execute(
        select(Area).where(col(Area.generation_id) == generation.id).order_by(col(Area.code))
    )
    areas = {row.code: row for row in rows.scalars()}

    def within(one: Area | None) -> bool:
        while one is not None:
            if one.code == area:
                return True
            one = areas.get(one.parent_code or "")
        return False

    for level in LEVELS:
        found = [one for one in areas.values() if one.level == level and (area is None or within(one))]
        if len(found) > 1:
            return level, found
    return "grid", []


@dataclass(frozen=True)
class Frame:
    """From degrees to whole numbers in a picture a thousand wide, north up."""

    west: float
    north: float
    squeeze: float
    scale: float
    width: int
    height: int
    coarse: float

    @classmethod
    def of(cls, shapes: Sequence[Any]) -> "Frame":
        west, south, east, north = shapely.total_bounds(shapes)
        squeeze = cos(radians((south + north) / 2))
        scale = WIDTH / max((east - west) * squeeze, north - south)
        width, height = round((east - west) * squeeze * scale), round((north - south) * scale)
        coarse = max(east - west, north - south) / COARSE
        return cls(west, north, squeeze, scale, max(width, 1), max(height, 1), coarse)

    def at(self, x: float, y: float) -> list[int]:
        return [round((x - self.west) * self.squeeze * self.scale), round((self.north - y) * self.scale)]

    def rings(self, shape: Any) -> list[list[list[int]]]:
        """The outlines of a shape's parts."""
        return [
            [self.at(x, y) for x, y in part.exterior.coords]
            for part in shapely.get_parts(shape)
            if part.geom_type == "Polygon"
        ]


def outlines(shown: Sequence[Area], numbers: Mapping[str, int]) -> dict[str, Any]:
    """Areas with their numbers as values: whole numbers in a picture a thousand wide, north up."""
    bounds = steps(numbers)
    drawn = [shapely.from_wkb(one.wkb) for one in shown]
    frame = Frame.of(drawn)
    # Together, so that neighbours keep one border between them: no slivers, no overlaps.
    coarse = shapely.coverage_simplify(drawn, frame.coarse)
    areas = []
    for one, shape, whole in zip(shown, coarse, drawn, strict=True):
        number, middle = numbers[one.code], widest(whole)
        rings, at = frame.rings(shape if not shape.is_empty else whole), frame.at(middle.x, middle.y)
        areas.append(
            {
                "code": one.code,
                "name": one.name,
                "number": number,
                "step": step(number, bounds),
                "rings": rings,
                "at": at,
                "label": _fitting(one.name, number, at, rings),
            }
        )
    return {"bounds": bounds, "width": frame.width, "height": frame.height, "areas": areas}


def widest(shape: BaseGeometry) -> Point:
    """Where a label has most room around it."""
    largest = max(shapely.get_parts(shape), key=lambda part: float(part.area))
    return Point(shapely.maximum_inscribed_circle(largest).coords[0])


def _fitting(name: str, number: int, at: Sequence[int], rings: Sequence[Sequence[Sequence[int]]]) -> str:
    """As much of a label as the area has room for: name and number, the number, or nothing."""
    ground = shapely.union_all([Polygon(ring).buffer(0) for ring in rings if len(ring) > 3])
    for words, lines, kind in ((name, 2, "name"), (str(number), 1, "number")):
        wide = max(len(words), len(str(number)) / 2) * SIGN_PX * (1 if lines == 2 else 0.6) / 2
        high = lines * LINE_PX / 2
        if ground.covers(shapely.box(at[0] - wide, at[1] - high, at[0] + wide, at[1] + high)):
            return kind
    return "none"


def classes(bounds: Sequence[int]) -> list[tuple[int, str]]:
    """The key of the colours: each shade in use with its numbers."""
    found, low = [(0, "0")], 1
    for place, bound in enumerate(bounds, start=1):
        found.append((place + STEPS - len(bounds), str(bound) if bound == low else f"{low}–{bound}"))
        low = bound + 1
    return found


def legend(said: Mapping[str, Any]) -> str:
    """What the colours mean, in words."""
    classes = [f"至 {bound}" for bound in said["bounds"]]
    return "颜色由浅到深:0 件" + "".join(f"、{one} 件" for one in classes) + ";图上数字为登记件数。"


def as_png(said: Mapping[str, Any]) -> bytes:
    """The map as a picture with the key of its colours; each area that has room carries its number."""
    wide, high = said["width"] + 2 * MARGIN, said["height"] + 2 * MARGIN
    image = Image.new("RGB", (wide, high + KEY_PX), "white")
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=22)
    for area in said["areas"]:
        for ring in area["rings"]:
            points = [(x + MARGIN, y + MARGIN) for x, y in ring]
            pen.polygon(points, fill=FILLS[area["step"]])
            pen.line(points, fill=LINE, width=2)
    for area in said["areas"]:
        if area.get("label") == "none":
            continue
        x, y = area["at"]
        ink = "white" if area["step"] > 3 else INK
        pen.text((x + MARGIN, y + MARGIN), str(area["number"]), fill=ink, font=font, anchor="mm")
    x = MARGIN
    for shade, words in classes(said["bounds"]):
        pen.rectangle((x, high, x + LINE_PX, high + LINE_PX), fill=FILLS[shade], outline=LINE)
        pen.text((x + LINE_PX + 8, high + LINE_PX / 2), words, fill=INK, font=font, anchor="lm")
        x += LINE_PX + 32 + round(font.getlength(words))
    kept = io.BytesIO()
    image.save(kept, "PNG")
    return kept.getvalue()
