"""What the linter has to say, as values; a page and a command show it in their own way."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    CONFLICT = "conflict"
    CUT = "cut"
    AMBIGUOUS = "ambiguous"
    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"
    CLOSED = "closed"
    GAP = "gap"
    SHADOWED = "shadowed"
    PAST = "past"
    FUTURE = "future"


class Weight(StrEnum):
    """What a finding does to activation: forbids it, asks for a tick, or nothing."""

    ERROR = "error"
    TICK = "tick"
    REMARK = "remark"


WEIGHTS = {
    Kind.CONFLICT: Weight.ERROR,
    Kind.FORBIDDEN: Weight.ERROR,
    Kind.UNKNOWN: Weight.ERROR,
    Kind.CUT: Weight.TICK,
    Kind.AMBIGUOUS: Weight.TICK,
    Kind.CLOSED: Weight.TICK,
    Kind.GAP: Weight.TICK,
    Kind.SHADOWED: Weight.REMARK,
    Kind.PAST: Weight.REMARK,
    Kind.FUTURE: Weight.REMARK,
}
LABELS = {
    Kind.CONFLICT: "冲突",
    Kind.CUT: "删去大量规则",
    Kind.AMBIGUOUS: "同类单位不止一个",
    Kind.FORBIDDEN: "禁止的承办单位",
    Kind.UNKNOWN: "编码不存在",
    Kind.CLOSED: "指向已撤销的单位",
    Kind.GAP: "无人负责",
    Kind.SHADOWED: "永远轮不到",
    Kind.PAST: "已过期",
    Kind.FUTURE: "尚未生效",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: the rows, what it means in words, and how many cases (category × region) it touches."""

    kind: Kind
    sentence: str
    rules: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    cases: int = 0

    @property
    def weight(self) -> Weight:
        return WEIGHTS[self.kind]

    @property
    def label(self) -> str:
        return LABELS[self.kind]


@dataclass(frozen=True)
class Linted:
    """All findings, the gravest first, and over how much they were looked for."""

    findings: tuple[Finding, ...]
    categories: int
    regions: int
    rules: int

    def of(self, *weights: Weight) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.weight in weights)

    def first(self, kind: Kind) -> Finding | None:
        return next((finding for finding in self.findings if finding.kind is kind), None)

    @property
    def may_begin(self) -> bool:
        """Whether the set may be activated at all; what needs a tick is asked for separately."""
        return not self.of(Weight.ERROR)
