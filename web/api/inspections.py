"""What was found at a place of an inspection list, as the phone sends it."""

from typing import Annotated, Literal
from uuid import UUID

from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field
from sqlmodel import Session

from dispatch.engine import jobs
from dispatch.record.intake import Reported
from dispatch.record.oversight import inspections
from dispatch.record.oversight.models import PointResult
from web.api.blueprint import blueprint
from web.forms import MAX_PHOTOS, Sha256, Strict, Words
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world


class InspectedIn(Strict):
    """`payload_version` as of the report."""

    payload_version: Literal[1, 2] = 2
    result: PointResult
    text: Words = None
    photos: Annotated[tuple[Sha256, ...], Field(max_length=MAX_PHOTOS)] = ()


class InspectedOut(BaseModel):
    """The ticket where something was abnormal."""

    result: PointResult
    code: str | None
    state: str | None


@blueprint.post("/inspections/<uuid:point_id>")
@permission_required("inspection:check")
@blueprint.input(InspectedIn, arg_name="form")
@blueprint.output(InspectedOut)
@blueprint.doc(
    summary="What was found at a place of a list; the same answer again is answered alike",
    responses=[401, 403, 404, 409, 422],
)
def inspected(point_id: UUID, form: InspectedIn) -> ResponseReturnValue:
    actor, moment = current_actor(), now()

    def work(session: Session) -> Reported | None:
        return inspections.check(
            session, point_id, form.result, actor, world(), moment, text=form.text, photos=form.photos
        )

    made = database().write(work)
    jobs.wake(settings())
    return InspectedOut(  # type: ignore[return-value]
        result=form.result, code=made.code if made else None, state=made.state if made else None
    )
