"""The application of the web tests, watched."""

from tests.web.conftest import app, program, visitor

__all__ = ["app", "program", "visitor"]
