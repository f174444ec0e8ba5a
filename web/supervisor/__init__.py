"""What supervisors see: figures that open into their tickets, maps, reports, classes of problems, load. One file each.

Nobody is ranked, nothing is typed in: every number is a sum that the page links to the tickets of.
"""

from web.supervisor import dashboard, maps, opened, proof, tables
from web.supervisor.blueprint import blueprint

__all__ = ["blueprint", "dashboard", "maps", "opened", "proof", "tables"]
