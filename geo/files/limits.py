"""How much of a border file is read before it is refused."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes a city of 65,000 grids stays well below."""

    file_bytes: int = 256 * 1024 * 1024
    features: int = 200_000
    vertices: int = 6_000_000
    feature_vertices: int = 500_000
    rings: int = 5_000
    text: int = 500


DEFAULT_LIMITS = Limits()
