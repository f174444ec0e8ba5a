"""Pinyin initials of Chinese words without a dictionary: the common characters stand in pinyin order in GB 2312."""

# The first common character (GB 2312 level one) of each initial; no Mandarin syllable begins with I, U or V.
FIRST = (
    (0xB0A1, "a"), (0xB0C5, "b"), (0xB2C1, "c"), (0xB4EE, "d"), (0xB6EA, "e"), (0xB7A2, "f"), (0xB8C1, "g"),
    (0xB9FE, "h"), (0xBBF7, "j"), (0xBFA6, "k"), (0xC0AC, "l"), (0xC2E8, "m"), (0xC4C3, "n"), (0xC5B6, "o"),
    (0xC5BE, "p"), (0xC6DA, "q"), (0xC8BB, "r"), (0xC8F6, "s"), (0xCBFA, "t"), (0xCDDA, "w"), (0xCEF4, "x"),
    (0xD1B9, "y"), (0xD4D1, "z"),
)  # fmt: skip
END = 0xD7FA


def initials(name: str) -> str:
    """Lower-case initials and digits: 井巷公园 → jxgy. Rare characters give nothing; an import may say them."""
    return "".join(_initial(sign) for sign in name)


def _initial(sign: str) -> str:
    if sign.isascii():
        return sign.lower() if sign.isalnum() else ""
    try:
        code = int.from_bytes(sign.encode("gb2312"))
    except UnicodeEncodeError:
        return ""
    found = ""
    if code < END:
        for first, letter in FIRST:
            if code < first:
                break
            found = letter
    return found
