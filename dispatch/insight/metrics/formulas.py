"""All metrics of the field manual's §4 as rows. Where a city's formula differs, it is a new version of the row."""

from dispatch.insight.metrics.registry import Kind, Metric, registered

JINHUA, SEED, OWN = "金华考核细则", "种子材料", "本系统定义"
_OUT = ("deferred", "excluded")
_NO_ANSWER = ("unanswered",)


def _one(key: str) -> tuple[tuple[str, float], ...]:
    return ((key, 1.0),)


METRICS: tuple[Metric, ...] = (
    Metric("received", "登记受理", Kind.OUTCOME, _one("received"), None, "登记的诉求和上报;自行处置的不计", OWN),
    Metric("closed", "结案", Kind.OUTCOME, _one("closed"), None, "结案的工单", OWN),
    Metric("dispatched", "派单", Kind.OUTCOME, _one("dispatched"), None, "派出的次数,改派另计", OWN, of_unit=True),
    Metric("closing", "结案率", Kind.OUTCOME, _one("due_closed"), "should_close",
           "应结案(到期或已结)中已结案的;缓办和剔除的不在分母", JINHUA, _OUT),
    Metric("closing_in_time", "按期结案率", Kind.TIMELINESS, _one("due_closed_in_time"), "should_close",
           "应结案中在诉求总时限内结案的", JINHUA, _OUT),
    Metric("urgent_in_time", "紧急问题按期结案率", Kind.TIMELINESS, _one("urgent_closed_in_time"), "urgent_should_close",
           "紧急类应结案中按期结案的", JINHUA, _OUT),
    Metric("accepting", "及时受理率", Kind.TIMELINESS, _one("accepted_in_time"), "accept_decided",
           "受理时限内受理的(受理方)", OWN),
    Metric("forwarding", "及时转办率", Kind.TIMELINESS, _one("forwarded_in_time"), "forward_decided",
           "派遣时限内派出的(转办方)", OWN),
    Metric("opening", "及时查阅率", Kind.TIMELINESS, _one("opened_in_time"), "open_decided",
           "查阅时限内打开的派单;自动签收的计未及时(承办方)", SEED, of_unit=True),
    Metric("handling", "按时办理率", Kind.TIMELINESS, _one("handled_in_time"), "handle_decided",
           "承办时限内反馈的派单;返工后以最后一次反馈为准", SEED, of_unit=True),
    Metric("contacting", "先行联系率", Kind.TIMELINESS, _one("contacted_in_time"), "contact_decided",
           "联系时限内联系过诉求人的;匿名、保密、巡查来源免联系", "上海先行联系", of_unit=True),
    Metric("responding", "响应率", Kind.QUALITY, _one("answer_contacted"), "answered",
           "回访有效样本中办理前已联系过的", OWN, _NO_ANSWER, of_unit=True),
    Metric("solving", "解决率", Kind.QUALITY, (("solved", 1.0), ("partly", 1.0)), "answered",
           "回访有效样本中答已解决或部分解决的(部分解决权重 1)", OWN, _NO_ANSWER, of_unit=True),
    Metric("satisfying", "满意率(实际参评)", Kind.QUALITY, _one("satisfied"), "rated",
           "评价过的人中满意和基本满意的", "海南实际参评口径", _NO_ANSWER, of_unit=True),
    Metric("satisfying_all", "满意率(全部回访)", Kind.QUALITY, _one("satisfied"), "asked",
           "全部回访中满意和基本满意的;未接通、未评价的在分母,从不计满意", OWN, _NO_ANSWER, of_unit=True),
    Metric("reworking", "返工率", Kind.QUALITY, _one("closed_reworked"), "closed",
           "结案中核查不通过发回过的", JINHUA, of_unit=True),
    Metric("once", "一次办结率", Kind.QUALITY, _one("closed_once"), "closed", "结案中没有返工和重办的", OWN, of_unit=True),
    Metric("extending", "延期率", Kind.TIMELINESS, _one("due_extended"), "should_close",
           "应结案中批准过延期的", "福州简报", _OUT),
    Metric("objecting", "退单率", Kind.QUALITY, _one("objected"), "dispatched", "派单中提出异议的", OWN, of_unit=True),
    Metric("objecting_upheld", "退单成立率", Kind.QUALITY, _one("objection_upheld"), "objection_ruled",
           "已裁定的异议中采纳的;驳回只作中性计数", OWN, of_unit=True),
    Metric("routing", "派单准确率", Kind.QUALITY, _one("dispatch_kept"), "dispatched", "派单中没有被采纳退单的", OWN),
    Metric("repeating", "重复诉求率", Kind.QUALITY, _one("repeated"), "received", "登记受理中并入他件的", OWN),
    Metric("false_completion", "虚假办结率", Kind.QUALITY, _one("false_completion"), "rechecked",
           "抽查复核中查实没有办的", OWN, of_unit=True),
    Metric("limit_moving", "更正而改动时限", Kind.QUALITY, _one("limit_moved"), None,
           "更正类别或性质使时限改变的次数;抽三成由督查复看", OWN),
    Metric("correcting_improper", "更正不当率", Kind.QUALITY, _one("correction_improper"), "correction_audited",
           "抽审的更正中认定不当的", OWN),
    Metric("supplements", "要求补充材料", Kind.QUALITY, _one("supplement_asked"), None,
           "向诉求人或基层要求补充的次数,计入索要方", SEED, of_unit=True),
)  # fmt: skip
BY_KEY: dict[str, Metric] = registered(METRICS)
THREE_PARTIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("受理方", ("accepting", "repeating")),
    ("转办方", ("forwarding", "routing")),
    ("承办方", ("opening", "handling", "satisfying")),
)
