"""Where: geometry, frames of reference, borders and the index that places a point.

A pure library: it imports nothing of ours, no Flask and no database.
"""
