"""A demonstration of its own for a benchmark: private PostgreSQL, portal, worker, sandbox, on free ports."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.card import stack as card_stack
from stack import postgres
from stack.__main__ import start_readers
from stack.programs import Ports, Programs


@contextmanager
def demonstration(
    *, bridge: bool = False, readers: bool = True, fast: bool = True, workers: int = 1
) -> Iterator[Programs]:
    """Seeded and running; ended and removed afterwards. `fast`: no fsync of the database. `readers`: the bridge finds its
    card by pcscd, of which there is one a machine, where that is installed."""
    with tempfile.TemporaryDirectory(prefix="eport-bench-") as name:
        folder = Path(name)
        cluster = postgres.start(folder / "postgres", fast=fast)
        ports = Ports.free()
        ports.vpcd = Ports.free().portal
        programs = Programs(folder, ports, cluster.create("eport"))
        try:
            programs.start_sandbox()
            programs.wait_until_up()
            programs.prepare()
            programs.start_portal(workers)
            programs.start_worker()
            if bridge:
                programs.start_bridge(virtual=not (readers and start_readers(folder / "pcsc", ports.vpcd)))
            programs.wait_until_up()
            yield programs
        finally:
            programs.stop()
            card_stack.stop(folder / "pcsc")
            cluster.stop()
