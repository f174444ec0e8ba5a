"""The filters of a queue: they live in the address, so that a link, a saved view and the page after say the same."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from flask import request
from pydantic import Field, StringConstraints

from dispatch.record.models import Source
from dispatch.record.reading.filtering import Wanted
from dispatch.record.world import Standing
from grid.errors import InputError
from grid.permissions import Actor
from web.forms import Code, Empty, Short, Strict, TicketsQuery, check

LEVELS, MOST_AREAS = ("district", "street", "community", "grid"), 400
MINE, NOBODYS = "me", "nobody"
COLUMNS: dict[str, str] = {
    "place": "地点",
    "source": "来源",
    "reported": "上报时间",
    "code": "编号",
    "unit": "承办单位",
    "holder": "经办人",
    "nature": "性质",
    "text": "内容",
    "urged": "催办",
    "upper": "上级编号",
}
USUAL = ("place", "source", "reported", "code")
Metres = Annotated[float, Field(gt=0, le=50_000, allow_inf_nan=False)]


def areas_to_filter(standing: Standing) -> list[tuple[str, str]]:
    """The areas to choose from, the widest first, level by level while a list of them can still be read through."""
    found: list[tuple[str, str]] = []
    for level in LEVELS:
        more = [(code, area.name) for code, area in standing.areas.items() if area.level == level]
        if len(found) + len(more) > MOST_AREAS:
            break
        found += more
    return found


class QueueQuery(Strict):
    """Everything that a queue's address may say."""

    tab: Annotated[Short | None, Empty] = None
    q: Annotated[Short | None, Empty] = None
    category: Annotated[Code | None, Empty] = None
    area: Annotated[Code | None, Empty] = None
    source: Annotated[Source | None, Empty] = None
    holder: Annotated[Short | None, Empty] = None
    overdue: Annotated[bool | None, Empty] = None
    from_on: Annotated[date | None, Empty] = None
    to_on: Annotated[date | None, Empty] = None
    near: Annotated[Annotated[str, StringConstraints(max_length=60)] | None, Empty] = None
    within: Annotated[Metres | None, Empty] = None
    columns: tuple[str, ...] = ()
    after: Annotated[Annotated[str, StringConstraints(max_length=100)] | None, Empty] = None

    def wanted(self, actor: Actor) -> Wanted:
        """The filters as the record understands them."""
        lon, lat = self._point()
        return Wanted(
            words=self.q,
            category_code=self.category,
            area_code=self.area,
            source=self.source,
            holder_id=actor.account_id if self.holder == MINE else self._holder(),
            unheld=self.holder == NOBODYS,
            overdue=bool(self.overdue),
            from_on=self.from_on,
            to_on=self.to_on,
            near_lon=lon,
            near_lat=lat,
            within_m=self.within or (500.0 if lon is not None else None),
        )

    def address(self, **changed: Any) -> dict[str, Any]:
        """What goes into the address of a neighbouring page; what is empty stays out of it."""
        values = {**self.model_dump(mode="json", exclude={"after"}), **changed}
        return {name: value for name, value in values.items() if value not in (None, "", [], (), False)}

    @property
    def shown_columns(self) -> list[str]:
        """The columns chosen, else the usual ones."""
        return [name for name in self.columns if name in COLUMNS] or list(USUAL)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything beside the tab is chosen."""
        return bool(set(self.address(tab=None, columns=None)))

    def after_key(self) -> Any:
        return check(TicketsQuery, {"after": self.after}).after_key()

    def _holder(self) -> UUID | None:
        if self.holder in (None, MINE, NOBODYS):
            return None
        try:
            return UUID(self.holder)
        except ValueError:
            raise InputError("经办人有误,请重新选择", {"holder": "请重新选择"}) from None

    def _point(self) -> tuple[float | None, float | None]:
        if not self.near:
            return None, None
        parts = self.near.replace(",", ",").split(",")
        try:
            lon, lat = (float(part) for part in parts)
        except ValueError:
            lon = lat = 999.0
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise InputError("位置写成“经度,纬度”,例如 116.4,39.9", {"near": "写成“经度,纬度”"})
        return lon, lat


def read_query(values: Mapping[str, Any] | None = None) -> QueueQuery:
    """The query of this request's address; names that no filter has are left alone."""
    given = request.args if values is None else values
    found: dict[str, Any] = {
        name: given[name] for name in QueueQuery.model_fields if name != "columns" and name in given
    }
    columns = given.getlist("columns") if hasattr(given, "getlist") else given.get("columns", ())
    return check(QueueQuery, {**found, "columns": tuple(columns)})
