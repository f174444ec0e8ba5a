"""Which category a text is about: learnt from the city's own tickets, begun with the names of the categories."""
