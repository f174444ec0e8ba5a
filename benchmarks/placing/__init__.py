"""Placing points: the arms of the geo benchmark, ours and everybody else's, and how they are timed."""
