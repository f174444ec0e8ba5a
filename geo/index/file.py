"""One file: a small JSON header and aligned arrays, written atomically and memory-mapped."""

import json
import mmap
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.errors import BadIndex

MAGIC = b"GRIDIDX1"
_ALIGN = 64


def write_file(path: Path, header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """Write beside `path`, flush to disk, then rename over it: readers see the old file or the new one."""
    sections: dict[str, tuple[str, list[int], int]] = {}
    offset = 0
    for name, array in arrays.items():
        offset += -offset % _ALIGN
        sections[name] = (array.dtype.str, list(array.shape), offset)
        offset += array.nbytes
    head = json.dumps({**header, "sections": sections, "length": offset}, ensure_ascii=False).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(MAGIC + len(head).to_bytes(8, "little") + head)
            out.write(b"\0" * (-out.tell() % _ALIGN))
            start = out.tell()
            for name, array in arrays.items():
                out.write(b"\0" * (start + sections[name][2] - out.tell()))
                out.write(np.ascontiguousarray(array).data.cast("B") if array.nbytes else b"")
            out.flush()
            os.fsync(out.fileno())
        os.chmod(temporary, 0o640)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class IndexFile:
    """A mapped file. Pages are shared by all processes; a replaced file stays readable while mapped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with open(path, "rb") as source:
                self._map = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise BadIndex("索引文件不存在,请先导入并启用边界。", file=path.name) from None
        except ValueError:
            raise BadIndex("索引文件是空的,请重新生成。", file=path.name) from None
        size = int.from_bytes(self._map[8:16], "little")
        if self._map[:8] != MAGIC or size > len(self._map):
            raise BadIndex("不是本系统的索引文件或版本不符,请重新生成。", file=path.name)
        try:
            self.header: dict[str, Any] = json.loads(self._map[16 : 16 + size])
        except ValueError:
            raise BadIndex("索引文件头已损坏,请重新生成。", file=path.name) from None
        self._start = 16 + size + -(16 + size) % _ALIGN
        if self._start + self.header["length"] > len(self._map):
            raise BadIndex("索引文件不完整,请重新生成。", file=path.name)

    def array(self, name: str) -> NDArray[Any]:
        """A section as a read-only numpy view of the mapped pages."""
        dtype, shape, offset = self.header["sections"][name]
        count = int(np.prod(shape))
        if not count:
            return np.zeros(shape, dtype=dtype)
        view = np.frombuffer(self._map, dtype=dtype, count=count, offset=self._start + offset)
        return view.reshape(shape)

    def view(self, name: str) -> memoryview:
        """A section as a flat memoryview: the fastest thing to read one element of from Python."""
        return self.array(name).reshape(-1).data
