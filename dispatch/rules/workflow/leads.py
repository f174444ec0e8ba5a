"""Rows of the second workflow, 码上督: leads for oversight, from registration to publication, anonymous if wished.

It runs on the same engine; only these rows and their states make it what it is.
"""

from dispatch.rules.workflow.choices import END_ALL, PHOTOS_IF_ANY, START_HANDLE, said, unit
from dispatch.rules.workflow.shapes import ClockKind, ClockStep, Transition
from dispatch.rules.workflow.states import State

LEADS: tuple[Transition, ...] = (
    Transition(
        "screen_lead",
        "甄别研判",
        frozenset({State.LEAD_REGISTERED}),
        State.LEAD_SCREENING,
        "lead:screen",
    ),
    Transition(
        "dismiss_lead",
        "不予办理",
        frozenset({State.LEAD_SCREENING}),
        State.LEAD_DISMISSED,
        "lead:screen",
        given=(said("reason", "理由", public=True),),
        clocks=END_ALL,
    ),
    Transition(
        "assign_lead",
        "精准交办",
        frozenset({State.LEAD_SCREENING}),
        State.LEAD_ASSIGNED,
        "lead:assign",
        given=(unit(label="责任单位"), said("demand", "整改要求")),
        guards=("admitted",),
        clocks=START_HANDLE,
        happening="lead_assigned",
        limit="lead_rectify",
    ),
    Transition(
        "return_lead",
        "退回研判",
        frozenset({State.LEAD_ASSIGNED}),
        State.LEAD_SCREENING,
        "lead:rectify",
        given=(said("reason", "退回理由"),),
        clocks=((ClockKind.HANDLE, ClockStep.STOP),),
    ),
    Transition(
        "begin_rectifying",
        "限期整改",
        frozenset({State.LEAD_ASSIGNED}),
        State.LEAD_RECTIFYING,
        "lead:rectify",
    ),
    Transition(
        "report_rectified",
        "报告整改结果",
        frozenset({State.LEAD_RECTIFYING}),
        State.LEAD_CHECKING,
        "lead:rectify",
        given=(said("answer", "整改情况"), PHOTOS_IF_ANY),
        clocks=((ClockKind.HANDLE, ClockStep.PAUSE),),
        happening="lead_rectified",
    ),
    Transition(
        "lead_check_fail",
        "现场核查不通过",
        frozenset({State.LEAD_CHECKING}),
        State.LEAD_RECTIFYING,
        "lead:check",
        given=(said("note", "哪里没有做到"), PHOTOS_IF_ANY),
        guards=("independent",),
        clocks=((ClockKind.HANDLE, ClockStep.RESUME),),
        happening="lead_check_failed",
    ),
    Transition(
        "lead_check_pass",
        "现场核查通过",
        frozenset({State.LEAD_CHECKING}),
        State.LEAD_PUBLISHING,
        "lead:check",
        given=(said("note", "说明", must=False), PHOTOS_IF_ANY),
        guards=("independent",),
    ),
    Transition(
        "publish_lead",
        "适时通报",
        frozenset({State.LEAD_PUBLISHING}),
        State.LEAD_PUBLISHED,
        "lead:publish",
        given=(said("summary", "通报内容(不含线索提供人信息)", public=True),),
        clocks=END_ALL,
    ),
)
