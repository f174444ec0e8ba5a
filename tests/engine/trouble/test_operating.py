"""What the operator's page and `/readyz` say of Redis."""

from pathlib import Path

from dispatch.engine.health.operating import redis_answers
from grid.settings import Settings


def settings(tmp_path: Path, redis_url: str | None) -> Settings:
    return Settings(
        instance_path=tmp_path, secret_key="k" * 40, database_url="sqlite://", redis_url=redis_url
    )


def test_a_redis_on_a_unix_socket_answers(tmp_path: Path, redis_url: str) -> None:
    assert redis_url.startswith("unix:")
    assert redis_answers(settings(tmp_path, redis_url))


def test_an_absent_redis_does_not(tmp_path: Path) -> None:
    assert not redis_answers(settings(tmp_path, None))
    assert not redis_answers(settings(tmp_path, f"unix://{tmp_path}/nobody.sock"))
    assert not redis_answers(settings(tmp_path, "redis://127.0.0.1:1"))
