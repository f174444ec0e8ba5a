"""Passwords: argon2id with 19 MiB, two passes, one lane; checking an unknown account takes as long as a known one."""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from grid.errors import InputError

SHORTEST, LONGEST = 10, 200
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# A hash with these same parameters of a password that nobody has.
NOBODYS_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$4n4xKVTVj2ZLzm1PiE1Jtg$F4DU4siuSWxq2CK9qIxyKCfdnG8Tw1EfNo9FDwLUZaM"
)


def normal_login(login: str) -> str:
    """One spelling of a login: no width variants, no case, no spaces around."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def hash_password(password: str) -> str:
    """The hash to be kept."""
    return _HASHER.hash(_spelled(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is right; takes the same time when there is no hash to compare with."""
    try:
        return _HASHER.verify(password_hash or NOBODYS_HASH, _spelled(password)) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def check_password(password: str, *, login: str, name: str) -> None:
    """Refuse a password that is too short, too plain, or speaks of its owner.

    Raises
    ------
    InputError
        With the field `password`.
    """
    spelled = _spelled(password)
    sentence = None
    if len(spelled) < SHORTEST:
        sentence = f"密码至少 {SHORTEST} 个字符,可以是一句话"
    elif len(spelled) > LONGEST:
        sentence = f"密码最多 {LONGEST} 个字符"
    elif len(set(spelled)) < 5 or spelled.isdigit():
        sentence = "密码太简单(不能只有数字或少数几个字符),请换一个"
    elif login.casefold() in spelled.casefold() or name in spelled:
        sentence = "密码不能含有登录名或姓名,请换一个"
    if sentence:
        raise InputError(sentence, {"password": sentence})


def _spelled(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
