"""Every page of the desks with something on it."""

from uuid import uuid4

from dispatch.record.models import Source
from tests.town import CONSULT, DRAINAGE, GARBAGE, IN_WEST, PARKING, POLICE, SANITATION, STREET_OFFICE, Town

PAGES = (
    ("department", "/department/"),
    ("department", "/tickets/{plain}"),
    ("department", "/desk/inbox"),
    ("department", "/desk/leave"),
    ("department", "/desk/wording?action=handle"),
    ("chief", "/desk/leave"),
    ("dispatcher", "/dispatch/"),
    ("dispatcher", "/dispatch/queues/objection"),
    ("dispatcher", "/dispatch/rulings/{objected}"),
    ("dispatcher", "/dispatch/overdue"),
    ("dispatcher", "/dispatch/doubles"),
    ("dispatcher", "/dispatch/whistles"),
    ("dispatcher", "/dispatch/wall"),
    ("street", "/dispatch/whistles/{joint}"),
    ("street", "/community/"),
    ("community", "/community/"),
    ("operator", "/hotline/register?tel=13911112222"),
    ("operator", "/hotline/registered/{plain}"),
    ("operator", "/hotline/knowledge"),
    ("operator", "/hotline/themes"),
    ("operator", "/hotline/platform"),
    ("agent", "/hotline/callbacks"),
    ("agent", "/hotline/callbacks/{asked}"),
    ("agent", "/hotline/messages"),
    ("supervisor", "/desk/opinions"),
    ("lead_officer", "/leads/"),
)


def furnished(town: Town) -> dict[str, str]:
    """A ticket for each kind of page."""
    by_telephone = {
        "reporter_name": "赵大爷",
        "reporter_phone": f"138{uuid4().int % 10**8:08}",
        "consented": True,
        "notice_version": "1",
    }

    def asks(**more: object) -> str:
        code = town.operator.reports(
            CONSULT, source=Source.HOTLINE, photos=(), text="清运的时间是几点", **more
        ).code
        town.dispatcher.acts(code, "dispatch", organisation=SANITATION)
        return code

    asked, joint = asks(**by_telephone), town.worker.reports(GARBAGE, text="垃圾堆在路口").code
    town.department.acts(asked, "contact", outcome="reached")
    town.department.acts(asked, "handle", solved="solved", answer="每天六点清运")
    objected = asks()
    town.department.acts(objected, "object", reason_code="function", organisation=DRAINAGE, basis="三定方案")
    town.department.acts(
        joint, "object", reason_code="function", organisation=STREET_OFFICE, basis="街道牵头"
    )
    town.dispatcher.acts(joint, "uphold_objection", organisation=STREET_OFFICE)
    town.street.acts(joint, "whistle", organisations=[DRAINAGE, POLICE], reason="积水连片")
    town.worker.reports(PARKING, at={**IN_WEST, "lon": IN_WEST["lon"] + 0.001})
    asks(**by_telephone)
    return {"plain": asks(), "asked": asked, "objected": objected, "joint": joint}
