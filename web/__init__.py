"""Shown to: pages and API, one file per audience. The only room that knows Flask."""
