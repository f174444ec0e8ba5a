"""A made-up city, the same for the same seed: mesh (borders), tree (who belongs to whom), names, overlays."""
