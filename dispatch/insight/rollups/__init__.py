"""From a ticket's history to the sums: story -> tally rows -> cells.

`marking` reads one history and says what is to be counted of it, as of any instant. The answer is kept as the
ticket's tally rows; the cells are sums of them. Every change of a ticket leaves a mark on it (`Ticket.tally_due`) in
its own transaction; `keeping` takes the marked ones up within a second and changes the cells by the difference.
`rebuilding` makes everything anew, `recomputing` sums up from the histories alone, to compare.
"""
