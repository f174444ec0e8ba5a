"""Tables as they come: CSV in the encodings that people send, XLSX, and archives that only pretend."""

import io
import zipfile
from collections.abc import Callable
from datetime import date

import pytest
import xlsxwriter

from grid.errors import InputError
from grid.importing import sheets
from grid.importing.sheets import parse_sheet

TEXT = "单位编码,单位名称\nA1,环卫局\n,\nA2,“东城”公司\n"


def workbook(rows: list[list[object]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        dates = book.add_format({"num_format": "yyyy-mm-dd"})
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(r, c, value, dates)  # type: ignore[arg-type]
                else:
                    sheet.write(r, c, value)
    return out.getvalue()


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_csv_is_read_in_every_encoding_that_people_send(encoding: str) -> None:
    sheet = parse_sheet("单位.csv", TEXT.encode(encoding))

    assert sheet.headings == ("单位编码", "单位名称")
    assert [(row.number, row.get("单位名称")) for row in sheet] == [(2, "环卫局"), (4, "“东城”公司")]


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_other_delimiters_are_recognised(delimiter: str) -> None:
    sheet = parse_sheet("a.csv", TEXT.replace(",", delimiter).encode())

    assert sheet.rows[0].get("单位编码") == "A1"


def test_a_workbook_gives_the_text_that_a_person_sees() -> None:
    data = workbook(
        [["编码", "日期", "数", "是否"], [110101001001, date(2026, 1, 2), 2.5, True], ["00123", "", "", ""]]
    )

    rows = parse_sheet("表.xlsx", data).rows

    assert rows[0].cells == {"编码": "110101001001", "日期": "2026-01-02", "数": "2.5", "是否": "1"}
    assert rows[1].get("编码") == "00123"
    assert rows[1].get("日期") is None


def bomb() -> bytes:
    body = b"<row><c><v>1</v></c></row>" * 1_500_000
    return archive({"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": body})


def dense() -> bytes:
    return archive({"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": b" " * 15_000_000})


def crowd() -> bytes:
    return archive({"xl/workbook.xml": b"x"} | {f"xl/{n}.xml": b"x" for n in range(300)})


def twins() -> bytes:
    data = archive({"xl/workbook.xml": b"x", "xl/workbook.xmk": b"y"}, zipfile.ZIP_STORED)
    return data.replace(b"xl/workbook.xmk", b"xl/workbook.xml")


def encrypted() -> bytes:
    data = bytearray(archive({"xl/workbook.xml": b"x"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (bomb, "展开后超过 20 MB"),
        (dense, "压缩比超过 100"),
        (crowd, "部件,超过 200"),
        (twins, "部件重名"),
        (encrypted, "已加密"),
        (lambda: archive({"word/document.xml": b"x"}), "不是 Excel 工作簿"),
        (lambda: archive({"xl/workbook.xml": b"<not closed"}), "不是可用的 Excel 工作簿"),
        (lambda: workbook([["a"]])[:-300], "结构有误"),
        (lambda: b"\xd0\xcf\x11\xe0" + b"\0" * 600, "旧式 .xls"),
        (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "不是 CSV 或 XLSX"),
        (lambda: b"", "空的"),
        (lambda: ("甲,甲\n1,2\n").encode(), "列名重复:甲"),
        (lambda: ("甲,乙\n" + "字" * 3000).encode(), "第 2 行"),
        (lambda: b"<html><body>hello</body></html>", "内容却不是表格"),
        (lambda: b"a,b\n" + b"1,2\n" * 60_000, "超过 50000 行"),
        (lambda: b"x" * (21 * 1024 * 1024), "超过 20 MB"),
    ],
    ids=[
        "big",
        "dense",
        "crowd",
        "twins",
        "encrypted",
        "docx",
        "damaged",
        "cut",
        "xls",
        "png",
        "empty",
        "doubled heading",
        "long cell",
        "renamed",
        "many rows",
        "large",
    ],
)
def test_what_only_pretends_is_refused(make: Callable[[], bytes], complaint: str) -> None:
    data = make()

    with pytest.raises(InputError, match=complaint) as refused:
        parse_sheet("表.xlsx", data)

    assert "表.xlsx" in refused.value.message


def test_a_workbook_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "WORKBOOK_SECONDS", 0.001)

    with pytest.raises(InputError, match="没有读完"):
        parse_sheet("表.xlsx", workbook([["甲"], ["乙"]]))
