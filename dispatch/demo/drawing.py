"""Small drawn pictures in place of photos: a street, and something on it that is there before and gone after."""

import io
import random

from PIL import Image, ImageDraw

SIZE = (480, 360)
SKIES = ((182, 206, 224), (205, 212, 214), (164, 190, 214), (214, 204, 190))
WALLS = ((176, 150, 126), (158, 162, 160), (188, 172, 146), (142, 128, 120), (198, 186, 170))
MESSES = ((72, 92, 60), (110, 84, 52), (58, 58, 62), (132, 60, 48), (52, 86, 112))


def draw(number: int, *, mended: bool) -> bytes:
    """The street of that number as JPEG, with its trouble or without; the same number, the same bytes."""
    rng = random.Random(number)  # noqa: S311 - a picture, not a secret
    image = Image.new("RGB", SIZE, rng.choice(SKIES))
    pen = ImageDraw.Draw(image)
    _houses(pen, rng)
    pen.polygon([(0, 360), (0, 262), (480, 248), (480, 360)], fill=(112, 112, 114))
    pen.polygon([(0, 262), (0, 238), (480, 226), (480, 248)], fill=(168, 164, 156))
    for x in range(20, 480, 90):
        pen.polygon([(x, 316), (x + 44, 314), (x + 46, 321), (x, 323)], fill=(226, 224, 216))
    where = (rng.randint(90, 340), rng.randint(252, 290))
    colour = rng.choice(MESSES)
    pieces = [(rng.gauss(0, 26), rng.gauss(0, 9), rng.randint(6, 20)) for _ in range(26)]
    if mended:
        pen.ellipse([where[0] - 44, where[1] - 12, where[0] + 44, where[1] + 14], fill=(122, 122, 124))
    else:
        for dx, dy, size in pieces:
            shade = tuple(max(0, min(255, c + rng.randint(-28, 28))) for c in colour)
            left, top = where[0] + dx, where[1] + dy
            pen.ellipse([left - size, top - size * 0.6, left + size, top + size * 0.6], fill=shade)
    pen.rectangle([0, 0, 480, 16], fill=(40, 40, 44))
    pen.text((6, 3), f"SYNTHETIC  #{number:03d}  {'AFTER' if mended else 'BEFORE'}", fill=(240, 240, 240))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=72)
    return out.getvalue()


def _houses(pen: ImageDraw.ImageDraw, rng: random.Random) -> None:
    x = -20
    while x < SIZE[0]:
        width, top = rng.randint(60, 120), rng.randint(40, 150)
        pen.rectangle([x, top, x + width, 244], fill=rng.choice(WALLS), outline=(96, 92, 88))
        for row in range(top + 14, 220, 30):
            for column in range(x + 10, x + width - 14, 24):
                pen.rectangle([column, row, column + 11, row + 15], fill=(86, 100, 112))
        x += width + rng.randint(0, 14)
