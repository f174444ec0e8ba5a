"""The register of metrics as rows, and what it refuses.

A metric speaks of an outcome, of timeliness or of quality. Traces of work (photos, words, meetings, ledgers), use of
the software and anything about single persons are no kinds of metric; a row that tries is refused with its clause.
"""

from dataclasses import dataclass
from enum import StrEnum

from dispatch.insight.metrics.measures import BY_KEY as MEASURES
from grid.errors import InputError

LEAST_FOR_RATE = 30


class Kind(StrEnum):
    """What a figure speaks of."""

    OUTCOME = "outcome"
    TIMELINESS = "timeliness"
    QUALITY = "quality"


KIND_LABELS = {Kind.OUTCOME: "结果", Kind.TIMELINESS: "时效", Kind.QUALITY: "质量"}

TRACES = "严禁把开会发文、报送材料、手机打卡、台账记录、拍照留痕等作为评价标准"
USAGE = "不得对信息平台、应用程序的下载量、使用率、活跃度等进行排名、通报或考核"
PERSONS = "不对个人计数、排名"
_OF_TRACES = ("photo", "meeting", "document", "ledger", "word", "note", "照片", "留痕", "台账", "会议", "发文", "打卡", "签到", "字数", "材料数", "拍照")  # fmt: skip
_OF_USAGE = ("login", "online", "active_user", "activity", "download", "session", "usage", "登录", "在线时长", "活跃", "下载量", "使用率", "安装")  # fmt: skip
_OF_PERSONS = ("per_person", "by_worker", "account", "mileage", "steps", "track", "每人", "人均", "里程", "步数", "轨迹")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metric:
    """One row: a count (no denominator) or a rate. Weighted measures: `(key, weight)`.

    `excluded` are the measures shown beside it: what was left out of it.
    """

    key: str
    label: str
    kind: str
    numerator: tuple[tuple[str, float], ...]
    denominator: str | None
    words: str
    source: str
    excluded: tuple[str, ...] = ()
    of_unit: bool = False
    version: int = 1

    @property
    def is_for_schemes(self) -> bool:
        """Whether an assessment may take it: a unit's own rate; a bare count would call for more of it."""
        return self.of_unit and self.denominator is not None

    @property
    def formula(self) -> str:
        """Which formula a number was made with, for reports."""
        return f"{self.key} v{self.version}"


def refusal(metric: Metric) -> str | None:
    """Why this row may not be registered; None when it may."""
    said = f"{metric.key} {metric.label} {metric.words}".lower()
    for clause, words in ((USAGE, _OF_USAGE), (PERSONS, _OF_PERSONS), (TRACES, _OF_TRACES)):
        if any(word in said for word in words):
            return clause
    if metric.kind not in set(Kind):
        return f"指标种类只有结果、时效、质量;{TRACES}"
    asked = [key for key, _ in metric.numerator] + [metric.denominator, *metric.excluded]
    unknown = [key for key in asked if key is not None and key not in MEASURES]
    if unknown or not metric.numerator:
        return f"指标只能由已登记的计数相加得出,没有 {'、'.join(unknown) or '分子'}"
    return None


def registered(rows: tuple[Metric, ...]) -> dict[str, Metric]:
    """The rows by key, every one examined.

    Raises
    ------
    InputError
        A row is refused: which, and by what clause.
    """
    found: dict[str, Metric] = {}
    for row in rows:
        why = refusal(row)
        if why is not None:
            raise InputError(f"指标“{row.label}”不能登记:{why}", {"metric": why})
        if row.key in found:
            raise InputError(f"指标 {row.key} 重复登记,请改名", {"metric": "重复"})
        found[row.key] = row
    return found
