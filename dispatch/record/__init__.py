"""The record of tickets: its tables, the one writer (`actions`), the chain of events and the reads."""
