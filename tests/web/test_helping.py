"""Help while typing: categories, open tickets alike, places, through the API with what each person may see."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask

from dispatch.record.models import Source
from grid.auditing import record_change
from grid.models import Responsibility
from grid.registers import gazetteer
from grid.registers.gazetteer import NamedPlace
from grid.registers.geocoding import Online, OnlinePlace
from grid.registers.initials import initials
from tests.town import (
    COVER,
    DRAINAGE,
    EAST,
    GARBAGE,
    IN_WEST,
    LAT,
    LON,
    PARKING,
    SCRAPS,
    WEST,
    Town,
)
from tests.web.conftest import Program

Enter = Callable[[str], Program]
HERE = {**IN_WEST, "frame": "wgs84"}


def test_a_text_suggests_its_category_before_any_ticket_is_closed(program: Enter) -> None:
    answer = program("worker").calls("POST", "/suggest/categories", {"text": "门口暴露垃圾没人清", **HERE})
    assert answer.status_code == 200, answer.text
    first = answer.json["categories"][0]
    assert first["code"] == GARBAGE
    assert first["path"] == "市容环境 › 暴露垃圾"
    assert 0 < first["confidence"] <= 1
    assert program("worker").calls("POST", "/suggest/categories", {"text": "。。!"}).json["categories"] == []


def test_an_open_ticket_nearby_is_shown_and_a_far_or_other_one_is_not(town: Town, program: Enter) -> None:
    code = town.worker.reports(GARBAGE, text="单元门口堆着垃圾").code
    town.worker.reports(PARKING)
    worker = program("worker")
    near = {**HERE, "lon": IN_WEST["lon"] + 0.0001}
    shown = worker.calls("POST", "/suggest/similar", {"category_code": GARBAGE, "text": "门口垃圾", **near})
    assert [ticket["code"] for ticket in shown.json["tickets"]] == [code]
    assert shown.json["tickets"][0]["same"] is True
    assert "同小类,相距 9 米" in shown.json["tickets"][0]["reason"]
    far = {**HERE, "lon": IN_WEST["lon"] + 0.003}
    assert worker.calls("POST", "/suggest/similar", {"category_code": GARBAGE, **far}).json["tickets"] == []
    same_class = {"category_code": SCRAPS, **near}
    assert worker.calls("POST", "/suggest/similar", same_class).json["tickets"][0]["same"] is False
    other_class = {"category_code": COVER, **near}
    assert worker.calls("POST", "/suggest/similar", other_class).json["tickets"] == []


@pytest.mark.parametrize(
    "told",
    [{"nature": "complaint"}, {"nature": "report"}, {"confidential": True, "reporter_phone": "13800000000"}],
)
def test_the_street_never_sees_complaints_or_what_was_told_in_confidence(
    town: Town, program: Enter, told: dict[str, object]
) -> None:
    town.operator.reports(GARBAGE, source=Source.HOTLINE, client_uuid=uuid4(), **told)
    asked = {"category_code": GARBAGE, **HERE}
    assert program("worker").calls("POST", "/suggest/similar", asked).json["tickets"] == []
    assert len(program("operator").calls("POST", "/suggest/similar", asked).json["tickets"]) == 1


def test_the_worker_is_asked_only_where_the_answer_matters_and_the_answer_counts(
    town: Town, program: Enter
) -> None:
    by_the_border = {"lon": LON + 0.01 - 0.00003, "lat": LAT + 0.005, "frame": "wgs84", "accuracy_m": 15.0}
    worker = program("worker")

    def asked(category: str) -> list[str]:
        body = {"category_code": category, **by_the_border}
        return [one["grid_code"] for one in worker.calls("POST", "/suggest/doubt", body).json["candidates"]]

    assert asked(GARBAGE) == []  # one unit on both sides
    with town.database.writing() as session:
        session.add(
            Responsibility(ruleset_version=1, id="e", category_code="2001", area_code=EAST, main=DRAINAGE)
        )
        record_change(session, None, "ruleset", "1", "change", now=town.now)
    worker.client.application.extensions["world"]._standing = None
    assert asked(GARBAGE) == [WEST, EAST]
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
    place = {name: by_the_border[name] for name in ("lon", "lat")}
    said = town.ticket(town.worker.reports(at=place, accuracy_m=15.0, chosen_grid=EAST).code)
    assert (said.grid_code, said.main_code, said.placed["how"]) == (EAST, DRAINAGE, "chosen")
    assert "上报人确认在井巷第二网格" in said.placed["reason"]
    silent = town.ticket(town.worker.reports(at=place, accuracy_m=15.0).code)
    assert (silent.main_code, silent.routed["runner_up"]) == ("sanitation-bureau", DRAINAGE)
    elsewhere = town.ticket(town.worker.reports(at=IN_WEST, chosen_grid=EAST).code)
    assert elsewhere.grid_code == WEST


def test_places_are_found_by_two_characters_parts_and_pinyin_initials(town: Town, program: Enter) -> None:
    places = [
        NamedPlace("井巷公园", "公园", 116.401, 39.901),
        NamedPlace("井巷路", "道路", 116.402, 39.902, address="东门街道"),
        NamedPlace("重庆饭店", "餐饮", 116.403, 39.903, spoken="cqfd"),
    ]
    town.database.write(lambda s: gazetteer.replace(s, places, "test", None, town.now))
    worker = program("worker")

    def names(words: str) -> list[str]:
        found = worker.calls("GET", f"/suggest/places?q={words}").json["places"]
        return [place["name"] for place in found]

    assert names("井巷") == ["井巷路", "井巷公园"]
    assert names("巷公") == ["井巷公园"]
    assert names("井巷路口") == ["井巷路", "井巷公园"]
    assert names("jxgy") == ["井巷公园"]
    assert names("cqfd") == ["重庆饭店"]
    assert names("东门") == ["井巷路"]
    assert names("火星") == []
    town.database.write(lambda s: gazetteer.replace(s, places[:1], "test", None, town.now))
    assert names("井巷") == ["井巷公园"]


def test_a_service_on_the_net_adds_places_and_its_silence_is_said(
    town: Town, app: Flask, program: Enter
) -> None:
    asked: list[str] = []

    def service(words: str, timeout_s: float) -> list[OnlinePlace]:
        asked.append(words)
        if words == "井巷火星":
            raise OSError("unreachable")
        return [OnlinePlace("井巷医院", LON, LAT, "wgs84")]

    park = [NamedPlace("井巷公园", "公园", 116.401, 39.901)]
    town.database.write(lambda s: gazetteer.replace(s, park, "test", None, town.now))
    app.extensions["geocoder"] = Online(service)
    worker = program("worker")

    def found(words: str) -> tuple[list[str], str | None]:
        said = worker.calls("GET", f"/suggest/places?q={words}").json
        return [place["name"] for place in said["places"]], said["note"]

    assert found("井巷") == (["井巷公园", "井巷医院"], None)
    assert found("井巷公园") == (["井巷公园"], None)
    names, note = found("井巷火星")
    assert names == ["井巷公园"]
    assert "没有应答" in (note or "")
    assert asked == ["井巷", "井巷火星"], "what the city knows by its very name is not asked elsewhere"


def test_initials_of_common_characters() -> None:
    assert initials("中关村南大街5号A座") == "zgcndj5haz"
    assert initials("安波擦大额发干哈及卡拉吗那哦怕期然萨他挖西压咋") == "abcdefghjklmnopqrstwxyz"
