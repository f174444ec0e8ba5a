"""Which encoding a shapefile's attribute table is written in: said by its .cpg, plain from its bytes, or asked."""

import codecs
from pathlib import Path

from geo.errors import BadFile

_NAMES = {"utf8": "UTF-8", "65001": "UTF-8", "cp65001": "UTF-8", "936": "GBK", "cp936": "GBK", "gb2312": "GBK", "ansi936": "GBK"}  # fmt: skip


def known_encoding(name: str, *, file: str) -> str:
    """A code page by the names people and programs give it."""
    plain = name.strip().strip("\0").lower().replace("-", "").replace("_", "").replace(" ", "")
    try:
        return _NAMES.get(plain) or codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        raise BadFile(f"不认识文字编码“{name.strip()[:20]}”,请指定 GBK 或 UTF-8。", file=file) from None


def table_encoding(shp: Path, given: str | None, *, file: str) -> str:
    """The encoding to read with; raises `BadFile` asking for it when nothing tells."""
    if given:
        return known_encoding(given, file=file)
    page = shp.with_suffix(".cpg")
    if page.exists():
        return known_encoding(page.read_bytes()[:40].decode("ascii", "replace"), file=file)
    content = shp.with_suffix(".dbf").read_bytes()
    if content.isascii() or _printable(content).isascii():
        return "UTF-8"
    try:
        _printable(content).decode("utf-8")
    except UnicodeDecodeError:
        raise BadFile("属性表没有 .cpg,文字编码不明,请指定 GBK 或 UTF-8。", file=file) from None
    return "UTF-8"


def _printable(content: bytes) -> bytes:
    """Records only: the header holds binary numbers."""
    start = int.from_bytes(content[8:10], "little") if len(content) > 10 else 0
    return content[start:].rstrip(b"\x1a")
