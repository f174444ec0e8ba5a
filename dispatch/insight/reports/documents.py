"""A bulletin as Word and as a workbook: the same content gives the same bytes.

The Word file is made from a template that an office may edit: `bulletin.docx` in the instance folder, else the shipped
one. Its fields are those of the content; `{{ chart }}` is the picture of the month's days, `{{ map }}` that of its
places with `{{ map_legend }}`.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from PIL import Image, ImageDraw

from dispatch.insight.reports import drawing
from dispatch.insight.reports.sheets import Sheet, as_xlsx

SHIPPED = Path(__file__).parent / "bulletin.docx"
MOMENT = (1980, 1, 1, 0, 0, 0)
BLUE, GREY = "#0072b2", "#c8d0d3"


def as_docx(content: dict[str, Any], instance_path: Path) -> bytes:
    """The Word file."""
    own = instance_path / "bulletin.docx"
    document = DocxTemplate(own if own.exists() else SHIPPED)
    picture = InlineImage(
        document, io.BytesIO(bars([number for _, number in content["daily"]])), width=Mm(160)
    )
    said = content.get("map")
    drawn = InlineImage(document, io.BytesIO(drawing.as_png(said)), width=Mm(150)) if said else ""
    words = drawing.legend(said) if said else ""
    document.render({**content, "chart": picture, "map": drawn, "map_legend": words}, autoescape=True)
    kept = io.BytesIO()
    document.save(kept)
    return _undated(kept.getvalue())


def _undated(file: bytes) -> bytes:
    """The same parts in a zip that does not say when it was made."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            new.writestr(zipfile.ZipInfo(name, MOMENT), old.read(name), zipfile.ZIP_DEFLATED)
    return kept.getvalue()


def bars(numbers: list[int], width: int = 1200, height: int = 320) -> bytes:
    """One bar for each number over a line every quarter of the highest; the words stand in the document."""
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    highest = max(numbers, default=0) or 1
    for quarter in range(5):
        y = 10 + (height - 20) * quarter / 4
        pen.line([(0, y), (width, y)], fill=GREY)
    step = width / max(len(numbers), 1)
    for place, number in enumerate(numbers):
        top = height - 10 - (height - 20) * number / highest
        pen.rectangle(
            [place * step + step * 0.15, top, (place + 1) * step - step * 0.15, height - 10], fill=BLUE
        )
    kept = io.BytesIO()
    image.save(kept, "PNG")
    return kept.getvalue()


def workbook(content: dict[str, Any]) -> bytes:
    """Every table of the bulletin as a sheet."""
    rows = [
        [kind["label"], r["label"], r["now"], r["before"], r["words"]]
        for kind in content["kinds"]
        for r in kind["rows"]
    ]
    sheets = [
        Sheet("指标", ["种类", "指标", "本期", "上期", "口径"], rows),
        Sheet("剔除", ["不在分母中的", "件"], [[one["label"], one["number"]] for one in content["excluded"]]),
        *(
            Sheet(
                f"按{table['label']}",
                [table["label"], "登记", "派单", "结案"],
                [[r["name"], r["received"], r["dispatched"], r["closed"]] for r in table["rows"]],
            )
            for table in content["tables"]
        ),
        Sheet("每日登记", ["日期", "登记"], content["daily"]),
    ]
    return as_xlsx(sheets)
