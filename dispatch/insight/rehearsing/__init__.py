"""Past tickets replayed with a draft of rules or borders: what would have gone elsewhere, before it is in force."""
