"""How often a stranger may try: addresses whose secret could be guessed answer only so many times a minute.

Counts live in Redis, shared by all processes; while it is away each process counts for itself.
"""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from grid.settings import Settings

GUESSES = "30 per minute"
REPORTS = "10 per minute;60 per hour"
LOOK_UPS = "6 per minute;30 per hour"

_limiter = Limiter(
    key_func=get_remote_address,
    in_memory_fallback_enabled=True,
    in_memory_fallback=[],
    headers_enabled=False,
)
reporting = _limiter.shared_limit(REPORTS, scope="reporting")
looking_up = _limiter.shared_limit(LOOK_UPS, scope="looking up")
guessable = _limiter.shared_limit(GUESSES, scope="guessing")


def register(app: Flask, its: Settings) -> None:
    """Count in this deployment's Redis."""
    url = its.redis_url or "memory://"
    app.config["RATELIMIT_STORAGE_URI"] = f"redis+{url}" if url.startswith("unix://") else url
    _limiter.init_app(app)
