BENCHMARKS += bench-desk
.PHONY: bench-desk
bench-desk: tools ## a department's queue with 100,000 open tickets on PostgreSQL
	$(BIN)/python -m benchmarks.desk
