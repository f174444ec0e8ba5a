"""What the pages of several audiences show alike."""
