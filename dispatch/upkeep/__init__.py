"""Looks after what is kept: verify it, anchor it outside the database, back it up and bring it back.

Imports `dispatch.record` and below; the engine calls it when its time has come, the command line at any time.
"""
