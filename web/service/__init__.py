"""The web process itself: its health, its log and metrics, its start and end."""
