"""Rows of joint work (吹哨报到): several units on one matter, each on its own clock."""

from dispatch.rules.workflow.choices import (
    HELPED,
    PHOTOS_IF_ANY,
    SATISFACTION,
    WITH_UNIT,
    WORKING,
    chosen,
    said,
    unit,
)
from dispatch.rules.workflow.shapes import Given, GivenKind, Transition
from dispatch.rules.workflow.states import State

_JOINT = WORKING | {State.EXT_PENDING, State.ANSWER_PENDING}

JOINT: tuple[Transition, ...] = (
    Transition(
        "add_assistants",
        "加派协办单位",
        WORKING,
        None,
        "ticket:dispatch",
        given=(
            Given("organisations", "协办单位", GivenKind.ORGANISATIONS),
            said("reason", "依据", must=False),
        ),
        happening="assigned_assistant",
    ),
    Transition(
        "whistle",
        "吹哨",
        WITH_UNIT,
        State.IN_PROGRESS,
        "ticket:whistle",
        given=(
            Given("organisations", "请哪些单位报到", GivenKind.ORGANISATIONS),
            said("reason", "需要共同解决什么"),
        ),
        happening="assigned_assistant",
    ),
    Transition(
        "sign_in_to_help",
        "报到",
        _JOINT,
        None,
        "ticket:assist",
        given=(said("note", "打算怎么配合", must=False),),
        guards=("asked_to_help",),
    ),
    Transition(
        "report_help",
        "协办反馈",
        _JOINT,
        None,
        "ticket:assist",
        given=(
            chosen("helped", "配合结果", HELPED),
            said("work", "做了什么"),
            PHOTOS_IF_ANY,
        ),
        guards=("asked_to_help",),
        happening="help_reported",
    ),
    Transition(
        "waive_assistant",
        "免除协办",
        _JOINT,
        None,
        "ticket:handle",
        given=(unit(label="协办单位", check="still_to_report"), said("reason", "理由")),
        guards=("somebody_to_report",),
    ),
    Transition(
        "rate_unit",
        "评价报到单位",
        _JOINT
        | {State.HANDLED, State.VERIFIED, State.CALLBACK, State.REVIEWING, State.CLOSED, State.ARCHIVED},
        None,
        "ticket:rate",
        given=(
            unit(label="单位", check="took_part"),
            Given("score", "评价", GivenKind.SCORE, choices=SATISFACTION),
        ),
        guards=("whistled_by_own",),
    ),
)
