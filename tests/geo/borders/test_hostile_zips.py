"""Zips that burst, lie or reach outside: refused with a sentence, nothing left behind."""

import io
import struct
import zipfile

import pytest

from geo.errors import BadFile
from geo.reading import read_borders


def broken_zips():
    def archive(**members: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
            for name, content in members.items():
                z.writestr(name, content)
        return out.getvalue()

    yield "not a zip", b"PK\x03\x04 nonsense", "损坏"
    yield "empty", archive(), "空"
    yield "dot dot", archive(**{"../../etc/x.gpkg": b"x"}), "越界"
    yield "absolute", archive(**{"/etc/x.gpkg": b"x"}), "越界"
    yield "backslash", archive(**{"..\\x.gpkg": b"x"}), "越界"
    yield "drive", archive(**{"C:x.gpkg": b"x"}), "越界"
    yield "bomb", archive(**{"x.gpkg": b"\0" * 60_000_000}), "压缩比"
    yield "many", archive(**{f"{i}.gpkg": b"x" for i in range(300)}), "上限 200"
    yield "two layers", archive(**{"a.gpkg": b"x", "b.gpkg": b"x"}), "多个图层"
    yield "nothing of use", archive(**{"readme.txt": b"x", "inner.zip": b"x"}), "没有 .shp"
    yield "lonely shp", archive(**{"a.shp": b"x"}), ".dbf"
    yield "same name twice", archive(**{"a.gpkg": b"x", "A.GPKG": b"y"}), "重名"
    link = io.BytesIO()
    with zipfile.ZipFile(link, "w") as z:
        info = zipfile.ZipInfo("x.gpkg")
        info.external_attr = 0o120777 << 16
        z.writestr(info, "/etc/passwd")
    yield "symlink", link.getvalue(), "链接"
    sealed = bytearray(archive(**{"x.gpkg": b"secret"}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = sealed.find(mark) + at
        sealed[place] |= 1
    yield "encrypted", bytes(sealed), "密码"
    whole = bytearray(archive(**{"a.gpkg": b"x" * 100, "b.txt": b"y"}))
    second = whole.find(b"PK\x01\x02", whole.find(b"PK\x01\x02") + 4)
    whole[second + 42 : second + 46] = struct.pack("<I", 0)
    yield "overlap", bytes(whole), "重叠|损坏"


@pytest.mark.parametrize(("content", "sentence"), [pytest.param(c, s, id=n) for n, c, s in broken_zips()])
def test_zip_tricks(tmp_path, content, sentence) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    before = sorted(p.name for p in tmp_path.parent.iterdir())
    with pytest.raises(BadFile, match=sentence):
        read_borders(path)
    assert sorted(p.name for p in tmp_path.parent.iterdir()) == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.zip"]
