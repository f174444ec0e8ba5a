"""Open tickets brought up to date after the standing world changed under them."""
