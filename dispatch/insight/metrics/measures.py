"""The measures: what can be counted of a ticket, each a bit of a tally row and a column of the roll-up.

Places in this list are kept for ever: a new measure goes to the end, an old one is never reused.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One countable thing; `day` says which day it is counted on."""

    key: str
    label: str
    day: str


_REPORTED, _CLOSING, _DISPATCH = "登记日", "到期日与结案日中较早的一天", "派出日"
_HANDLING, _ANSWER = "到期日与反馈日中较早的一天", "回访结果记下的那天"

MEASURES: tuple[Measure, ...] = (
    Measure("received", "登记受理", _REPORTED),
    Measure("repeated", "并入他件的重复诉求", _REPORTED),
    Measure("reminded", "当场提醒", _REPORTED),
    Measure("should_close", "应结案", _CLOSING),
    Measure("deferred", "缓办(批准挂账)", "批准挂账日"),
    Measure("excluded", "剔除", "登记日"),
    Measure("due_closed", "应结案中已结案", _CLOSING),
    Measure("due_closed_in_time", "应结案中按期结案", _CLOSING),
    Measure("due_extended", "应结案中批准过延期", _CLOSING),
    Measure("urgent_should_close", "紧急类应结案", _CLOSING),
    Measure("urgent_closed_in_time", "紧急类按期结案", _CLOSING),
    Measure("closed", "结案", "结案日"),
    Measure("closed_reworked", "结案中返过工", "结案日"),
    Measure("closed_once", "一次办结", "结案日"),
    Measure("dispatched", "派单", _DISPATCH),
    Measure("dispatch_kept", "未被采纳退单的派单", _DISPATCH),
    Measure("open_decided", "应查阅的派单", _DISPATCH),
    Measure("opened_in_time", "及时查阅的派单", _DISPATCH),
    Measure("objected", "退单(派单异议)", _DISPATCH),
    Measure("objection_ruled", "已裁定的退单", _DISPATCH),
    Measure("objection_upheld", "采纳的退单", _DISPATCH),
    Measure("objection_refused", "驳回的退单", _DISPATCH),
    Measure("handle_decided", "应反馈的派单", _HANDLING),
    Measure("handled_in_time", "按时反馈的派单", _HANDLING),
    Measure("contact_decided", "应先行联系", "到期日与联系日中较早的一天"),
    Measure("contacted_in_time", "按时先行联系", "到期日与联系日中较早的一天"),
    Measure("asked", "回访", _ANSWER),
    Measure("answered", "回访有效样本", _ANSWER),
    Measure("answer_contacted", "有效样本中办理前联系过", _ANSWER),
    Measure("solved", "答已解决", _ANSWER),
    Measure("partly", "答部分解决", _ANSWER),
    Measure("unsolved", "答未解决", _ANSWER),
    Measure("rated", "实际参评", _ANSWER),
    Measure("satisfied", "评满意或基本满意", _ANSWER),
    Measure("unanswered", "未接通、未评价", _ANSWER),
    Measure("rechecked", "抽查复核", "抽查日"),
    Measure("false_completion", "抽查不实(虚假办结)", "抽查日"),
    Measure("supplement_asked", "要求补充材料", "提出日"),
    Measure("accept_decided", "应受理", _REPORTED),
    Measure("accepted_in_time", "及时受理", _REPORTED),
    Measure("forward_decided", "应转办", _REPORTED),
    Measure("forwarded_in_time", "及时转办", _REPORTED),
    Measure("limit_moved", "更正类别、性质而改动时限", "更正日"),
    Measure("correction_audited", "抽审的更正", "抽审日"),
    Measure("correction_improper", "抽审认定不当的更正", "抽审日"),
)
KEYS: tuple[str, ...] = tuple(measure.key for measure in MEASURES)
BIT: dict[str, int] = {key: 1 << place for place, key in enumerate(KEYS)}
BY_KEY: dict[str, Measure] = {measure.key: measure for measure in MEASURES}


def keys_of(marks: int) -> tuple[str, ...]:
    """The measures whose bits are set."""
    return tuple(key for key, bit in BIT.items() if marks & bit)
