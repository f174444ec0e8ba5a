"""Run as a program: a workbook on stdin, the rows of its first sheet as JSON on stdout, within hard limits."""

import datetime
import io
import json
import resource
import sys

MAX_MEMORY_BYTES = 512 * 1024 * 1024
MAX_CPU_SECONDS = 10
MAX_COLUMNS, MAX_ROWS = 100, 60_000


def text_of(value: object) -> str:
    """A cell as a person reads it: whole numbers without a fraction, dates in ISO."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    import python_calamine

    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    sheet = workbook.get_sheet_by_index(0)
    if sheet.total_width > MAX_COLUMNS or sheet.total_height > MAX_ROWS:
        sys.exit("too large")
    rows = [[text_of(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
    sys.stdout.write(json.dumps(rows))


if __name__ == "__main__":
    main()
