"""The open index of the active borders: swapped when another generation becomes active."""

import threading
from pathlib import Path

from geo.frames import Frame
from geo.locating import Locator, Placed
from grid.errors import Unavailable
from grid.models import Generation


class Places:
    """Places points in the active generation; safe for threads, cheap to ask."""

    def __init__(self, instance_path: Path) -> None:
        self._instance_path = instance_path
        self._locator: Locator | None = None
        self._index_file: str | None = None
        self._lock = threading.Lock()

    def use(self, generation: Generation | None) -> None:
        """Open this generation's index, unless it is the open one."""
        wanted = generation.index_file if generation else None
        with self._lock:
            if wanted != self._index_file:
                self._locator = Locator.open(self._instance_path / wanted) if wanted else None
                self._index_file = wanted

    def locate(self, *, lon: float, lat: float, accuracy_m: float | None, frame: Frame | str) -> Placed:
        """Place a point; `Unavailable` while no borders are active."""
        locator = self._locator
        if locator is None:
            raise Unavailable("还没有启用的边界,请管理员先用 flask grid import 导入并启用")
        return locator.locate(lon=lon, lat=lat, accuracy_m=accuracy_m, frame=frame)
