"""Tracing, when asked for: requests, statements, Redis and effects with the ticket's code; nobody's particulars."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app import create_app
from dispatch.engine import jobs, outbox
from dispatch.engine.health import tracing
from dispatch.engine.outbox import Tools
from dispatch.record.models import OutboxRow
from grid import settings as settings_module
from grid.errors import SettingsError
from grid.settings import load_settings
from tests.town import Town

ADDRESS = "http://127.0.0.1:4318"


@pytest.fixture
def exporter(town: Town) -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    tracing.start(replace(town.world.settings, otel_endpoint=ADDRESS), kept)
    yield kept
    tracing.stop()


def names(exporter: InMemorySpanExporter) -> set[str]:
    return {span.name for span in exporter.get_finished_spans()}


def said(spans: tuple[ReadableSpan, ...]) -> str:
    return "\n".join(span.to_json() for span in spans)


def test_requests_statements_redis_and_effects_are_spans(
    town: Town, exporter: InMemorySpanExporter, redis_url: str
) -> None:
    url = town.database.engine.url.render_as_string(hide_password=False)
    its = replace(town.world.settings, database_url=url, redis_url=redis_url, otel_endpoint=ADDRESS)
    client = create_app(its).test_client()
    headers = {"User-Agent": "phone of 13800138000", "X-Forwarded-For": "203.0.113.7"}
    client.get("/callback/a-secret-link?who=13800138000", headers=headers)
    jobs._leave_alone_until_s.clear()
    assert jobs.wake(its)
    code = town.worker.reports(text="王女士 13800138000").code
    assert outbox.drain(Tools.open(its)) == 1
    spans = exporter.get_finished_spans()
    assert "GET /callback/<token>" in names(exporter)
    assert any(name.startswith("SELECT") for name in names(exporter))
    assert "SET" in names(exporter)
    (effect,) = [span for span in spans if span.name == "outbox notify"]
    assert effect.attributes is not None
    assert effect.attributes["ticket.codes"] == (code,)
    children = [span for span in spans if span.parent and span.parent.span_id == effect.context.span_id]
    assert any(child.name.startswith("SELECT") for child in children), "its statements are within it"
    for private in ("a-secret-link", "13800138000", "王女士", "203.0.113.7"):
        assert private not in said(spans)


def test_nothing_is_traced_unless_asked_for(town: Town) -> None:
    tracing.start(town.world.settings)
    with town.database.reading() as session:
        assert tracing.codes(session, [OutboxRow.ticket_id]) == []  # type: ignore[list-item]
    with tracing.span("outbox notify", []) as span:
        assert span is None


def test_asked_for_and_not_installed_is_named_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings(tmp_path, {"GRID_OTEL_ENDPOINT": ADDRESS}).otel_endpoint == ADDRESS
    monkeypatch.setattr(settings_module, "find_spec", lambda _: None)
    assert load_settings(tmp_path, {}).otel_endpoint is None
    with pytest.raises(SettingsError, match=r"GRID_OTEL_ENDPOINT.*grid12345\[otel\]"):
        load_settings(tmp_path, {"GRID_OTEL_ENDPOINT": ADDRESS})
