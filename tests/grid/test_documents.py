"""The page on the standing world names every column there is, and the required ones in bold."""

import re
from pathlib import Path

import pytest

from grid.importing import organisations, responsibilities, staff
from grid.importing.columns import Column
from grid.importing.responsibilities import Vocabulary

PAGE = Path(__file__).parents[2] / "docs" / "standing-world.md"
WORDS = Vocabulary({}, {}, {}, lambda category, kind, part: None)
TABLES = {
    "organisations": organisations.columns({}),
    "staff, a row per post": staff.COLUMNS,
    "responsibilities": responsibilities.columns(WORDS),
}


@pytest.mark.parametrize("table", TABLES)
def test_the_page_names_the_columns_of(table: str) -> None:
    line = re.search(rf"^\| {table} \| (.*) \|$", PAGE.read_text("utf-8"), re.M)
    assert line is not None
    written = line[1].split()

    def spelled(column: Column) -> str:
        return f"**{column.heading}**" if column.required else column.heading

    assert sorted(written) == sorted(spelled(column) for column in TABLES[table])
