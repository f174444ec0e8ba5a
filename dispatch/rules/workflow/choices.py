"""The lists from which people choose, and the groups of states that rows share."""

from dispatch.rules.workflow.shapes import ClockKind, Clocks, ClockStep, Given, GivenKind, Need
from dispatch.rules.workflow.states import OPEN_STATES, State

SYSTEM = "ticket:carry"

OBJECTION_REASONS = (("territory", "属地不符"), ("ownership", "权属不清"), ("function", "职能不符"))
CONTACT_OUTCOMES = (("reached", "已联系上"), ("unreached", "未联系上"), ("declined", "对方不愿沟通"))
SOLVED = (("solved", "已解决"), ("partly", "部分解决"), ("unsolved", "未解决"))
SATISFACTION = (("5", "非常满意"), ("4", "满意"), ("3", "基本满意"), ("2", "不满意"), ("1", "非常不满意"))
REJECTIONS = (
    ("R1", "法定途径"),
    ("R2", "已进信访"),
    ("R3", "涉密或隐私"),
    ("R7", "无效或不在辖区"),
)
REJECTIONS_BY_TWO = (("R4", "无新情况的重复诉求"), ("R5", "超出职责范围"), ("R6", "违法或违背公序良俗"))
NATURES = (
    ("consult", "咨询"),
    ("help", "求助"),
    ("complaint", "投诉"),
    ("report", "举报"),
    ("suggestion", "建议"),
    ("praise", "表扬"),
    ("other", "其他"),
)
YES_NO = (("no", "没有"), ("yes", "有"))
# What an answer lacks is said by its elements: whether it answers what was asked, and says what was done.
ANSWER_LACKS = (
    ("aside", "答非所问"),
    ("perfunctory", "敷衍,没写做了什么"),
    ("elements", "缺要素"),
    ("other", "其他"),
)
LINES = (
    ("110", "110 报警"),
    ("119", "119 消防"),
    ("120", "120 急救"),
    ("122", "122 交通事故"),
    ("gas", "燃气抢修"),
    ("expert", "驻点专席"),
    ("unit", "承办单位"),
)
PLACES_TO_REFER = (
    ("legal", "法定途径(诉讼、仲裁、复议)"),
    ("petition", "信访"),
    ("police", "公安机关"),
    ("discipline", "纪检监察"),
)
PLACES_TO_PASS = (("neighbour", "相邻地区"), ("upper", "上级平台"))
FINDINGS = (("true", "属实"), ("worse", "比上报的更严重"), ("false", "现场没有"))
SUSPENSION_REASONS = (
    ("funds", "资金未落实"),
    ("works", "须工程施工"),
    ("season", "季节或天气"),
    ("law", "法定程序"),
)
TOLD = (("phone", "已电话告知"), ("message", "已短信告知"), ("none", "没有诉求人"))
EXTENSION_DAYS = tuple((str(n), f"{n} 工作日") for n in (1, 2, 3, 5, 10, 15))
EXCLUSIONS = (
    ("unreasonable", "不合理诉求"),
    ("force_majeure", "不可抗力"),
    ("not_duty", "非本单位职责"),
    ("false", "不实诉求"),
)
HELPED = (("done", "已完成"), ("partly", "部分完成"), ("impossible", "无法完成"))
PROGRESS = (("knows", "知道进展"), ("not_told", "还没有人联系过"), ("unreached", "未接通"))

UNREGISTERED = frozenset({State.SUBMITTED, State.FILED})
WITH_UNIT = frozenset({State.DISPATCHED, State.IN_PROGRESS})
WORKING = frozenset({State.DISPATCHED, State.IN_PROGRESS, State.REWORK})
HANDS_ON = frozenset({State.IN_PROGRESS, State.REWORK})
ASKING = frozenset({State.VERIFIED, State.CALLBACK})
NOT_YET_ANSWERED = OPEN_STATES - ASKING - {State.HANDLED, State.REVIEWING}

START_TOTAL: Clocks = ((ClockKind.TOTAL, ClockStep.START),)
START_HANDLE: Clocks = ((ClockKind.HANDLE, ClockStep.START),)
NEW_HANDLE: Clocks = ((ClockKind.HANDLE, ClockStep.STOP), (ClockKind.HANDLE, ClockStep.START))
END_ALL: Clocks = tuple(
    (kind, ClockStep.STOP) for kind in (ClockKind.HANDLE, ClockKind.ASSIST, ClockKind.TOTAL)
)
PAUSE_ALL: Clocks = tuple(
    (kind, ClockStep.PAUSE) for kind in (ClockKind.HANDLE, ClockKind.ASSIST, ClockKind.TOTAL)
)
RESUME_ALL: Clocks = tuple(
    (kind, ClockStep.RESUME) for kind in (ClockKind.HANDLE, ClockKind.ASSIST, ClockKind.TOTAL)
)


def said(name: str, label: str, *, must: bool = True, public: bool = False) -> Given:
    """A field of free words."""
    return Given(name, label, GivenKind.STATEMENT, Need.ALWAYS if must else Need.NEVER, public=public)


def chosen(name: str, label: str, choices: tuple[tuple[str, str], ...], check: str | None = None) -> Given:
    """A field to choose from a list."""
    return Given(name, label, GivenKind.CHOICE, choices=choices, check=check)


def unit(name: str = "organisation", label: str = "承办单位", check: str | None = None) -> Given:
    """A field that names one organisation."""
    return Given(name, label, GivenKind.ORGANISATION, check=check)


AFTER_PHOTOS = Given("photos", "办理后照片", GivenKind.PHOTOS, Need.CATEGORY_PHOTO)
VERIFY_PHOTOS = Given("photos", "核查照片", GivenKind.PHOTOS, Need.CATEGORY_VERIFY_PHOTO)
OFFICERS = Given(
    "officers",
    "到场执法人员(至少两人,用顿号分开)",
    GivenKind.STATEMENT,
    Need.ENFORCEMENT,
    check="two_officers",
)
PHOTOS_IF_ANY = Given("photos", "照片", GivenKind.PHOTOS, Need.NEVER)
