"""What differs between deployments: read from the environment and `instance/`, checked once at start."""

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from geo.files.pmtiles import BadTiles, Tiles
from grid.errors import SettingsError

TILE_FRAMES = frozenset({"wgs84", "gcj02"})
LANGUAGES = frozenset({"zh", "en"})
WEAK_KEYS = frozenset({"dev", "secret", "changeme", "password"})
MIN_KEY_BYTES = 32
MOST_MERGED_M = 10  # farther apart is not the same point


@dataclass(frozen=True)
class Settings:
    """One deployment's settings; environment names are `GRID_<FIELD>` except the customary `DATABASE_URL` etc."""

    instance_path: Path
    secret_key: str
    database_url: str
    redis_url: str | None = None
    base_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    timezone: str = "Asia/Shanghai"
    city_name: str = "示例市"
    photo_url: str = ""
    tile_url: str | None = None
    tile_frame: str = "wgs84"
    sms_url: str | None = None
    geocoder: str | None = None
    geocoder_answers: str = "geojson"
    max_photo_bytes: int = 20 * 1024 * 1024
    secure_cookies: bool = False
    session_idle_minutes: int = 8 * 60
    session_limit_hours: int = 7 * 24
    trusted_proxies: int = 0
    workers: int = 1
    callback_percent: int = 100
    cross_check_percent: int = 0
    merge_within_m: int = 0
    callback_seed: str = "callback"
    most_in_hand: int = 20
    show_worker_phone: bool = False
    supervision_phone: str | None = None
    demo: bool = False
    metrics_token: str | None = None
    otel_endpoint: str | None = None
    language: str = "zh"
    browser_language: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def tiles_file(self) -> Path | None:
        """The PMTiles file, where `tile_url` names one instead of a service."""
        return _tiles_file(self.tile_url)

    @property
    def tile_pattern(self) -> str | None:
        """Where the pages get their map pictures, if anywhere."""
        return "/map/tiles/{z}/{x}/{y}" if self.tiles_file else self.tile_url


CUSTOMARY_NAMES = {"database_url": "DATABASE_URL", "redis_url": "REDIS_URL", "tile_url": "TILE_URL"}


def environment_name(field_name: str) -> str:
    """The environment variable that sets a field."""
    return CUSTOMARY_NAMES.get(field_name, f"GRID_{field_name.upper()}")


def load_settings(
    instance_path: Path | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Read `instance/settings.toml`, then the environment over it; name all errors at once.

    Raises
    ------
    SettingsError
        With one line per wrong value: its name, what is wrong and what to do.
    """
    env = os.environ if environment is None else environment
    given_path = instance_path or Path(env.get("GRID_INSTANCE_PATH") or "instance")
    path = given_path.absolute()
    path.mkdir(parents=True, exist_ok=True)
    written = path / "settings.toml"
    values = _written(written)
    known = {f.name for f in fields(Settings)} - {"instance_path"}
    problems = [f"{written.name}:没有名为 {name} 的设置,请删去或改名" for name in values if name not in known]
    for name in known:
        text = env.get(environment_name(name))
        if text is not None:
            values[name] = text or None
    values.setdefault("database_url", f"sqlite:///{path / 'grid.sqlite3'}")
    values.setdefault("base_url", f"http://127.0.0.1:{values.get('port') or Settings.port}")
    values["photo_url"] = values.get("photo_url") or f"file://{path / 'photos'}"
    values["secret_key"] = values.get("secret_key") or _own_key(path)
    converted = _converted({k: v for k, v in values.items() if k in known}, problems)
    _check(converted, problems)
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(instance_path=path, **converted)


def _written(file: Path) -> dict[str, object]:
    if not file.exists():
        return {}
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}:不是 UTF-8 的 TOML({error}),请改正,例如 port = 8000") from error


def _converted(values: dict[str, object], problems: list[str]) -> dict[str, Any]:
    """Text from the environment as the field's own type."""
    kinds = {f.name: f.type for f in fields(Settings)}
    out: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:
            continue
        if kinds[name] in (int, "int"):
            try:
                out[name] = int(str(value))
            except ValueError:
                problems.append(f"{environment_name(name)}:{value!r} 不是整数,请填数字")
        elif kinds[name] in (bool, "bool"):
            out[name] = str(value).lower() in {"1", "true", "yes", "on"}
        else:
            out[name] = str(value)
    return out


def _check(values: Mapping[str, object], problems: list[str]) -> None:
    key = str(values.get("secret_key", ""))
    if len(key.encode()) < MIN_KEY_BYTES or key.lower() in WEAK_KEYS:
        problems.append(
            f"GRID_SECRET_KEY:密钥少于 {MIN_KEY_BYTES} 字节或是常见词,请换一个随机值(或删去,由系统生成)"
        )
    if not 0 <= int(str(values.get("merge_within_m", 0))) <= MOST_MERGED_M:
        problems.append(f"GRID_MERGE_WITHIN_M:同一点自动并单的距离请填 0(不自动)到 {MOST_MERGED_M} 米")
    url = str(values.get("database_url", ""))
    if not url.startswith(("sqlite://", "postgresql://", "postgresql+psycopg://")):
        problems.append(f"DATABASE_URL:{url.split(':', 1)[0]} 不受支持,请用 sqlite:/// 或 postgresql://")
    elif not _is_readable(url):
        problems.append(
            "DATABASE_URL:读不懂,请写成 postgresql://用户:密码@主机:5432/库名,密码里的符号用百分号编码"
        )
    if values.get("otel_endpoint") and not _has_tracing():
        problems.append(
            "GRID_OTEL_ENDPOINT:没有安装 OpenTelemetry,请执行 pip install 'grid12345[otel]',或删去这项设置"
        )
    _check_tiles(values, problems)
    if values.get("language", "zh") not in LANGUAGES:
        problems.append(f"GRID_LANGUAGE:没有语言 {values.get('language')},请填 zh 或 en")
    try:
        ZoneInfo(str(values.get("timezone", "Asia/Shanghai")))
    except (ZoneInfoNotFoundError, ValueError):
        problems.append(f"GRID_TIMEZONE:不认识时区 {values.get('timezone')},例如 Asia/Shanghai")


def _check_tiles(values: Mapping[str, object], problems: list[str]) -> None:
    tiles = _tiles_file(str(values.get("tile_url") or ""))
    if tiles:
        try:
            Tiles(tiles)
        except BadTiles as error:
            problems.append(f"TILE_URL:{error}")
    if values.get("tile_frame", "wgs84") not in TILE_FRAMES:
        problems.append(f"GRID_TILE_FRAME:没有坐标系 {values.get('tile_frame')} 的底图,请填 wgs84 或 gcj02")


def _tiles_file(url: str | None) -> Path | None:
    path = (url or "").removeprefix("file://")
    return Path(path) if path.endswith(".pmtiles") and "://" not in path else None


def _is_readable(url: str) -> bool:
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        return False
    return True


def _has_tracing() -> bool:
    """Whether the extra `otel` is installed."""
    try:
        return all(
            find_spec(f"opentelemetry.{part}") for part in ("sdk", "exporter.otlp", "instrumentation.flask")
        )
    except ModuleNotFoundError:
        return False


def _own_key(path: Path) -> str:
    """The key of this installation, made at the first start and readable by its owner only."""
    file = path / "secret_key"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text("ascii").strip()
    key = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(key)
        handle.flush()
        os.fsync(handle.fileno())
    return key
