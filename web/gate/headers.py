"""The headers of every answer: nothing from elsewhere, nothing inline, no frames, nothing private kept."""

from urllib.parse import urlsplit

from flask import Flask, Response, request


def content_security_policy(tile_url: str | None) -> str:
    """The policy of all pages; map tiles are the one thing that may come from a configured host."""
    tiles = urlsplit(tile_url) if tile_url else None
    host = f" {tiles.scheme}://{tiles.netloc.replace('{s}', '*')}" if tiles and tiles.netloc else ""
    rules = (
        "default-src 'self'",
        f"img-src 'self' data: blob:{host}",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    return "; ".join(rules)


def register(app: Flask, *, tile_url: str | None, https: bool) -> None:
    """Set the headers on every answer, errors and files included."""
    policy = content_security_policy(tile_url)

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["X-Frame-Options"] = "DENY"
        headers["Permissions-Policy"] = "geolocation=(self), camera=(self), microphone=(self)"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if https:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.endpoint != "static" and "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        return response
