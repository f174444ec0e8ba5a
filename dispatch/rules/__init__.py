"""Decisions as pure functions over values: no rows, no clock, no database."""
