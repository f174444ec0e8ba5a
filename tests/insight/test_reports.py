"""Reports that write themselves: the same month twice is the same file; tables of one's own; exports that hide people."""

import io
import zipfile
from datetime import date

import pytest
from shapely import Polygon, box, union_all
from sqlmodel import col, select

from dispatch.insight.metrics.formulas import BY_KEY
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.reports import building, bulletins, documents, drawing, exporting, monthly
from dispatch.insight.reports.models import Bulletin
from dispatch.insight.reports.sheets import Sheet, as_csv, as_xlsx, defused
from dispatch.insight.rollups import keeping as sums
from dispatch.insight.schemes import keeping
from dispatch.record.models import Reporter, Ticket
from grid.errors import InputError
from grid.models import Area
from tests.insight.twenty import Twenty
from tests.town import SANITATION, STREET, Town
from tests.walking import calls

MARCH = Period.month(2026, 3)


@pytest.mark.acceptance("B6")
def test_the_same_month_twice_is_the_same_file_byte_for_byte(town: Town) -> None:
    Twenty(town).play()
    folder = town.world.settings.instance_path
    with town.database.writing() as session:
        first = bulletins.make(session, town.world, "city", MARCH, town.now)
        word, book = documents.as_docx(first.content, folder), documents.workbook(first.content)
        checksum = first.checksum
    town.later(days=30).worker.reports()
    with town.database.writing() as session:
        again = bulletins.make(session, town.world, "city", MARCH, town.now)
        assert (again.id, again.checksum) == (first.id, checksum)
        assert documents.as_docx(again.content, folder) == word
        assert documents.workbook(again.content) == book
        assert len(bulletins.listed(session, None)) == 1
    with zipfile.ZipFile(io.BytesIO(word)) as parts:
        text = parts.read("word/document.xml").decode()
        assert any(name.endswith(".png") for name in parts.namelist())
    for said in (
        "剔除口径",
        "缓办(批准挂账)",
        "closing v1",
        "未接通、未评价",
        "登记诉求和上报 19 件",
        "不排名",
    ):
        assert said in text, said
    assert "{{" not in text


def test_a_bulletin_of_a_street_and_of_an_organisation_count_their_own(town: Town) -> None:
    Twenty(town).play()
    with town.database.writing() as session:
        street = bulletins.make(session, town.world, f"area:{STREET}", MARCH, town.now)
        unit = bulletins.make(session, town.world, f"organisation:{SANITATION}", MARCH, town.now)
    assert "登记诉求和上报 19 件" in street.content["summary"]
    assert [row["code"] for row in unit.content["tables"][2]["rows"]] == [SANITATION]


@pytest.mark.acceptance("B6")
def test_more_often_than_monthly_is_off_until_somebody_turns_it_on(town: Town) -> None:
    town.worker.reports()
    town.later(days=40)
    week = Period(date(2026, 3, 2), date(2026, 3, 8))
    with town.database.writing() as session:
        with pytest.raises(InputError, match="按月出"):
            bulletins.make(session, town.world, "city", week, town.now)
        with pytest.raises(InputError, match="还没有结束"):
            bulletins.make(session, town.world, "city", Period.month(2026, 4), town.now)
        keeping.turn(session, keeping.WEEKLY, True, town.supervisor.actor, town.world, town.now)
        assert bulletins.make(session, town.world, "city", week, town.now).from_on == week.from_on
        assert keeping.who_turned_on(session, keeping.WEEKLY) == ("督查员", town.now)


def test_an_office_may_edit_the_template(town: Town) -> None:
    folder = town.world.settings.instance_path
    (folder / "bulletin.docx").write_bytes(documents.SHIPPED.read_bytes())
    town.later(days=40)
    with town.database.reading() as session:
        town.world.refresh(session)
        said = bulletins.content(session, town.world, "city", MARCH)
    assert documents.as_docx(said, folder)[:2] == b"PK"
    (folder / "bulletin.docx").unlink()


@pytest.mark.acceptance("D2")
def test_two_dimensions_and_three_metrics_make_a_table(town: Town) -> None:
    Twenty(town).play()
    sums.catch_up(town.database, town.world.settings.zone, town.now)
    metrics = building.chosen(["received", "handling", "satisfying"], "grid", "source")
    with town.database.writing() as session:
        found = building.made(session, Slice(MARCH), "grid", "source", metrics)
        asked = building.Question("grid", "source", 90)
        row = building.keep(
            session, "网格×来源", asked, metrics, town.supervisor.actor, town.now, shared=True
        )
        assert row in building.saved(session, town.department.actor), "shared"
    cells = {
        (grid, source): counts["received"] for grid, row in found.items() for source, counts in row.items()
    }
    assert sum(cells.values()) == 19
    assert {source for _, source in cells} == {"hotline", "patrol"}
    assert not {"worker", "account", "person"} & set(BY_KEY)
    for keys, by, other in (([], "grid", None), (["invented"], "grid", None), (["received"], "grid", "grid")):
        with pytest.raises(InputError):
            building.chosen(keys, by, other)


