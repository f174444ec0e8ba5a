"""Writes the workflow's rows down for people: `docs/workflow.md`, tables and a diagram, always what the code does."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from dispatch.rules.guards import GUARDS
from dispatch.rules.workflow import (
    CHAPTERS,
    STATES,
    SYSTEM,
    ClockKind,
    ClockStep,
    Given,
    Need,
    State,
    Transition,
)

CLOCKS = {
    ClockKind.TOTAL: "总",
    ClockKind.HANDLE: "承办",
    ClockKind.STAGE: "环节",
    ClockKind.ASSIST: "协办",
}
STEPS = {
    ClockStep.START: "起",
    ClockStep.STOP: "停",
    ClockStep.PAUSE: "暂停",
    ClockStep.RESUME: "恢复",
    ClockStep.FREEZE: "冻结",
    ClockStep.REVIVE: "续",
}
NEEDS = {
    Need.ALWAYS: "",
    Need.NEVER: "(可不填)",
    Need.CATEGORY_PHOTO: "(按类别)",
    Need.CATEGORY_VERIFY_PHOTO: "(按类别)",
    Need.ENFORCEMENT: "(执法类现场必填)",
}
HEAD = """# 工单流程

由 `flask dispatch document` 从 `dispatch/rules/workflow` 的行生成,测试检查它与代码一致;请改行,不要改本页。
"""


def document(role_names: Callable[[str], Sequence[str]]) -> str:
    """The whole page; `role_names` tells which roles a permission belongs to."""
    parts = [HEAD, "## 图\n", _diagram(), "## 状态\n", _states()]
    parts += ["## 三个钟\n", CLOCK_TABLE, "## 动作\n"]
    for title, rows in CHAPTERS:
        parts += [f"### {title}\n", _actions(rows, role_names)]
    parts += ["## 守卫\n", _guards()]
    return "\n".join(parts)


CLOCK_TABLE = """| 钟 | 起 | 停 | 重置 |
|---|---|---|---|
| 诉求总时限 | 受理;上级平台派来的按其时限倒排 | 仅要求补充、经批准的挂账期间暂停 | 从不 |
| 承办时限 | 每次派出(不等查阅、签收);改派给新单位时重新起算 | 同上;提级后原单位的冻结;办理反馈后暂停 | 核查不通过旧钟接着走;复核成立、重新办理才给二次办理时限 |
| 环节时限 | 进入状态 | 离开状态 | 每次进入新建一条 |
| 协办时限 | 每个协办单位被加派时各自起算 | 反馈、免除、结案 | 从不 |
"""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def _states() -> str:
    rows = (
        (
            f"`{row.state}`",
            row.label,
            row.public_label,
            "在办" if row.open else "终结",
            f"`{row.stage}`" if row.stage else "",
            "、".join(f"`{action}`" for action in row.at_end),
        )
        for row in STATES.values()
    )
    return _table(("状态", "名称", "公众看到", "", "环节时限", "时限到时系统做"), rows)


def _actions(rows: Iterable[Transition], role_names: Callable[[str], Sequence[str]]) -> str:
    return _table(
        ("动作", "从", "到", "谁", "要给出", "守卫", "钟", "通知"),
        (
            (
                f"`{row.action}`<br>{row.label}",
                _sources(row.sources),
                STATES[row.target].label if row.target else "不变",
                _who(row, role_names),
                "<br>".join(_given(field) for field in row.given),
                "、".join(f"`{name}`" for name in row.guards),
                "、".join(CLOCKS[kind] + STEPS[step] for kind, step in row.clocks),
                f"`{row.happening}`" if row.happening else "",
            )
            for row in rows
        ),
    )


def _sources(sources: frozenset[State]) -> str:
    everything = [row.state for row in STATES.values() if row.open]
    if sources.issuperset(everything):
        return "所有在办状态"
    missing = [state for state in everything if state not in sources]
    if len(missing) < len(sources) / 2:
        return "所有在办状态,除 " + "、".join(STATES[state].label for state in missing)
    return "、".join(row.label for row in STATES.values() if row.state in sources)


def _who(row: Transition, role_names: Callable[[str], Sequence[str]]) -> str:
    who = "系统" if row.may == SYSTEM else "、".join(role_names(row.may))
    return f"{who}、系统" if row.automatic and row.may != SYSTEM else who


def _given(field: Given) -> str:
    choices = ":" + "/".join(label for _, label in field.choices) if field.choices else ""
    return field.label + NEEDS[field.need] + choices


def _guards() -> str:
    used: dict[str, list[str]] = {}
    for _, rows in CHAPTERS:
        for row in rows:
            for name in row.guards:
                used.setdefault(name, []).append(row.label)
    return _table(
        ("守卫", "用于"), ((f"`{name}`", "、".join(dict.fromkeys(used.get(name, ())))) for name in GUARDS)
    )


def _diagram() -> str:
    lines = ["```mermaid", "stateDiagram-v2", *_nodes(), *dict.fromkeys(_arrows())]
    return "\n".join([*lines, "```", ""])


def _nodes() -> Iterator[str]:
    for row in STATES.values():
        yield f'  state "{row.label}" as {row.state}'


def _arrows() -> Iterator[str]:
    """One arrow per row; what may come from everywhere is left to the table."""
    yield f"  [*] --> {State.SUBMITTED}"
    yield f"  [*] --> {State.LEAD_REGISTERED}"
    for _, rows in CHAPTERS:
        for row in rows:
            if row.target is None or len(row.sources) > 5:
                continue
            for source in STATES:
                if source in row.sources:
                    yield f"  {source} --> {row.target}: {row.label}"
