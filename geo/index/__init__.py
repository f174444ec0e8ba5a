"""The point-location index: one file per generation, memory-mapped, exact on a lattice of 1e-7 degrees.

`docs/geo.md` explains how it works and why it is exact.
"""