def test_more_columns_than_a_page_holds_are_refused_not_left_out(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source in ("worker", "neighbour"):
        town.people[source].reports()
    calls(town)
    sums.catch_up(town.database, town.world.settings.zone, town.now)
    monkeypatch.setattr(building, "MOST_COLUMNS", 1)
    with town.database.reading() as session, pytest.raises(InputError, match="一页最多 1 个"):
        building.made(
            session, Slice(MARCH), "grid", "source", building.chosen(["received"], "grid", "source")
        )


def test_formulas_are_defused_in_every_kind_of_file() -> None:
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "|calc", "%x"]
    assert all(str(defused(text)).startswith("'") for text in evil)
    assert defused(-5) == -5
    assert defused("井盖") == "井盖"
    sheet = Sheet("表", ["甲"], [[text] for text in evil])
    assert "'=1+1" in as_csv(sheet).decode("utf-8-sig")
    with zipfile.ZipFile(io.BytesIO(as_xlsx([sheet]))) as parts:
        assert "<f>" not in parts.read("xl/worksheets/sheet1.xml").decode()


def test_an_export_hides_who_reported_unless_there_is_a_reason(town: Town) -> None:
    calls(town, reporter_name="=cmd()赵", reporter_phone="13800009999")
    secret = calls(town, confidential=True)
    where = [col(Ticket.workflow) == "ticket"]
    zone = town.world.settings.zone
    masked = "".join(exporting.lines(town.database, where, {}, zone, sources={}))
    assert "13800009999" not in masked
    assert "138****9999" in masked
    whole = "".join(exporting.lines(town.database, where, {}, zone, sources={}, unmasked=True))
    assert "13800009999" in whole
    assert "'=cmd()赵" in whole
    hidden = next(line for line in whole.splitlines() if secret in line)
    assert hidden.endswith("保密,保密")
    with town.database.reading() as session:
        assert len(session.exec(select(Reporter)).all()) == 2


def test_a_drawn_map_has_no_slivers_and_labels_stay_inside_their_areas() -> None:
    """Two neighbours along a border of many small teeth, and a narrow strip that has room for no name."""
    teeth = [(0.5 + (0.0001 if n % 2 else -0.0001) * (n % 5), n / 200) for n in range(201)]
    shapes = {
        "a": Polygon([(0, 1), (0, 0), *teeth]),
        "b": Polygon([*teeth, (0.98, 1), (0.98, 0)]),
        "c": box(0.98, 0, 1, 1),
    }
    areas = [
        Area(generation_id=1, code=code, name="很长的社区名", level="grid", wkb=shape.wkb)
        for code, shape in shapes.items()
    ]
    said = drawing.outlines(areas, {"a": 7, "b": 3, "c": 1})
    drawn = [Polygon(area["rings"][0]) for area in said["areas"]]
    assert sum(len(area["rings"][0]) for area in said["areas"]) < 200, "made coarse"
    assert union_all(drawn).area == sum(one.area for one in drawn) == said["width"] * said["height"]
    assert [area["label"] for area in said["areas"]] == ["name", "name", "none"]
    assert drawing.classes([1, 3, 7]) == [(0, "0"), (3, "1"), (4, "2–3"), (5, "4–7")]


def test_when_a_month_is_over_its_bulletins_are_made_once(town: Town) -> None:
    Twenty(town).play()
    april = town.now.replace(month=4, day=2)
    assert monthly.last_month(april, town.world) == MARCH
    made = monthly.make_due(town.database, town.world, april)
    assert made == len(monthly.subjects(town.world)) > 3
    assert monthly.make_due(town.database, town.world, april) == 0
    with town.database.writing() as session:
        kept = {row.about: row for row in session.exec(select(Bulletin))}
        assert {row.id for row in bulletins.listed(session, None)} == {row.id for row in kept.values()}
        for about in ("city", f"area:{STREET}", f"organisation:{SANITATION}"):
            checksum = kept[about].checksum
            again = bulletins.make(session, town.world, about, MARCH, april)
            assert (again.id, again.checksum) == (kept[about].id, checksum), about
    said = kept["city"].content["map"]
    assert sum(area["number"] for area in said["areas"]) == 19
    assert drawing.as_png(said) == drawing.as_png(said)
