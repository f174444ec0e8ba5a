"""The words for what is wrong with a field; a field that is missing is named."""

from pydantic import BaseModel, ValidationError

SENTENCES = {
    "missing": "请填写",
    "extra_forbidden": "没有这个字段",
    "string_too_long": "太长了,最多 {max_length} 个字",
    "string_too_short": "请填写",
    "string_pattern_mismatch": "格式不对",
    "string_type": "应为文字",
    "uuid_parsing": "应为 UUID",
    "uuid_type": "应为 UUID",
    "literal_error": "请从 {expected} 中选择",
    "float_parsing": "应为数字",
    "float_type": "应为数字",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "int_from_float": "应为整数",
    "finite_number": "应为有限的数字",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "too_long": "最多 {max_length} 项",
    "too_short": "请至少给出 {min_length} 项",
    "bool_parsing": "应为是或否",
    "dict_type": "应为对象",
    "tuple_type": "应为列表",
    "model_type": "应为对象",
    "model_attributes_type": "应为对象",
    "timezone_aware": "时间须带时区",
    "datetime_from_date_parsing": "时间格式不对,例如 2026-11-23T09:30:00+08:00",
    "datetime_parsing": "时间格式不对,例如 2026-11-23T09:30:00+08:00",
}
NAMES = {
    "answer": "答复",
    "area": "大致地点",
    "basis": "依据",
    "category_code": "类别",
    "code": "编号",
    "lat": "位置",
    "login": "账号",
    "lon": "位置",
    "name": "称呼",
    "password": "密码",
    "phone": "电话",
    "photos": "照片",
    "reason": "理由",
    "solved": "是否解决",
    "text": "情况说明",
    "title": "标题",
}
LACKING = ("missing", "string_too_short", "too_short")


def field_sentences(error: ValidationError, kind: type[BaseModel] | None = None) -> dict[str, str]:
    """Each wrong field with one Chinese sentence; what was sent is never repeated back."""
    found: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in one["loc"] if not str(part).startswith("function-")) or "body"
        sentence = SENTENCES.get(one["type"], "填写有误").format_map({**one.get("ctx", {})})
        if one["type"] in LACKING and sentence == SENTENCES["missing"]:
            sentence += _name(path, kind)
        found.setdefault(path, sentence)
    return found


def _name(path: str, kind: type[BaseModel] | None) -> str:
    field = kind.model_fields.get(path) if kind else None
    name = (field.title if field else None) or NAMES.get(path.rpartition(".")[2], "")
    return f"“{name}”" if name else ""
