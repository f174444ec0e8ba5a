"""Fair load (破解小马拉大车): what waits where against thresholds, and the split of what has too much."""
