"""All views that every desk has, hung onto their blueprint."""

from web.desk import beside, inbox, keeping_views, leaving, ready_words
from web.desk.blueprint import blueprint

__all__ = ["beside", "blueprint", "inbox", "keeping_views", "leaving", "ready_words"]
