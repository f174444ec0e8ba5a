"""Map pictures from a PMTiles file: found through both kinds of directories, served to who signed in, refused in words."""

import gzip
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from geo.files.pmtiles import BadTiles, Tiles, number_of
from grid.errors import SettingsError
from grid.settings import load_settings
from tests.town import Town
from tests.web.conftest import Visitor
from tests.web.pictures import picture

PNG, MVT = 2, 1


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def directory(entries: list[tuple[int, int, int, int]]) -> bytes:
    """Entries of number, run, length and offset, packed as the format's third version says."""
    numbers = [entry[0] for entry in entries]
    deltas = [after - before for before, after in zip([0, *numbers], numbers, strict=False)]
    columns = [deltas, *([entry[at] for entry in entries] for at in (1, 2)), [e[3] + 1 for e in entries]]
    return gzip.compress(b"".join(map(varint, [len(entries), *(n for column in columns for n in column)])))


def file_of(path: Path, pictures: dict[tuple[int, int, int], bytes], kind: int = PNG) -> Path:
    """A file whose first directory leads to one leaf for each half of the pictures."""
    numbered = sorted((number_of(*place), data) for place, data in pictures.items())
    body, leaves, root = b"", b"", []
    for half in (numbered[: len(numbered) // 2], numbered[len(numbered) // 2 :]):
        entries = []
        for number, data in half:
            entries.append((number, 1, len(data), len(body)))
            body += data
        leaf = directory(entries)
        root.append((half[0][0], 0, len(leaf), len(leaves)))
        leaves += leaf
    first = directory(root)
    at = 127 + len(first)
    head = struct.pack(
        "<7sB11Q6B",
        *(b"PMTiles", 3, 127, len(first), at, 0, at, len(leaves), at + len(leaves), len(body)),
        *(len(pictures), len(pictures), len(pictures), 1, 2, 1, kind, 0, 20),
    )
    path.write_bytes(head.ljust(127, b"\0") + first + leaves + body)
    return path


def test_places_are_numbered_as_the_format_says() -> None:
    known = {(0, 0, 0): 0, (1, 0, 0): 1, (1, 0, 1): 2, (1, 1, 1): 3, (1, 1, 0): 4, (2, 0, 0): 5}
    assert {place: number_of(*place) for place in known} == known
    assert number_of(12, 3423, 1763) == 19078479


def test_a_file_of_the_citys_own_is_served_and_named_to_the_maps(
    town: Town, app: Flask, visitor: Callable[[str], Visitor], tmp_path: Path
) -> None:
    pictures = {(15, x, y): picture(x + y, size=(8, 8), form="PNG") for x in range(9) for y in range(7)}
    file = file_of(tmp_path / "city.pmtiles", pictures)
    assert 'data-tiles="' not in visitor("worker").sees("/worker/").text
    app.extensions["settings"] = replace(app.extensions["settings"], tile_url=str(file), tile_frame="gcj02")
    worker = visitor("worker")
    assert 'data-tiles="/map/tiles/{z}/{x}/{y}" data-tile-frame="gcj02"' in worker.sees("/worker/").text
    for (zoom, x, y), data in pictures.items():
        answer = worker.sees(f"/map/tiles/{zoom}/{x}/{y}")
        assert (answer.data, answer.mimetype) == (data, "image/png")
    for missing in ("15/9/0", "3/1/1", "15/40000/0", "99/0/0"):
        assert worker.sees(f"/map/tiles/{missing}").status_code == 404
    assert app.test_client().get("/map/tiles/15/1/1").status_code in (302, 303, 401)


def test_what_is_no_file_of_pictures_is_named_at_start(tmp_path: Path) -> None:
    vectors = file_of(tmp_path / "v.pmtiles", {(1, 0, 0): b"a", (1, 1, 0): b"b"}, kind=MVT)
    torn = tmp_path / "t.pmtiles"
    torn.write_bytes(vectors.read_bytes()[:100])
    for file, words in ((vectors, "不是图片瓦片"), (torn, "第 3 版"), (tmp_path / "no.pmtiles", "打不开")):
        with pytest.raises(SettingsError, match=words):
            load_settings(tmp_path, {"TILE_URL": str(file)})
    with pytest.raises(SettingsError, match="GRID_TILE_FRAME"):
        load_settings(tmp_path, {"GRID_TILE_FRAME": "bd09"})
    whole = file_of(tmp_path / "w.pmtiles", {(1, 0, 0): b"a", (1, 1, 0): b"b"})
    assert load_settings(tmp_path, {"TILE_URL": f"file://{whole}"}).tiles_file == whole
    short = tmp_path / "s.pmtiles"
    short.write_bytes(whole.read_bytes()[:-1])
    with pytest.raises(BadTiles, match="不完整"):
        Tiles(short).tile(1, 1, 0)
