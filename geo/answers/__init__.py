"""From a key to an answer: what a face means, how sure it is, which areas are near."""
