BENCHMARKS += bench-desk
.PHONY: bench-desk
bench-desk: tools ## a department's queue with 100,000 open tickets, keys per task, axe
	$(BIN)/python -m benchmarks.desks
