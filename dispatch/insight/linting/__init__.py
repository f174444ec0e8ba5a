"""Holds a set of rules against every category and every atomic region, by algebra on rows and stretches of regions."""
