# Included by the Makefile: rules learnt from a real city, linted and rehearsed.
BENCHMARKS += bench-routing
.PHONY: bench-routing
bench-routing: tools ## rules learnt from real requests; speed of linter, rehearsal and likeness
	$(BIN)/python -m benchmarks.routing

BENCHMARKS += bench-maps
.PHONY: bench-maps
bench-maps: tools ## borders of a metropolis served as files for maps
	$(BIN)/python -m benchmarks.map_copies
