"""Zips unpacked by our own rules: few members, plain names, honest sizes, nothing outside the folder."""

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from geo.errors import BadFile
from geo.files.limits import Limits

_WANTED = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".gpkg", ".geojson", ".json", ".kml")
_CHUNK = 1 << 16
_ENCRYPTED = 0x1


def unpack(path: Path, folder: Path, limits: Limits, *, layer: str | None) -> Path:
    """Unpack one layer into `folder` under names of ours; the path of its main file."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked(path, archive, limits)
            stem, files = _chosen(path, members, layer)
            left = limits.unpacked_bytes
            for member in files:
                target = folder / f"layer{PurePosixPath(member.filename).suffix.lower()}"
                left -= _extract(path, archive, member, target, left)
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        if isinstance(error, BadFile):
            raise
        raise BadFile("压缩包已损坏或用了不支持的压缩方式,请重新打包为普通 zip。", file=path.name) from None
    return _main_file(path, folder, stem)


def _checked(path: Path, archive: zipfile.ZipFile, limits: Limits) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if not members:
        raise BadFile("压缩包是空的。", file=path.name)
    if len(members) > limits.zip_members:
        raise BadFile(f"压缩包里有 {len(members)} 个文件,超过上限 {limits.zip_members}。", file=path.name)
    names = set()
    for member in members:
        name = member.filename
        if _is_trick(name) or stat.S_ISLNK(member.external_attr >> 16):
            raise BadFile("压缩包含有越界路径或链接,已拒绝。", file=path.name, feature=name[:60])
        if member.flag_bits & _ENCRYPTED:
            raise BadFile("压缩包加了密码,请去掉密码后重试。", file=path.name)
        if name.lower() in names:
            raise BadFile("压缩包里有重名文件,请重新打包。", file=path.name, feature=name[:60])
        names.add(name.lower())
    unpacked, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if unpacked > limits.unpacked_bytes or (
        unpacked > 1 << 20 and unpacked > limits.zip_ratio * max(packed, 1)
    ):
        raise BadFile(f"解压后有 {unpacked / 1e6:.0f} MB,超过上限或压缩比异常,已拒绝。", file=path.name)
    _refuse_overlap(path, members)
    return members


def _is_trick(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return (
        not name
        or len(name) > 250
        or "\0" in name
        or "\\" in name
        or name.startswith("/")
        or ".." in parts
        or (len(name) > 1 and name[1] == ":")
        or any(ord(c) < 32 for c in name)
    )


def _refuse_overlap(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Members that share bytes are how a small zip holds a petabyte."""
    ends = 0
    for member in sorted(members, key=lambda m: m.header_offset):
        if member.header_offset < ends:
            raise BadFile("压缩包内部数据互相重叠,已拒绝。", file=path.name)
        ends = member.header_offset + 30 + len(member.filename.encode()) + member.compress_size


def _chosen(
    path: Path, members: list[zipfile.ZipInfo], layer: str | None
) -> tuple[str, list[zipfile.ZipInfo]]:
    """The one layer asked for, or the only one there is."""
    stems: dict[str, list[zipfile.ZipInfo]] = {}
    for member in members:
        name = PurePosixPath(member.filename)
        hidden = name.name.startswith(".") or "__MACOSX" in name.parts
        if name.suffix.lower() in _WANTED and not hidden and not member.is_dir():
            stems.setdefault(str(name.with_suffix("")), []).append(member)
    main = {
        s: m
        for s, m in stems.items()
        if any(Path(f.filename).suffix.lower() not in (".prj", ".cpg") for f in m)
    }
    if layer is not None:
        main = {s: m for s, m in main.items() if PurePosixPath(s).name == layer}
    if not main:
        raise BadFile("压缩包里没有 .shp、.gpkg、.geojson 或 .kml。", file=path.name)
    if len(main) > 1:
        names = "、".join(sorted(PurePosixPath(s).name for s in main)[:8])
        raise BadFile(f"压缩包里有多个图层({names}),请指定其中一个。", file=path.name)
    return next(iter(main.items()))


def _extract(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    written = 0
    with archive.open(member) as source, open(target, "xb") as out:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > left or written > member.file_size:
                raise BadFile("解压出的内容超过声明的大小,已拒绝。", file=path.name)
            out.write(chunk)
    return written


def _main_file(path: Path, folder: Path, stem: str) -> Path:
    for suffix in (".shp", ".gpkg", ".geojson", ".json", ".kml"):
        main = folder / f"layer{suffix}"
        if main.exists():
            if suffix == ".shp" and not (folder / "layer.dbf").exists():
                raise BadFile(
                    "Shapefile 缺少 .dbf 属性表,请把 .shp .shx .dbf .prj 一起打包。", file=path.name
                )
            if suffix == ".shp" and not (folder / "layer.shx").exists():
                raise BadFile("Shapefile 缺少 .shx 索引,请把 .shp .shx .dbf .prj 一起打包。", file=path.name)
            return main
    raise BadFile(f"图层“{PurePosixPath(stem).name}”缺少 .shp 主文件。", file=path.name)
