"""Sentences that the program wrote are found again by their pattern; what people typed stays as they typed it."""

import re
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from jinja2 import Environment, nodes

from web.language import catalogue, reading, scripts
from web.language.in_templates import ProgramWords
from web.language.saying import CHINESE, Book

BOOK = Book(
    {
        "请选择类别": "Please choose a category",
        "请在地图上点选位置": "Please mark the place on the map",
        "没有登记": "Not registered",
        "一次最多 {most_rows} 行,请分几次": "At most {most_rows} rows at a time; please split them",
        "已{label}": "Done: {label}",
        "{code} 已{label}": "{code}: done, {label}",
        "退回": "Returned",
        "登录名“{login}”已被使用,请换一个": "The sign-in name “{login}” is taken; please choose another",
        "100% 完成": "100% done",
        "依据 {limit_id}": "by {limit_id}",
        "自 {moment} 起算": "from {moment}",
        "{moment} 停": "stopped {moment}",
        "{label},自 {moment} 起算,{end} 到期": "{label}, from {moment}, due {end}",
        "{moment} 到期": "due {moment}",
        "{kind},计入 {length}": "{kind}, {length} counted",
        "{month} 月 {day} 日{weekdays}{words}": "{weekdays} {month}-{day} {words}",
        "{month} 月 {day} 日{weekdays}": "{weekdays} {month}-{day}",
        "{date}至 {dated}": "{date} to {dated}",
        "上班": "working day",
        "休息,不计": "day of rest",
        "{hours} 小时": "{hours} h",
        "周五": "Fri",
        "周日": "Sun",
        "工作时": "working hours",
        "市容": "City appearance",
        "垃圾": "Rubbish",
    }
)


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("请选择类别", "Please choose a category"),
        ("一次最多 2000 行,请分几次", "At most 2000 rows at a time; please split them"),
        ("已退回", "Done: Returned"),
        ("A7-13 已退回", "A7-13: done, Returned"),
        (
            "没有登记:请在地图上点选位置;请选择类别",
            "Not registered: Please mark the place on the map; Please choose a category",
        ),
        ("100% 完成", "100% done"),
        (
            "2 工作时,依据 a-1,自 2026-11-27 10:46 起算,2026-11-27 14:46 到期,2026-11-27 11:49 停",
            "2 working hours, by a-1, from 2026-11-27 10:46, due 2026-11-27 14:46, stopped 2026-11-27 11:49",
        ),
        ("11 月 27 日周五上班,计入 2 小时", "Fri 11-27 working day, 2 h counted"),
        ("11 月 27 日周五至 11 月 29 日周日休息,不计", "Fri 11-27 to Sun 11-29 day of rest"),
        ("市容 › 垃圾", "City appearance › Rubbish"),
        ("路灯坏了三天", "路灯坏了三天"),
        ("no Chinese at all", "no Chinese at all"),
    ],
)
def test_a_finished_sentence_finds_its_english(chinese: str, english: str) -> None:
    assert BOOK.say(chinese) == english


def test_what_somebody_typed_stays_inside_a_sentence() -> None:
    said = BOOK.say("登录名“退回”已被使用,请换一个")
    assert said == "The sign-in name “退回” is taken; please choose another"


def written(source: str) -> str:
    environment = Environment(extensions=["jinja2.ext.i18n", ProgramWords], autoescape=True)
    environment.filters["said"] = lambda text: f"<{text}>"
    environment.autoescape = False
    return environment.from_string(source).render(
        row={"label": "动作"}, error={"message": "错"}, person={"name": "张三"}, category={"name": "路灯"},
        categories={"x": {"name": "垃圾"}}, typed={"label": "x"}, label="标签",
        f=lambda label: label,
    )  # fmt: skip


def test_the_names_of_an_expression_say_whose_words_it_holds() -> None:
    assert written("{{ row.label }}|{{ error.message or '' }}|{{ label }}") == "<动作>|<错>|<标签>"
    assert written("{{ category.name }}{{ categories['x'].name }}") == "<路灯><垃圾>"
    assert written("{{ person.name }}{% if row.label == '动作' %}!{% endif %}{{ f(label=1) }}") == "张三!1"


SCRIPT = r"""
const a = "中文", b = '它说"好"', c = /中文/g; // 注释
note.textContent = `请至少填写 ${n > 1 ? "很多" : `${n} 个`} 字`;
const d = 1 / 2, e = "plain";
"""


def test_a_script_keeps_its_code_and_changes_its_words() -> None:
    words = {
        "中文": "Chinese",
        '它说"好"': 'it says "yes"',
        "请至少填写 {1} 字": "At least {1} words",
        "很多": "many",
        "{1} 个": "{1} of",
    }
    said = scripts.exchanged(SCRIPT, lambda text, _at: words[text])
    assert (
        said
        == r"""
const a = "Chinese", b = "it says \"yes\"", c = /中文/g; // 注释
note.textContent = `At least ${n > 1 ? "many" : `${n} of`} words`;
const d = 1 / 2, e = "plain";
"""
    )


def test_every_script_survives_being_taken_apart() -> None:
    for file in [*Path("web/static").glob("*.js"), *Path("web/static/phone").glob("*.js")]:
        source = file.read_text("utf-8")
        assert scripts.exchanged(source, lambda text, _at: text) == source, file


def test_a_python_sentence_is_read_with_named_blanks(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""说明"""\nPATTERN = re.compile("比较")\nraise Wrong(f"最多 {MOST_ROWS} 行,{one.row.label}" "。")\n',
        "utf-8",
    )
    with module.open("rb") as file:
        assert [(line, text) for line, _, text, _ in reading.python(file, (), (), {})] == [
            (3, "最多 {most_rows} 行,{label}。")
        ]


def test_templates_leave_no_chinese_outside_of_gettext() -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"])
    found = []
    for file in sorted(Path("web/templates").rglob("*.html")):
        for data in environment.parse(file.read_text("utf-8")).find_all(nodes.TemplateData):
            found += [f"{file}:{data.lineno} {run}" for run in re.findall(f"{CHINESE.pattern}+", data.data)]
    assert not found, 'write _("…")'


def test_the_committed_catalogue_has_english_for_everything() -> None:
    found, _ = catalogue.brought_up_to_date()
    assert catalogue.troubles(found) == [], "run `make i18n` and fill in web/translations"
    assert {one.id for one in catalogue.kept()} == {one.id for one in found}, "run `make i18n`"


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with catalogue.PO.with_suffix(".mo").open("rb") as file:
        compiled = {one.id: one.string for one in read_mo(file)}
    assert compiled == {one.id: one.string for one in catalogue.kept()} | {"": compiled[""]}


def test_every_sentence_with_blanks_can_be_said() -> None:
    book = Book({str(one.id): str(one.string) for one in catalogue.kept() if one.id})
    for one in book.patterns:
        one.english.format_map(dict.fromkeys(one.fits.groupindex, "x"))
