"""How well things are kept, as values: last backup, last proof, anchors, room on the disks."""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from sqlmodel import Session, col, func, select

from dispatch.upkeep import anchors
from dispatch.upkeep.backup import BACKUP
from dispatch.upkeep.verifying import CHAIN
from grid.database import wal_is_safe
from grid.models import StandingChange
from grid.settings import Settings

STALE_PROOF, STALE_BACKUP = timedelta(days=2), timedelta(hours=26)
LEAST_FREE_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Keeping:
    """None means never, or not known."""

    backed_up_at: datetime | None
    photos_missing: int
    verified_at: datetime | None
    wrong: int
    anchored_at: datetime | None
    free_bytes: dict[str, int]
    wal_is_safe: bool
    began_at: datetime | None = None


def keeping(session: Session, settings: Settings) -> Keeping:
    """One look, cheap enough for every scrape."""
    backup, proof = _last(session, BACKUP), _last(session, CHAIN)
    anchored = anchors.last_at(anchors.folder_of(settings))
    return Keeping(
        backed_up_at=backup.at if backup else None,
        photos_missing=_figure(backup, "missing"),
        verified_at=proof.at if proof else None,
        wrong=_figure(proof, "wrong"),
        anchored_at=datetime.strptime(anchored, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC) if anchored else None,
        free_bytes=free_bytes(settings),
        wal_is_safe=wal_is_safe(),
        began_at=session.execute(select(func.min(StandingChange.at))).scalar_one(),
    )


def warnings(kept: Keeping, now: datetime) -> list[str]:
    """What an operator must act on, each with its cure."""
    found = []
    if kept.wrong:
        found.append(
            f"历史记录核对有 {kept.wrong} 处不符:请保全现场,运行 flask ops verify 看是哪些工单,并与备份、锚点比对。"
        )
    if _is_stale(kept, kept.verified_at, STALE_PROOF, now):
        found.append("历史记录超过两天没有核对:请检查 sweeper 是否在运行,或手工运行 flask ops verify。")
    if _is_stale(kept, kept.backed_up_at, STALE_BACKUP, now):
        found.append("超过 26 小时没有备份:请检查备份任务,或手工运行 flask ops backup。")
    if kept.photos_missing:
        found.append(f"最近一次备份缺 {kept.photos_missing} 张照片:请检查照片存储,并从较早的备份找回。")
    if any(free < LEAST_FREE_BYTES for free in kept.free_bytes.values()):
        found.append("磁盘将满:满了以后照片存不下(工单仍可登记),请清理或扩容。")
    if not kept.wal_is_safe:
        found.append(
            "这台机器的 SQLite 低于 3.51.3,已改用较慢而安全的回滚日志:请安装 pysqlite3,或改用 PostgreSQL。"
        )
    return found


def _is_stale(kept: Keeping, done_at: datetime | None, after: timedelta, now: datetime) -> bool:
    """Whether it is long ago; what was set up only just now has had no time for it yet."""
    since = done_at or kept.began_at
    return since is None or now - since > after


def free_bytes(settings: Settings) -> dict[str, int]:
    """Room left where we write; a photo store that is no folder has none to tell."""
    folders = {"instance": str(settings.instance_path)}
    photos = urlsplit(settings.photo_url)
    if photos.scheme == "file":
        folders["photos"] = photos.path
    found = {}
    for name, path in folders.items():
        try:
            found[name] = shutil.disk_usage(path).free
        except OSError:
            continue
    return found


def _last(session: Session, thing: str) -> StandingChange | None:
    query = select(StandingChange).where(col(StandingChange.thing) == thing)
    return session.exec(query.order_by(col(StandingChange.at).desc()).limit(1)).first()


def _figure(row: StandingChange | None, name: str) -> int:
    return int(json.loads(row.after).get(name, 0)) if row is not None and row.after else 0
