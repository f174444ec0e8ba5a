"""What stands above single tickets: supervision letters, the register of plans, inspections, random re-checks.

A letter or a task is no ticket and changes none; where a ticket must change, `actions` is called.
"""
