"""The shipped rows hold together: codes, parents, limits and owners for everything, sources everywhere."""

import re
from collections import Counter

import pytest

from dispatch import data
from dispatch.data import AdmissionRow, CategoryRow, read_rows
from dispatch.rules.deadlines import Limit, Unit
from dispatch.rules.workflow import BY_ACTION, OBJECTION_REASONS, STATES

CATEGORIES = {row.code: row for row in data.categories().rows}
LEAVES = [row for row in CATEGORIES.values() if row.leaf]
KINDS = {row.kind: row for row in data.organisation_kinds().rows}
OWNERS = {row.category_code: row for row in data.responsibilities().rows}


def lineage(code: str) -> list[str]:
    chain: list[str] = []
    step: str | None = code
    while step:
        chain.append(step)
        step = CATEGORIES[step].parent_code
    return chain


def owner(code: str) -> str:
    row = next(OWNERS[step] for step in lineage(code) if step in OWNERS)
    return row.main.removeprefix("kind:")


def barred(kind: str, category_code: str, part: str) -> AdmissionRow | None:
    for row in data.admission().rows:
        covers = row.category_code in lineage(category_code) or (
            row.category_code is None and CATEGORIES[category_code].enforcement
        )
        if covers and row.organisation_kind == kind and part in row.applies_to.split(";"):
            return row
    return None


@pytest.mark.parametrize("file", data.all_files(), ids=lambda file: file.name)
def test_every_file_has_a_version_and_every_row_a_source(file: data.SeedFile[object]) -> None:
    assert re.fullmatch(r"20\d\d\.\d\d?", file.version)
    assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert file.rows
    for row in file.rows:
        assert row.source.strip(), row  # type: ignore[attr-defined]
        assert row.reliability in {"S", "O", "C", "M", "D"}, row  # type: ignore[attr-defined]


def test_keys_are_unique() -> None:
    for file, key in [
        (data.categories(), "code"),
        (data.natures(), "key"),
        (data.time_limits(), "id"),
        (data.organisation_kinds(), "kind"),
        (data.responsibilities(), "id"),
        (data.admission(), "id"),
        (data.refusal_codes(), "code"),
        (data.notices(), "id"),
    ]:
        repeated = [k for k, n in Counter(getattr(row, key) for row in file.rows).items() if n > 1]  # type: ignore[attr-defined]
        assert repeated == [], file.name


def test_the_tree_has_the_counts_of_its_sources() -> None:
    counted = Counter(code[:4] for code in CATEGORIES if len(code) == 6)
    assert counted["1001"] == 34
    assert [counted[c] for c in ("1002", "1003", "1004", "1005")] == [18, 9, 8, 3]
    assert [counted[c] for c in ("2001", "2002", "2003", "2004", "2005")] == [19, 5, 6, 10, 14]
    assert {CATEGORIES[c].name for c in ("202101", "202102", "202103")} == {
        "消防通道堵塞",
        "电动车飞线充电",
        "违规使用一次性塑料袋",
    }
    assert [row.label for row in data.natures().rows] == [
        "咨询",
        "求助",
        "投诉",
        "举报",
        "建议",
        "表扬",
        "其他",
    ]


def test_parents_exist_and_codes_say_their_place() -> None:
    for row in CATEGORIES.values():
        assert row.kind in {"part", "event", "extended", "nature", "content"}
        assert row.verify_mode in {"field", "material", "none"}
        if row.parent_code:
            parent = CATEGORIES[row.parent_code]
            assert row.code.startswith(parent.code)
            assert not parent.leaf
    names = Counter((row.parent_code, row.name) for row in CATEGORIES.values())
    assert max(names.values()) == 1


def test_natures_are_categories_too() -> None:
    assert {row.category_code for row in data.natures().rows} == {
        c for c in CATEGORIES if c.startswith("300")
    }


@pytest.mark.parametrize("row", LEAVES, ids=lambda row: row.code)
def test_every_leaf_has_a_limit_and_an_owner_that_may_have_it(row: CategoryRow) -> None:
    fitting = [
        limit
        for limit in data.time_limits().rows
        if limit.stage == "handle"
        and (limit.category_code is None or limit.category_code in lineage(row.code))
        and limit.nature is None
        and limit.urgent in (None, row.urgent)
    ]
    assert fitting
    kind = owner(row.code)
    assert kind in KINDS
    assert barred(kind, row.code, "main") is None
    if row.enforcement:
        assert not KINDS[kind].grassroots
        assert KINDS[kind].enforcement or kind in {"municipal"}, (row.name, kind)


def test_every_owner_and_assistant_is_a_known_kind() -> None:
    for row in data.responsibilities().rows:
        assert row.category_code in CATEGORIES
        for reference in [row.main, *(row.assistants or "").split(";")]:
            assert not reference or reference.removeprefix("kind:") in KINDS, row
        for assistant in filter(None, (row.assistants or "").split(";")):
            assert assistant != row.main
            assert not barred(assistant.removeprefix("kind:"), row.category_code or "", "assistant"), row


