"""How long a desk's pages take with 100,000 open tickets, and how many keys its tasks take."""
