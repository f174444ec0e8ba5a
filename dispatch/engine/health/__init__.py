"""How the service is doing: at start, for monitoring and for the operator."""
