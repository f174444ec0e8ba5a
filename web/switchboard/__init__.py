"""The operator's screen beside the form of a call: who rings, what may answer, refusals, theme desks, the city platform."""

from web.switchboard import desks, during, knowledge, platform, ringing
from web.switchboard.blueprint import blueprint

__all__ = ["blueprint", "desks", "during", "knowledge", "platform", "ringing"]
