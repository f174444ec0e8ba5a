# Included by the makefile: figures over a million tickets (FULL=1: ten million), and every page over as many.
BENCHMARKS += bench-stats bench-pages
.PHONY: bench-stats bench-pages
bench-stats: tools ## dashboard, slices, rebuild and export over a million tickets (FULL=1: ten million)
	$(BIN)/python -m benchmarks.stats
bench-pages: tools ## every page that needs no address, for everybody, over a million tickets
	$(BIN)/python -m benchmarks.pages_at_scale
