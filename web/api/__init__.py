"""The JSON API `/api/v1`: the same forms and the same writer as the pages.

A program signs in once (`POST /session`) and sends the token as `Authorization: Bearer …`; a browser's
session works too, with the form token in `X-CSRFToken`. Errors are problem+json (RFC 9457).
"""

from web.api import calls, helping, inspections, photos, sessions, tickets
from web.api.blueprint import blueprint

__all__ = ["blueprint", "calls", "helping", "inspections", "photos", "sessions", "tickets"]
