"""Areas in time: dated generations of borders, and the index that is open now."""
