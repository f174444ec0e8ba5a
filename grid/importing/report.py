"""What an import found, as values: a page or a command shows it in its own way."""

from dataclasses import dataclass, field
from typing import Any

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, and in words what to do."""

    message: str
    file: str | None = None
    row: int | None = None
    column: str | None = None
    feature: str | None = None

    def __str__(self) -> str:
        where = [
            self.file,
            f"第 {self.row} 行" if self.row is not None else None,
            f"“{self.column}”列" if self.column else None,
            f"要素 {self.feature}" if self.feature else None,
        ]
        place = " ".join(part for part in where if part)
        return f"{place}:{self.message}" if place else self.message


@dataclass
class ImportReport:
    """Counts of what was read and written, everything wrong, and what to look at although it is accepted."""

    what: str
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    written: bool = False
    details: dict[str, Any] = field(default_factory=dict)
    tail: str = ""

    @property
    def is_right(self) -> bool:
        return not self.problems

    def count(self, name: str, number: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + number

    def lines(self) -> list[str]:
        """The report as sentences, the outcome first."""
        found = [
            f"{number} 行" if name == "行" else f"{name} {number}"
            for name, number in self.counts.items()
            if number
        ]
        counted = "、".join(found) or "0 行"
        if self.problems and self.written:
            head = f"{self.what}:有 {len(self.problems)} 处错误,这些行没有导入;其余已导入,{counted}"
        elif self.problems:
            head = f"{self.what}:有 {len(self.problems)} 处错误,没有导入任何内容(读到 {counted})"
        else:
            head = f"{self.what}:{'已导入' if self.written else '检查通过'},{counted}"
        head += self.tail
        problems = sorted(self.problems, key=lambda problem: problem.row or 0)
        return [head, *_shown("错误", problems), *_shown("提示", self.remarks)]


def _shown(kind: str, found: list[Problem]) -> list[str]:
    lines = [f"  [{kind}] {problem}" for problem in found[:MOST_SHOWN]]
    if len(found) > MOST_SHOWN:
        lines.append(f"  [{kind}] 另有 {len(found) - MOST_SHOWN} 处,请先改正以上各处")
    return lines
