"""The pages of the desks over the town."""

from tests.web.conftest import app, program, visitor

__all__ = ["app", "program", "visitor"]
