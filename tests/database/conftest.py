"""The application of the web tests, for what happens to it when its database is in trouble."""

from tests.web.conftest import app, program

__all__ = ["app", "program"]
