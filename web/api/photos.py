"""Photos over the API, apart from the ticket: sent once, named by their content hash."""

import json
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from dispatch.engine import jobs
from dispatch.record.evidence import photos
from grid.errors import InputError
from web.api.answers import PhotoOut
from web.api.blueprint import blueprint
from web.forms import TakenForm, check
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings


def _taken() -> dict[str, Any] | None:
    """What the phone says of the photo, from the field `taken` beside it."""
    text = request.form.get("taken") if request.files else None
    if not text:
        return None
    try:
        values = json.loads(text)
    except ValueError:
        raise InputError("照片的拍摄信息(taken)不是 JSON", {"taken": "应为 JSON 对象"}) from None
    if not isinstance(values, dict):
        raise InputError("照片的拍摄信息(taken)应为 JSON 对象", {"taken": "应为 JSON 对象"})
    return check(TakenForm, values).model_dump(mode="json", exclude_none=True)


@blueprint.post("/photos")
@permission_required("ticket:report", "ticket:register", "ticket:handle", "ticket:verify")
@blueprint.output(PhotoOut, status_code=201)
@blueprint.doc(
    summary="Upload a photo, as the raw body (image/*) or as the multipart field `photo`",
    responses=[401, 403, 413, 422],
)
def upload() -> ResponseReturnValue:
    file = request.files.get("photo")
    data = file.read() if file else request.get_data()
    if not data:
        raise InputError("没有收到照片", {"photo": "请把照片作为请求内容,或放在 photo 字段"})
    row = photos.store(database(), settings(), data, current_actor(), now(), _taken())
    jobs.ask_for(settings(), "make_thumbnails")
    return PhotoOut(sha256=row.sha256, width=row.width, height=row.height), 201  # type: ignore[return-value]
