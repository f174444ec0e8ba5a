# Included by bench.mk's makefile: intake, queue and timers.
BENCHMARKS += bench-intake bench-queue bench-timers
.PHONY: bench-intake bench-queue bench-timers
bench-intake: tools ## the report endpoint against a Flask hello and a bare Core insert of the same rows
	$(BIN)/python -m benchmarks.intake

bench-queue: tools ## the outbox drained in batches against one RQ job for each row
	$(BIN)/python -m benchmarks.queue

bench-timers: tools ## ten thousand overdue timers after an outage, on both databases
	$(BIN)/python -m benchmarks.timers