def test_every_stage_that_a_state_runs_has_a_limit_for_both_urgencies() -> None:
    stages = {row.stage for row in STATES.values() if row.stage} | {"total", "handle", "objection", "rework"}
    for stage in stages:
        rows = [
            row
            for row in data.time_limits().rows
            if row.stage == stage and not row.category_code and not row.nature
        ]
        for urgent in (True, False):
            assert len([r for r in rows if r.urgent in (None, urgent)]) == 1, (stage, urgent)


def test_limits_are_limits_and_name_what_exists() -> None:
    natures = {row.key for row in data.natures().rows}
    for row in data.time_limits().rows:
        Limit(row.amount, Unit(row.unit))
        assert row.category_code is None or row.category_code in CATEGORIES
        assert row.nature is None or row.nature in natures
    seen = Counter((r.stage, r.category_code, r.nature, r.urgent) for r in data.time_limits().rows)
    assert max(seen.values()) == 1
    minutes = {row.id: Limit(row.amount, Unit(row.unit)).label for row in data.time_limits().rows}
    assert minutes["dispatch-urgent"] == "5 分钟"
    assert minutes["dispatch"] == "15 分钟"


def test_staged_limits_run_in_steps() -> None:
    steps: dict[str, list[int]] = {}
    for row in data.staged_limits().rows:
        Limit(row.amount, Unit(row.unit))
        assert CATEGORIES[row.category_code].leaf
        steps.setdefault(row.category_code, []).append(row.step)
    assert all(found == list(range(1, len(found) + 1)) for found in steps.values())


def test_escalation_covers_both_urgencies_with_the_same_rungs() -> None:
    for kind, names in {
        "handle": ["clock_hint", "clock_yellow", "clock_red", "escalate_2", "escalate_3"],
        "total": ["clock_yellow", "clock_red"],
    }.items():
        for urgent in (True, False):
            rows = [r for r in data.escalation().rows if r.clock == kind and r.urgent is urgent]
            assert [r.name for r in rows] == names
            for row in rows:
                if row.after_unit:
                    limit = Limit(row.after_amount or 0, Unit(row.after_unit))
                    assert (limit.unit is Unit.URGENT_HOUR) is urgent


def test_the_negative_list_holds_every_matter_for_both_kinds() -> None:
    matters = {"行政执法", "拆迁拆违", "环境整治", "城市管理", "招商引资", "协税护税", "安全生产", "食品安全"}
    for kind in ("community", "village"):
        assert {row.matter for row in data.admission().rows if row.organisation_kind == kind} == matters
    assert all(row.applies_to == "main;assistant;inspection" for row in data.admission().rows)
    assert {row.kind for row in KINDS.values() if row.grassroots} == {"community", "village"}
    assert all(row.category_code is None or row.category_code in CATEGORIES for row in data.admission().rows)


def test_refusals_and_objections_are_the_codes_of_the_workflow() -> None:
    assert [row.code for row in data.refusal_codes().rows] == [f"R{n}" for n in range(1, 8)]
    assert {row.code for row in data.refusal_codes().rows if row.second_person} == {"R4", "R5", "R6"}
    assert [(r.code, r.label) for r in data.objection_reasons().rows] == list(OBJECTION_REASONS)


def test_everything_that_happens_has_a_notice_and_none_leaks_inner_stages() -> None:
    told = {row.happening for row in data.notices().rows}
    assert {row.happening for row in BY_ACTION.values() if row.happening} <= told
    rungs = {"handle": ("clock_hint", "clock_yellow", "clock_red", "escalate_2", "escalate_3")}
    rungs["total"] = ("clock_yellow", "clock_red")
    assert {f"{clock}_{rung}" for clock, names in rungs.items() for rung in names} | {"stage_overdue"} <= told
    for row in data.notices().rows:
        row.text.format(code="", category="", place="", organisation="", due="", reason="", link="", count="")
        if row.audience == "reporter":
            assert not re.search("签收|异议|待审|推诿", row.text)


def test_a_wrong_value_is_named_by_file_row_and_column() -> None:
    head = "# version: 2026.1\nkey,label,category_code,source,reliability\n"
    with pytest.raises(ValueError, match="列名应为 key,label"):
        read_rows(head.replace("label", "name"), data.NatureRow, "natures.csv")
    limits = "id,stage,category_code,nature,urgent,amount,unit,source,reliability\na,b,,,2,1,day,s,D\n"
    with pytest.raises(ValueError, match=r"time_limits\.csv 第 2 行:urgent 的值“2”读不懂"):
        read_rows(limits, data.TimeLimitRow, "time_limits.csv")


def test_the_checksum_covers_every_file() -> None:
    assert len({file.sha256 for file in data.all_files()}) == len(data.all_files())
    assert len(data.checksum()) == 64
    shipped = {path.name for path in data.HERE.glob("*.csv")}
    assert shipped == {file.name for file in data.all_files()}
