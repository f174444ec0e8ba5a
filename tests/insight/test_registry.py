"""The register takes outcomes, timeliness and quality, and refuses everything that would be an instrument of pressure."""

from dataclasses import fields

import pytest
from sqlmodel import SQLModel

import dispatch.insight.reports.models
import dispatch.insight.schemes.models
import dispatch.insight.topics.models  # noqa: F401
from dispatch.insight.metrics import slices
from dispatch.insight.metrics.formulas import METRICS
from dispatch.insight.metrics.intervals import Value, wilson
from dispatch.insight.metrics.measures import BIT, MEASURES
from dispatch.insight.metrics.registry import Kind, Metric, refusal, registered
from grid.errors import InputError

USAGE_WORDS = ("login_count", "online_time", "active_user", "activity", "download", "check_in", "checkin", "mileage", "steps_walked", "track_point")  # fmt: skip


def row(**more: object) -> Metric:
    values = {
        "key": "new",
        "label": "新指标",
        "kind": "outcome",
        "numerator": (("closed", 1.0),),
        "denominator": None,
        "words": "结案的",
        "source": "试",
        **more,
    }
    return Metric(**values)  # type: ignore[arg-type]


@pytest.mark.acceptance("D8")
@pytest.mark.parametrize("kind", ["留痕", "trace", "usage", "使用", ""])
def test_traces_of_work_are_no_kind_of_metric(kind: str) -> None:
    with pytest.raises(InputError, match="台账记录"):
        registered((row(kind=kind),))


@pytest.mark.acceptance("D8")
@pytest.mark.parametrize("label", ["上传照片数", "会议次数", "台账完成率", "留痕率", "答复字数"])
def test_traces_are_refused_under_any_kind(label: str) -> None:
    for kind in Kind:
        with pytest.raises(InputError, match="不能登记"):
            registered((row(label=label, kind=kind),))


@pytest.mark.acceptance("D4")
@pytest.mark.parametrize(
    ("key", "label"),
    [("login_count", "次数"), ("online_time", "时长"), ("x", "活跃度"), ("x", "登录率"), ("x", "人均上报")],
)
def test_usage_and_single_persons_are_refused(key: str, label: str) -> None:
    why = refusal(row(key=key, label=label))
    assert why is not None
    assert "活跃度" in why or "个人" in why


@pytest.mark.acceptance("D4")
def test_no_table_of_figures_and_no_metric_speaks_of_use_or_persons() -> None:
    names = [column.name for table in SQLModel.metadata.tables.values() for column in table.columns]
    names += [m.key for m in METRICS] + [m.key for m in MEASURES] + [f.name for f in fields(Metric)]
    assert [name for name in names if any(word in name for word in USAGE_WORDS)] == []
    of_people = {"reported_by", "account_id", "handled_by", "asked_by"}
    assert not of_people & {column for _, column in slices.DIMENSIONS.values()}


def test_every_metric_has_a_formula_in_words_a_source_and_a_version() -> None:
    assert {metric.kind for metric in METRICS} == set(Kind)
    assert all(m.words and m.source and m.version >= 1 for m in METRICS)
    assert len(set(BIT.values())) == len(MEASURES) <= 62


def test_measures_that_do_not_exist_and_repeated_keys_are_refused() -> None:
    with pytest.raises(InputError, match="invented"):
        registered((row(numerator=(("invented", 1.0),)),))
    with pytest.raises(InputError, match="重复"):
        registered((row(), row()))


def test_wilson_is_the_textbook_interval() -> None:
    low, high = wilson(81, 263)  # Newcombe 1998, table I
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 20)[0] == 0.0
    assert round(wilson(0, 20)[1], 4) == 0.1611


@pytest.mark.acceptance("D24")
def test_below_thirty_there_is_no_rate() -> None:
    assert Value(29, 29).rate is None
    assert Value(29, 29).interval is None
    assert Value(15, 30).rate == 0.5
    assert Value(3).rate is None
