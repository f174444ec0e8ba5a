"""Check an evidence package: python check.py [PACKAGE.zip or FOLDER] [HEAD]. Needs nothing but Python 3.8 or newer.

HEAD is the last hash of the ticket's chain as the service showed it; without it the package is checked in itself.
"""

import hashlib
import json
import sys
import zipfile
from pathlib import Path

LISTED_APART = "SHA256SUMS"


def read(source: str) -> "dict[str, bytes]":
    """Every file of the package by name."""
    path = Path(source)
    if path.is_dir():
        return {p.relative_to(path).as_posix(): p.read_bytes() for p in path.rglob("*") if p.is_file()}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def problems(files: "dict[str, bytes]", head: "str | None" = None) -> "list[str]":
    """What does not hold, in words; nothing when everything holds."""
    found: list[str] = []
    sums = files.get(LISTED_APART, b"").decode().splitlines()
    listed = {line[66:]: line[:64] for line in sums}
    for name, promised in listed.items():
        if name not in files:
            found.append("缺少文件 " + name)
        elif hashlib.sha256(files[name]).hexdigest() != promised:
            found.append("文件 " + name + " 与校验值不符")
    found += ["多出文件 " + name for name in files if name not in listed and name != LISTED_APART]
    if found or not listed:
        return found or ["没有校验值清单 " + LISTED_APART]
    lines, previous = json.loads(files["chain.json"]), None
    shown: set[str] = set()
    for line in lines:
        plain = {key: value for key, value in line.items() if key != "hash"}
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if line["previous_hash"] != previous or hashlib.sha256(text.encode()).hexdigest() != line["hash"]:
            found.append(f"第 {line['seq']} 条记录与摘要不符")
        previous = line["hash"]
        shown.update((line["given"] or {}).get("photos") or [])
    for photo in json.loads(files["ticket.json"])["photos"]:
        if hashlib.sha256(files[photo["file"]]).hexdigest() != photo["sha256"]:
            found.append("照片 " + photo["file"] + " 与上传时的校验值不符")
        if photo["sha256"] not in shown:
            found.append("照片 " + photo["file"] + " 不在工单记录里")
    if head and not str(previous).startswith(head):
        found.append("记录的末端与系统显示的不同")
    return found


def main() -> int:
    arguments = sys.argv[1:]
    source = arguments[0] if arguments else str(Path(__file__).parent)
    try:
        found = problems(read(source), arguments[1] if len(arguments) > 1 else None)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        found = [f"证据包读不出来:{error}"]
    print("\n".join(found) if found else "证据包完整,未被改动")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
