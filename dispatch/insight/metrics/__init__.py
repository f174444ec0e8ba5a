"""What is counted and what is made of it, as rows: measures, formulas over them, slices, and the present state.

A measure is something that happened to a ticket on a day (dispatched, opened in time, answered satisfied). A metric
is a formula over measures with a version, a kind and a source. A number is never typed: it is a sum of measures, and
the same condition lists the tickets behind it.
"""
