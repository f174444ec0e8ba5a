"""Optional tracing (`GRID_OTEL_ENDPOINT`, extra `otel`): spans of requests, statements, Redis and what is carried out.

A span names tickets by their code and nobody: statements carry no values, and what a request says of its sender or
its address (a path may hold a secret link) is taken away before it leaves.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record.models import Ticket
from grid.settings import Settings

SERVICE = "grid12345"
PRIVATE = frozenset(
    {
        "http.target",
        "http.url",
        "url.path",
        "url.query",
        "url.full",
        "net.peer.ip",
        "net.peer.port",
        "client.address",
        "client.port",
        "http.client_ip",
        "http.user_agent",
        "user_agent.original",
    }
)

_provider: Any = None


def start(settings: Settings, exporter: Any = None) -> None:
    """Trace this process from here on, before its engines are made; nothing without an address to send to."""
    global _provider
    if not settings.otel_endpoint or _provider is not None:
        return
    sdk, export = import_module("opentelemetry.sdk.trace"), import_module("opentelemetry.sdk.trace.export")
    resource = import_module("opentelemetry.sdk.resources").Resource.create({"service.name": SERVICE})
    _provider = sdk.TracerProvider(resource=resource)
    if exporter is None:
        over_http = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        exporter = over_http.OTLPSpanExporter(endpoint=f"{settings.otel_endpoint.rstrip('/')}/v1/traces")
        _provider.add_span_processor(export.BatchSpanProcessor(_Nameless(exporter)))
    else:
        _provider.add_span_processor(export.SimpleSpanProcessor(_Nameless(exporter)))
    for instrumentor in _instrumentors():
        # One of them asks for a SQLAlchemy below 2.1; the events that it listens to are the same there.
        instrumentor.instrument(tracer_provider=_provider, skip_dep_check=True)


def stop() -> None:
    """Send what is left and trace no more."""
    global _provider
    if _provider is not None:
        for instrumentor in _instrumentors():
            instrumentor.uninstrument()
        _provider.shutdown()
        _provider = None


def _instrumentors() -> list[Any]:
    redis = import_module("opentelemetry.instrumentation.redis")
    sqlalchemy = import_module("opentelemetry.instrumentation.sqlalchemy")
    return [redis.RedisInstrumentor(), sqlalchemy.SQLAlchemyInstrumentor()]


def watch(app: Any) -> None:
    """Trace the requests of a Flask application."""
    if _provider is not None:
        flask = import_module("opentelemetry.instrumentation.flask")
        flask.FlaskInstrumentor().instrument_app(
            app, tracer_provider=_provider, excluded_urls="healthz,metrics"
        )


def codes(session: Session, tickets: Iterable[UUID | None]) -> list[str]:
    """The codes of tickets, for a span; not looked up when nothing is traced."""
    if _provider is None:
        return []
    wanted = {ticket_id for ticket_id in tickets if ticket_id is not None}
    return sorted(session.execute(select(col(Ticket.code)).where(col(Ticket.id).in_(wanted))).scalars())


def span(name: str, tickets: list[str]) -> AbstractContextManager[Any]:
    """Something carried out for tickets, from here to the end of the block."""
    if _provider is None:
        return nullcontext()
    began: AbstractContextManager[Any] = _provider.get_tracer(SERVICE).start_as_current_span(
        name, attributes={"ticket.codes": tickets}
    )
    return began


class _Nameless:
    """An exporter before the exporter: takes from each span what could tell who asked, and what an error quotes."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[Any]) -> Any:
        return self._exporter.export([_nameless(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return bool(self._exporter.force_flush(timeout_millis))


def _nameless(span: Any) -> Any:
    """The span without private attributes, without events (errors in their own words), its status without words."""
    return type(span)(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in span.attributes.items() if name not in PRIVATE},
        links=span.links,
        kind=span.kind,
        status=type(span.status)(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
