"""Kills the parts of the running service at random under load, then counts what was lost, doubled or broken.

`python -m tests.drill --kills 200` writes `benchmarks/results/drill.json`; the test runs a short one.
"""
