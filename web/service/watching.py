"""What an operator's tools see of us: `/metrics`, one log line for each request, and a request id in every answer."""

import hmac
import logging
import threading
import time
import uuid
from bisect import bisect_left
from collections import defaultdict
from ipaddress import ip_address

from flask import Blueprint, Flask, Response, current_app, g, make_response, request
from flask.typing import ResponseReturnValue

from dispatch.engine.health import job_times
from dispatch.engine.health.measuring import Measure, as_text, measure
from dispatch.engine.health.operating import redis_answers
from grid import logs
from grid.errors import NotAllowed
from web.gate.access import public
from web.service.context import database, now, settings

log = logging.getLogger("web.request")
blueprint = Blueprint("watching", __name__)

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
GLANCE_S = 5.0
FORWARDED = ("X-Forwarded-For", "X-Real-Ip", "Forwarded")

Kind = tuple[str, str, str]


class Latencies:
    """How long requests took, counted by endpoint: of this process, which is scraped by itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[Kind, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS_S) + 1))
        self._sums: dict[Kind, float] = defaultdict(float)

    def note(self, kind: Kind, seconds: float) -> None:
        with self._lock:
            self._buckets[kind][bisect_left(BOUNDS_S, seconds)] += 1
            self._sums[kind] += seconds

    def text(self) -> str:
        name = "grid_http_request_seconds"
        bucket = Measure(f"{name}_bucket", "")
        count, total = Measure(f"{name}_count", ""), Measure(f"{name}_sum", "")
        with self._lock:
            for kind, counts in self._buckets.items():
                labels = dict(zip(("method", "endpoint", "status"), kind, strict=True))
                running = 0
                for bound, one in zip((*map(str, BOUNDS_S), "+Inf"), counts, strict=True):
                    running += one
                    bucket.add(running, **labels, le=bound)
                count.add(running, **labels)
                total.add(self._sums[kind], **labels)
        lines = [f"# HELP {name} Time to answer", f"# TYPE {name} histogram"]
        body = as_text((bucket, count, total)).splitlines()
        return "\n".join(lines + [line for line in body if not line.startswith("#")]) + "\n"


def register(app: Flask) -> None:
    """Watch every request of this application."""
    latencies = Latencies()
    app.extensions["latencies"] = latencies
    app.before_request(_begin)

    @app.after_request
    def end(response: Response) -> Response:
        took_s = time.monotonic() - g.get("began_s", time.monotonic())
        # The rule, not the address: a path may hold a secret link.
        endpoint = request.endpoint or "none"
        latencies.note((request.method, endpoint, f"{response.status_code // 100}xx"), took_s)
        response.headers["X-Request-Id"] = g.get("request_id", "-")
        if endpoint not in ("static", "health.healthz"):
            facts = {"endpoint": endpoint, "status": response.status_code, "took_ms": round(took_s * 1000, 1)}
            log.info("%s %s", request.method, request.url_rule or "-", extra=facts)
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        logs.unbind()

    glances: dict[str, tuple[float, bool]] = {}

    def redis_is_down() -> bool:
        """For the yellow line of administrators; asked at most every few seconds."""
        looked_at_s, down = glances.get("redis", (float("-inf"), False))
        if time.monotonic() - looked_at_s >= GLANCE_S:
            down = not redis_answers(settings())
            glances["redis"] = (time.monotonic(), down)
        return down

    app.context_processor(lambda: {"redis_is_down": redis_is_down})
    app.register_blueprint(blueprint)


def _begin() -> None:
    g.began_s = time.monotonic()
    g.request_id = uuid.uuid4().hex[:16]
    facts = {"request": g.request_id}
    code = (request.view_args or {}).get("code")
    if isinstance(code, str):
        facts["ticket"] = code[:40]
    logs.bind(**facts)


@blueprint.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """Figures for Prometheus; for this machine itself, or with `GRID_METRICS_TOKEN` as bearer."""
    if not (_comes_from_here() or _has_token()):
        raise NotAllowed("监控数据只对本机或持有 GRID_METRICS_TOKEN 的程序开放")
    with database().reading() as session:
        measures = measure(session, settings(), now())
    found = as_text([*measures, *job_times.measures(settings())])
    latencies: Latencies = _latencies()
    response = make_response(found + latencies.text())
    response.content_type = "text/plain; version=0.0.4; charset=utf-8"
    return response


def _latencies() -> Latencies:
    found: Latencies = current_app.extensions["latencies"]
    return found


def _comes_from_here() -> bool:
    """Directly from this machine; what a proxy passes on has come from elsewhere."""
    try:
        is_here = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    return is_here and not any(name in request.headers for name in FORWARDED)


def _has_token() -> bool:
    wanted = settings().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(wanted) and hmac.compare_digest(given.encode(), str(wanted).encode())
