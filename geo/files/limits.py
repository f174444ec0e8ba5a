"""How much of a border file is read before it is refused."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes that a city of 65,000 grids stays below (as GeoPackage; as GeoJSON one file per district)."""

    file_bytes: int = 128 * 1024 * 1024
    features: int = 200_000
    vertices: int = 6_000_000
    feature_vertices: int = 500_000
    rings: int = 5_000
    text: int = 500
    zip_members: int = 200
    unpacked_bytes: int = 512 * 1024 * 1024
    zip_ratio: int = 100
    child_memory_bytes: int = 3 * 1024 * 1024 * 1024
    child_seconds: int = 120


DEFAULT_LIMITS = Limits()
