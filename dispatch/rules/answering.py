"""Whether a public answer says what it must: was somebody spoken to, what was done, when. Elements only, never length."""

import re
from dataclasses import dataclass

CONTACT = re.compile(r"联系|沟通|告知|致电|电话|回访|说明|解释|当面|上门")
DONE = re.compile(
    r"已(?!收到|知悉)|清理|清运|修复|维修|更换|补植|拆除|劝离|整改|处罚|立案|疏通|安装|核实|答复|办理|加固|围挡|处理|解决|无法|不能"
)
WHEN = re.compile(
    r"\d{1,4}\s*[年月日号时点/.:-]|今[天日]|昨[天日]|当[天日日]|上午|下午|晚上|[周星期]+[一二三四五六日天]|本周|本月|月底|即日|现已"
)
_SPACE = re.compile(r"[\s,。、;:!?,.;:!?“”\"'()()]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One element that an answer lacks, or that it is the former one again."""

    element: str
    sentence: str


def findings(answer: str, *, before: str | None, contacted: bool, asks_contact: bool) -> tuple[Finding, ...]:
    """What to look at before an answer goes out; whether it goes is decided by a person."""
    found = []
    if asks_contact and not contacted and not CONTACT.search(answer):
        found.append(Finding("contact", "没有写是否联系过诉求人,也没有联系记录"))
    if not DONE.search(answer):
        found.append(Finding("done", "没有写做了什么"))
    if not WHEN.search(answer):
        found.append(Finding("when", "没有写什么时候做的或什么时候做完"))
    if before is not None and _bare(answer) and _bare(answer) == _bare(before):
        found.append(Finding("same", "与上一次的答复完全相同"))
    return tuple(found)


def _bare(text: str) -> str:
    return _SPACE.sub("", text)
