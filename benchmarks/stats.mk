# Included by the makefile: figures over a million tickets (FULL=1: ten million).
BENCHMARKS += bench-stats
.PHONY: bench-stats
bench-stats: tools ## dashboard, slices, rebuild and export over a million tickets (FULL=1: ten million)
	$(BIN)/python -m benchmarks.stats
