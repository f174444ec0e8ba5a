"""The command centre: the stream and its queues, rulings, whistles, what is stuck, doubles, the wall."""

from web.dispatcher import board, doubles, stream, wall, whistles
from web.dispatcher.blueprint import blueprint

__all__ = ["blueprint", "board", "doubles", "stream", "wall", "whistles"]
