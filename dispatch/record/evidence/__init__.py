"""Photos and the shelves where they lie."""
