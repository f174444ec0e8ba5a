"""The processes of the service, and how they are kept running."""
