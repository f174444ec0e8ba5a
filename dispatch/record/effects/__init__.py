"""What each action does to a ticket besides moving it: one function per row, listed in `table`. May import the
rest of `record` but not `actions`, which calls them."""
