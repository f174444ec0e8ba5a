"""Short codes that can be read over the phone: Crockford base 32, date + random serial + check character.

`3F2-7QK9D-M`: days since 2020-01-01 (3), a serial drawn at random within the day (5), check character mod 37.
A random serial tells nobody how many tickets there were; a repeated one is refused by the unique key and redrawn.
"""

import secrets
from datetime import date

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECKS = ALPHABET + "*~$=U"
FIRST_DAY = date(2020, 1, 1)
DATE_LENGTH, SERIAL_LENGTH = 3, 5
BASE, MODULUS = 32, 37
READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def new_code(on: date) -> str:
    """A fresh code for a local day; avoids the five check signs that are hard to say."""
    while True:
        number = (on - FIRST_DAY).days * BASE**SERIAL_LENGTH + secrets.randbelow(BASE**SERIAL_LENGTH)
        check = CHECKS[number % MODULUS]
        if check in ALPHABET:
            digits = _digits(number, DATE_LENGTH + SERIAL_LENGTH)
            return f"{digits[:DATE_LENGTH]}-{digits[DATE_LENGTH:]}-{check}"


def read_code(text: str) -> str | None:
    """The code as stored, however it was typed; None when it cannot be one (a slip of one character shows)."""
    typed = text.strip().upper().translate(READ_AS)
    if len(typed) != DATE_LENGTH + SERIAL_LENGTH + 1 or any(sign not in ALPHABET for sign in typed[:-1]):
        return None
    number = 0
    for sign in typed[:-1]:
        number = number * BASE + ALPHABET.index(sign)
    if CHECKS[number % MODULUS] != typed[-1]:
        return None
    return f"{typed[:DATE_LENGTH]}-{typed[DATE_LENGTH:-1]}-{typed[-1]}"


def _digits(number: int, length: int) -> str:
    signs: list[str] = []
    for _ in range(length):
        number, rest = divmod(number, BASE)
        signs.append(ALPHABET[rest])
    return "".join(reversed(signs))
