"""All views that every desk has, hung onto their blueprint."""

from web.desk import beside, keeping_views, ready_words
from web.desk.blueprint import blueprint

__all__ = ["beside", "blueprint", "keeping_views", "ready_words"]
