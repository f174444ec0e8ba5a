"""The resident's pages, without account: scan a grid's code and report, follow by link or number, answer once asked."""

from web.resident import answering, following, scanning
from web.resident.blueprint import blueprint

__all__ = ["answering", "blueprint", "following", "scanning"]
