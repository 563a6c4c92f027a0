"""Jobs: deferred in the transaction that needs them, so they roll back with it."""

import json

from sqlalchemy import text

from .database import session

_DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(:queue, :task, :priority, :lock, :queueing_lock, CAST(:args AS jsonb),"
    " NULL)::procrastinate_job_to_defer_v1])"
)


def defer(task: str, *, queue: str = "default", priority: int = 0, lock: str | None = None, **args) -> None:
    """`args` are ids only. `lock`: jobs of one lock follow one another. A higher `priority` comes first."""
    values = {"queue": queue, "task": task, "priority": priority, "lock": lock, "queueing_lock": None}
    session.execute(_DEFER, {**values, "args": json.dumps(args)})


def is_waiting(lock: str) -> bool:
    """Whether a job of the lock waits for its turn already; one that runs does not count."""
    query = text("SELECT 1 FROM procrastinate_jobs WHERE lock = :lock AND status = 'todo' LIMIT 1")
    return session.execute(query, {"lock": lock}).first() is not None
