# Included by the Makefile: rules learnt from a real city, linted and rehearsed.
BENCHMARKS += bench-routing
.PHONY: bench-routing
bench-routing: tools ## rules learnt from real requests; speed of linter, rehearsal and likeness
	$(BIN)/python -m benchmarks.routing
