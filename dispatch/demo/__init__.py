"""A made-up city at work, for trying the service out: borders, people, and three months of tickets.

Everything comes about as in a real city: through the importers' tables, `actions.report` and `actions.act`, with
the clock of the day it happened. `texts.csv` holds what people say; nothing here is imported by the service itself.
"""
