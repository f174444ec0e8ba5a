"""Chinese first, English second."""
