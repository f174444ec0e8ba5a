"""The side exits and ways back of a ticket, each walked once on both databases."""
