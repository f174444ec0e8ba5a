"""The one base of our errors; `web/errors.py` turns each kind into HTTP by one table."""


class GridError(Exception):
    """Something a person can act on; its text says what is wrong, where, and what to do (Chinese)."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class SettingsError(GridError):
    """The configuration is wrong; named at start."""


class InputError(GridError):
    """What was given cannot be used; `fields` maps a field to its sentence."""

    def __init__(self, message: str, fields: dict[str, str] | None = None, **details: object) -> None:
        super().__init__(message, **details)
        self.fields = fields or {}


class NotAllowed(GridError):
    """This actor may not do this."""


class NotFound(GridError):
    """It does not exist, or the actor may not know that it does."""


class Conflict(GridError):
    """The thing has changed meanwhile, or is not in a state for this."""


class Gone(GridError):
    """A link that has expired or was used."""


class Unavailable(GridError):
    """A part (database, storage) cannot answer now; the same request may be sent again."""


class TooMany(GridError):
    """Too often; `details["retry_after_s"]` says when it may be tried again."""
