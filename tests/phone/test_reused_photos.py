"""A photo that was shown before on another matter is found, also when it was compressed anew."""

import io
import random

from PIL import Image

from dispatch.record.evidence import photos, reuse
from tests.town import IN_EAST, Town


def scene(seed: int) -> Image.Image:
    """Something with edges, as a street has them."""
    chance = random.Random(seed)
    small = Image.new("RGB", (12, 9))
    small.putdata([(chance.randrange(256), chance.randrange(256), chance.randrange(256)) for _ in range(108)])
    return small.resize((960, 720), Image.Resampling.BICUBIC)


def jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def test_the_same_picture_on_another_ticket_is_found(town: Town) -> None:
    def kept(image: Image.Image, quality: int = 85) -> str:
        data = jpeg(image, quality)
        return photos.store(town.database, town.world.settings, data, None, town.now).sha256

    first = town.worker.reports(photos=(kept(scene(1)),)).code
    again = town.worker.reports(at=IN_EAST, photos=(kept(scene(1).resize((640, 480)), 60),)).code
    other = town.worker.reports(photos=(kept(scene(2)),)).code
    blank = town.worker.reports(photos=(kept(Image.new("RGB", (640, 480), "grey")),)).code
    with town.database.reading() as session:
        found = {
            code: [r.other_code for r in reuse.reused(session, town.ticket(code))]
            for code in (first, again, other, blank)
        }
    assert found == {first: [again], again: [first], other: [], blank: []}
