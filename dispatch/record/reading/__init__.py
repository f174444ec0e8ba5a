"""Reads for one purpose each, beside the plain ones in `queries`."""
