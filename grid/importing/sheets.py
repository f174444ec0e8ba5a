"""Tables from CSV and XLSX: bounded before they are opened, read into rows of text with Chinese headings.

A workbook is unpacked in a process of its own with limits on time and memory, after its directory was looked at.
"""

import csv
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grid.errors import InputError

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 20 * 1024 * 1024
MAX_RATIO = 100
MAX_MEMBERS = 200
MAX_ROWS = 50_000
MAX_CELL = 2_000
WORKBOOK_SECONDS = 10
DELIMITERS = ",\t;"
WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls"})


@dataclass(frozen=True)
class Row:
    """One row: its number as the person sees it, its cells by heading, and what stands beyond the last heading."""

    number: int
    cells: Mapping[str, str]
    beyond: str = ""

    def get(self, heading: str) -> str | None:
        """The cell, None when empty or absent."""
        return self.cells.get(heading) or None


@dataclass(frozen=True)
class Sheet:
    """A table: its file's name, headings and rows; `meant` says which of its headings stands for which of ours."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    meant: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def read_sheet(path: Path) -> Sheet:
    """Read a table from a file."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{path.name}:文件超过 {MAX_FILE_BYTES // 2**20} MB,请分成几份")
        return parse_sheet(path.name, path.read_bytes())
    except OSError as error:
        raise InputError(f"{path.name}:读不了这个文件({error.strerror}),请检查路径") from error


def parse_sheet(name: str, data: bytes) -> Sheet:
    """A table from the bytes of an upload; the content decides what it is, not the name.

    Raises
    ------
    InputError
        It is neither CSV nor XLSX, too big, or has no heading.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"{name}:文件超过 {MAX_FILE_BYTES // 2**20} MB,请分成几份")
    if data[:4] == b"PK\x03\x04":
        table = _workbook_rows(name, data)
    elif data[:4] == b"\xd0\xcf\x11\xe0":
        raise InputError(f"{name}:是旧式 .xls 或加密的文件,请另存为 .xlsx 或 CSV")
    else:
        text = _decoded(name, data)
        first = text.strip().partition("\n")[0]
        if Path(name).suffix.lower() in WORKBOOKS and first and not any(sign in first for sign in DELIMITERS):
            raise InputError(f"{name}:名为 Excel 文件,内容却不是表格,请用 Excel 重新另存为 .xlsx,或改用 CSV")
        table = _csv_rows(name, text)
    return _sheet(name, table)


def _sheet(name: str, table: list[list[str]]) -> Sheet:
    start = next((n for n, cells in enumerate(table) if any(cells)), None)
    if start is None:
        raise InputError(f"{name}:表是空的")
    headings = tuple(cell.strip().lstrip("\ufeff") for cell in table[start])
    named = [heading for heading in headings if heading]
    if doubled := sorted({heading for heading in named if named.count(heading) > 1}):
        raise InputError(f"{name}:列名重复:{'、'.join(doubled)},请只留一列")
    if len(table) - start - 1 > MAX_ROWS:
        raise InputError(f"{name}:超过 {MAX_ROWS} 行,请分成几份")
    rows = []
    for number, cells in enumerate(table[start + 1 :], start=start + 2):
        if any(cell.strip() for cell in cells):
            if long := next((cell for cell in cells if len(cell) > MAX_CELL), None):
                raise InputError(f"{name} 第 {number} 行:有一格超过 {MAX_CELL} 字({long[:10]}…),请检查")
            texts = [" ".join(cell.split()) for cell in cells]
            beyond = next((text for text in texts[len(headings) :] if text), "")
            rows.append(Row(number, {h: t for h, t in zip(headings, texts, strict=False) if h}, beyond))
    return Sheet(name, tuple(named), tuple(rows))


def _decoded(name: str, data: bytes) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, else GBK as Chinese spreadsheets save it."""
    tried: tuple[str, ...] = ("utf-8", "gb18030")
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            tried = (encoding,)
    for encoding in tried:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise InputError(f"{name}:不是 CSV 或 XLSX(读不出文字),请另存为 CSV(UTF-8)或 .xlsx")


def _csv_rows(name: str, text: str) -> list[list[str]]:
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        return list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise InputError(f"{name}:CSV 格式有误({error}),请重新导出") from error


def _workbook_rows(name: str, data: bytes) -> list[list[str]]:
    _check_directory(name, data)
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(Path(__file__).with_name("workbook_reader.py"))],
            input=data,
            capture_output=True,
            timeout=WORKBOOK_SECONDS,
            env={},
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{name}:{WORKBOOK_SECONDS} 秒内没有读完,请检查文件或另存为 CSV") from error
    if done.returncode:
        raise InputError(f"{name}:不是可用的 Excel 工作簿(.xlsx),请重新另存,或改用 CSV")
    rows: list[list[str]] = json.loads(done.stdout)
    return rows


def _check_directory(name: str, data: bytes) -> None:
    """Look at the archive's directory before anything is unpacked."""
    try:
        members = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        raise InputError(f"{name}:压缩结构有误,请重新另存为 .xlsx") from error
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    refused = (
        (len(members) > MAX_MEMBERS, f"含 {len(members)} 个部件,超过 {MAX_MEMBERS}"),
        (unpacked > MAX_UNPACKED_BYTES, f"展开后超过 {MAX_UNPACKED_BYTES // 2**20} MB"),
        (unpacked > MAX_RATIO * max(packed, 1), f"压缩比超过 {MAX_RATIO}"),
        (packed > len(data), "各部件重叠"),
        (any(member.flag_bits & 0x1 for member in members), "已加密"),
        (len({member.filename for member in members}) < len(members), "部件重名"),
        (not any(member.filename == "xl/workbook.xml" for member in members), "不是 Excel 工作簿"),
    )
    for is_so, reason in refused:
        if is_so:
            raise InputError(f"{name}:{reason},不予读取;请用 Excel 重新另存,或改用 CSV")
