"""The grid worker's pages, made for a phone: today, report in few taps, verify with before and after.

`today` and `reporting` draw pages that also live on the phone: `shell` gives it the same pages without anything
personal, `desk` the values to fill them with, and what is sent from there goes through the API.
"""

from web.worker import bundles, desk, inspecting, reporting, shell, today, verifying
from web.worker.blueprint import blueprint, phone

__all__ = ["blueprint", "bundles", "desk", "inspecting", "phone", "reporting", "shell", "today", "verifying"]
