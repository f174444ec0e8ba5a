"""Benchmarks: every figure a ratio inside one run, medians of interleaved rounds. See README.md."""
