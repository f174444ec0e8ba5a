"""The demo for phones of the local network: HTTPS with a certificate of its own, and plain pages that hand it out."""
