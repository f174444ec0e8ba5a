"""Border files as they come in: hostile until proven plain. No name, size or number is trusted."""
