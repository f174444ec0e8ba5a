"""The pages over the town, in two languages."""

from tests.web.conftest import app, program, visitor

__all__ = ["app", "program", "visitor"]
