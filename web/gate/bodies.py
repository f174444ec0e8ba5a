"""Reading JSON from strangers: size, depth, digits, doubled keys, NaN and broken characters are refused."""

import json
from typing import Any, NoReturn

from flask import Flask, request
from flask.json.provider import DefaultJSONProvider

from grid.errors import InputError

MAX_JSON_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_DIGITS = 40


class Malformed(InputError):
    """The body is not what this service reads as JSON."""


class StrictJSON(DefaultJSONProvider):
    """Flask's JSON with a strict reader; Chinese is written as itself."""

    ensure_ascii = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse, or raise `Malformed` with what is wrong."""
        return read_json(s)


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises
    ------
    Malformed
        Not UTF-8, not JSON, too deep, too long a number, a key given twice, NaN, or half a surrogate pair.
    """
    if len(text) > MAX_JSON_BYTES:
        raise Malformed(f"请求内容超过 {MAX_JSON_BYTES // 1024} KB,请缩小后重发(照片请单独上传)")
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_int=_short_int,
            parse_float=_short_float,
            object_pairs_hook=_single_keys,
        )
    except RecursionError:
        raise Malformed("请求内容嵌套过深,请检查格式") from None
    except UnicodeDecodeError:
        raise Malformed("请求内容不是 UTF-8 编码") from None
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            raise Malformed(f"请求内容不是合法的 JSON(第 {error.lineno} 行第 {error.colno} 列)") from None
        raise
    _check_shape(value)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed(f"请求内容含有 {name},数字必须是有限的")


def _short_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise Malformed("请求内容含有过长的数字")
    return int(digits)


def _short_float(digits: str) -> float:
    if len(digits) > MAX_DIGITS:
        raise Malformed("请求内容含有过长的数字")
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Malformed("请求内容含有过大的数字")
    return number


def _single_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("请求内容有重复的字段名")
    return found


def _check_shape(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        for item in level:
            for text in item if isinstance(item, dict) else (item,):
                if isinstance(text, str) and not _is_whole(text):
                    raise Malformed("请求内容含有不完整的字符(孤立的代理项)")
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise Malformed(f"请求内容嵌套超过 {MAX_DEPTH} 层")


def _is_whole(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def limit_body() -> None:
    """Before every request: JSON is small, whatever photos may be."""
    if request.mimetype == "application/json":
        request.max_content_length = MAX_JSON_BYTES


def register(app: Flask) -> None:
    """Make the strict reader the application's own."""
    app.json = StrictJSON(app)
    app.before_request(limit_body)
