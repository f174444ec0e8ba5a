"""What supervisors see: figures that open into their tickets, maps, reports, classes of problems, load. One file each.

Nobody is ranked, nothing is typed in: every number is a sum that the page links to the tickets of.
"""

from web.supervisor import (
    balance,
    builder,
    classes,
    dashboard,
    maps,
    opened,
    proof,
    reports,
    schemes,
    tables,
)
from web.supervisor.blueprint import blueprint
from web.supervisor.fairness import loads, splits

__all__ = [
    "balance",
    "blueprint",
    "builder",
    "classes",
    "dashboard",
    "loads",
    "maps",
    "opened",
    "proof",
    "reports",
    "schemes",
    "splits",
    "tables",
]
