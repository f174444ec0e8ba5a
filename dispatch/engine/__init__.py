"""Carries it out: outbox, timers, sweeper, jobs and notices. The database is the truth; Redis is a hint."""
