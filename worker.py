"""The worker: runs deferred jobs and standing loops. `python worker.py`; as many processes on as many hosts as needed."""

import asyncio
import gc
import logging
import signal
import threading
import time

import psycopg
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import SQLAlchemyError

from app import create_app
from blueprints.common import clock
from models.database import session
from settings import Settings

LOG = logging.getLogger("worker")
RETRY = RetryStrategy(max_attempts=8, wait=2, exponential_wait=3)
STALLED_SECONDS = 20
GARBAGE = (
    50_000,
    20,
    20,
)  # rows by the thousand are no garbage: with Python's own thresholds a tenth of the time is spent on it


def make_queue(flask_app, settings: Settings) -> App:
    """Every job of every area, by its function's name; each runs in an app context and commits what it does."""
    conninfo = settings.database_url.replace("postgresql+psycopg://", "postgresql://")
    queue = App(connector=PsycopgConnector(conninfo=conninfo))
    for area in flask_app.config["AREAS"]:
        for job in area.jobs:
            queue.task(name=job.__name__, retry=RETRY)(in_context(flask_app, job))

    @queue.periodic(cron="* * * * * */10")
    @queue.task(name="retry_stalled_jobs", pass_context=True)
    async def retry_stalled_jobs(context, timestamp: int):
        """Jobs of a worker that was killed are taken up again; they are idempotent."""
        for job in await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            await queue.job_manager.retry_job(job)

    return queue


def in_context(flask_app, job):
    def run(**ids):
        with flask_app.app_context():
            try:
                job(**ids)
            finally:
                session.remove()

    return run


def run_loops(flask_app, stop: threading.Event) -> list[threading.Thread]:
    """One thread for each standing loop; an error of the database is logged and the loop goes on."""
    loops = [loop for area in flask_app.config["AREAS"] for loop in area.loops]
    threads = [threading.Thread(target=run_loop, args=(flask_app, stop, *loop), daemon=True) for loop in loops]
    for thread in threads:
        thread.start()
    return threads


def run_loop(flask_app, stop: threading.Event, act, seconds: float) -> None:
    trouble = ""
    while not stop.is_set():
        began, before = time.monotonic(), trouble
        try:
            with flask_app.app_context():
                act()
            trouble = ""
        except (SQLAlchemyError, OSError) as error:
            trouble = str(error).partition("\n")[0]
        finally:
            if trouble != before:
                LOG.warning("%s: %s", act.__name__, trouble or "goes on")
            session.remove()
        stop.wait(max(0.0, seconds - (time.monotonic() - began)))


async def ran_to_the_end(queue: App) -> bool:
    """Runs jobs until a signal ends that; False when the database went away. Its jobs are then stalled ones."""
    try:
        async with queue.open_async():
            await queue.run_worker_async(
                concurrency=4, fetch_job_polling_interval=1.0, delete_jobs="successful",
                update_heartbeat_interval=5.0, stalled_worker_timeout=float(STALLED_SECONDS),
            )  # fmt: skip
    except (ConnectorException, psycopg.Error) as error:
        LOG.warning("jobs wait for the database: %s", str(error).partition("\n")[0])
        return False
    return True


async def main() -> None:
    settings = Settings.from_environment()
    flask_app = create_app(settings)
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    stop = threading.Event()
    threads = run_loops(flask_app, stop)
    queue = make_queue(flask_app, settings)
    LOG.info("worker started, %s", f"{clock.now():%Y-%m-%d %H:%M}")
    while not await ran_to_the_end(queue):
        await asyncio.sleep(2)
    stop.set()
    for thread in threads:
        thread.join(timeout=5)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("procrastinate").setLevel(logging.WARNING)  # three lines a minute otherwise
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asyncio.run(main())
