"""A department's pages: its queue, what burns first, and what is done with many tickets at once."""

from web.department import bulk, queue
from web.department.blueprint import blueprint

__all__ = ["blueprint", "bulk", "queue"]
