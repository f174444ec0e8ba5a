"""One family of errors: a Chinese sentence that says what, where and what to do."""


class GeoError(ValueError):
    """Something about a place, a border or a file that cannot be accepted.

    `file`, `layer` and `feature` name the spot for whoever has to mend it.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        layer: str | None = None,
        feature: str | int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.layer = layer
        self.feature = feature

    def __str__(self) -> str:
        where = [
            f"{label}“{value}”"
            for label, value in (("文件", self.file), ("图层", self.layer), ("要素", self.feature))
            if value is not None
        ]
        return f"{'、'.join(where)}:{self.message}" if where else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.file, self.layer, self.feature)


def _rebuild(
    kind: type[GeoError], message: str, file: str | None, layer: str | None, feature: str | int | None
) -> GeoError:
    return kind(message, file=file, layer=layer, feature=feature)


class UnknownFrame(GeoError):
    """The frame of reference is not one we know."""


class BadPoint(GeoError):
    """A coordinate that is no place on earth."""


class BadBorders(GeoError):
    """A set of areas that cannot be made into an index."""


class BadIndex(GeoError):
    """An index file that is damaged or of another version."""


class BadFile(GeoError):
    """An uploaded file that is refused."""
