"""Names that sound right and codes that look right, under a division prefix (99) that no province has."""

import numpy as np

PREFIX = "9901"
CITY_CODE = "990100000000"
CITY_NAME = "云岭市(虚构)"

_DISTRICTS = ("云溪", "松岚", "镜湖", "青屏", "鹿鸣", "望川", "栖霞岭", "石榴湾", "白鹭洲", "金穗")
_FIRST = "安宁和顺永康福泰瑞昌兴盛文华春晖明德清源云锦玉泉景星长乐丰裕百合紫薇杨柳梧桐海棠丹枫翠竹碧波晨曦"
_FIRST_PAIRS = tuple(_FIRST[i : i + 2] for i in range(0, len(_FIRST), 2))
_SECOND = ("里", "桥", "巷", "园", "苑", "门", "井", "营", "岗", "坊", "湾", "堤")
_SIDES = ("", "东", "西", "南", "北", "中")


def district_name(serial: int) -> str:
    return _DISTRICTS[serial % len(_DISTRICTS)] + "区"


def street_name(serial: int, *, rural: bool) -> str:
    """Unique for the first couple of hundred serials."""
    first = _FIRST_PAIRS[serial * 7 % len(_FIRST_PAIRS)]
    second = ("", *_SECOND)[serial // len(_FIRST_PAIRS) % (len(_SECOND) + 1)]
    return f"{first}{second}{'镇' if rural else '街道'}"


def community_name(rng: np.random.Generator, serial: int, *, rural: bool) -> str:
    """Repeats across streets, as real names do."""
    first = _FIRST_PAIRS[int(rng.integers(len(_FIRST_PAIRS)))]
    if rural:
        return f"{first}{('庄', '屯', '坪', '塘')[serial % 4]}村"
    side = _SIDES[serial % len(_SIDES)]
    return f"{first}{_SECOND[int(rng.integers(len(_SECOND)))]}{side}社区"


def street_code(district: str, serial: int, *, rural: bool) -> str:
    """001–099 are sub-districts, 100–199 towns."""
    return f"{district[:6]}{serial + (100 if rural else 1):03d}000"


def community_code(street: str, serial: int, *, rural: bool) -> str:
    """001–199 are neighbourhoods, 200–399 villages."""
    return f"{street[:9]}{serial + (200 if rural else 1):03d}"


def grid_code(community: str, serial: int) -> str:
    return f"{community}{serial + 1:03d}"
