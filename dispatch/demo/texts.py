"""What people say in the made-up city, read from `texts.csv`."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SPOTS = (
    "菜市场北门", "实验小学东侧", "公交站台后面", "社区卫生站门口", "农贸街中段", "老年大学西墙外", "地铁口北侧",
    "桥头便道", "文化广场南角", "邮局门前", "三号院门口", "旧厂家属院", "便民超市旁", "幼儿园对面", "停车场出口",
    "河边步道", "宿舍区后巷", "修车铺边上", "健身角", "十字路口东北角",
)  # fmt: skip
REPORTERS = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
OBJECTIONS = {
    "territory": "现场在界线以外，按区划图属相邻辖区管理，附界线位置说明。",
    "ownership": "经查设施台账，该处不在本单位管养范围，附台账页。",
    "function": "该事项属专业部门职责，本单位无相应权限，依据三定规定。",
}
CONTACTS = (
    "电话联系，已说明办理打算和大致时间。",
    "已加诉求人约定上门时间。",
    "首次未接，二次接通，确认了具体位置。",
)
REWORKS = ("现场只清理了一半，墙角仍有残留。", "修补处已再次松动，需重做。", "照片与现场不符，问题仍在。")
WORDS = {
    5: ("处理得很快，谢谢。", "师傅很负责，还回头看了一遍。", "满意，比想象的快。"),
    4: ("可以，基本满意。", "问题解决了，就是等得久了点。"),
    3: ("算解决了。",),
    2: ("只处理了表面，没几天又一样。", "没有人联系我就说办结了。"),
    1: ("根本没有解决，要求重新处理。",),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One kind of report: its category, how often it comes and by which way, and the unit's public answer."""

    category_code: str
    weight: int
    place: str
    said: str
    answered: str


@cache
def all_said() -> tuple[Said, ...]:
    """Every row of `texts.csv`."""
    text = (Path(__file__).parent / "texts.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(
        Said(r["category_code"], int(r["weight"]), r["place"], r["said"], r["answered"]) for r in rows
    )
