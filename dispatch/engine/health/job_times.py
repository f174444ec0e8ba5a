"""How long jobs of Redis ran: counted there, for all workers together, and gone with it (a counter may start anew)."""

from redis import Redis
from redis.exceptions import RedisError

from dispatch.engine.health.measuring import Measure
from grid.settings import Settings

KEY = "grid:job_times"
REFUSED = "refused"
TIMEOUT_S = 1.0


def note(client: Redis, name: str, seconds: float) -> None:
    """Add one run of a job; called by the worker after it."""
    with client.pipeline(transaction=False) as pipe:
        pipe.hincrby(KEY, f"{name}:count", 1)
        pipe.hincrbyfloat(KEY, f"{name}:sum", round(seconds, 6))
        pipe.execute()


def refused(settings: Settings) -> int:
    """How many jobs in Redis were none of ours since it was last emptied."""
    samples = [sample for one in measures(settings) if one.name.endswith("_count") for sample in one.samples]
    return int(sum(value for labels, value in samples if labels.get("job") == REFUSED))


def measures(settings: Settings) -> list[Measure]:
    """What the workers counted; nothing while Redis is away."""
    if not settings.redis_url:
        return []
    try:
        with Redis.from_url(settings.redis_url, socket_timeout=TIMEOUT_S) as client:
            found = client.hgetall(KEY)
    except RedisError:
        return []
    figures = {
        "count": Measure("grid_redis_job_seconds_count", "Runs of jobs from Redis", "counter"),
        "sum": Measure("grid_redis_job_seconds_sum", "Seconds that they took", "counter"),
    }
    for field, value in found.items():
        name, _, figure = field.decode().rpartition(":")
        figures[figure].add(float(value), job=name)
    return list(figures.values())
