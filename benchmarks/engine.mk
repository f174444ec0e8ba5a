# Included by bench.mk's makefile: intake and queue.
BENCHMARKS += bench-intake bench-queue
.PHONY: bench-intake bench-queue
bench-intake: tools ## the report endpoint against a Flask hello and a bare Core insert of the same rows
	$(BIN)/python -m benchmarks.intake

bench-queue: tools ## the outbox drained in batches against one RQ job for each row
	$(BIN)/python -m benchmarks.queue
