"""The application of the web tests, in the engine room."""

from tests.web.conftest import app, visitor

__all__ = ["app", "visitor"]
