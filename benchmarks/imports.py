"""Reading, checking and storing a workbook of 100 000 rows, against openpyxl only reading it. `import [rows]`."""

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import openpyxl

from blueprints.exports import importing
from models.database import session
from models.exports import Import
from stack.programs import Programs

from .exporters import exporter, portal_of, upload, workbook
from .house import demonstration

ROUNDS = 3


def main(rows: int = 100_000) -> None:
    print(
        f"{platform.machine()}, Python {platform.python_version()}, {rows} rows; read, checked, stored by COPY with fsync"
    )
    ours, theirs, peaks = [], [], []
    with demonstration(fast=False) as programs, tempfile.TemporaryDirectory() as folder:
        programs.stop("worker")
        for round in range(ROUNDS):
            path = Path(folder) / f"{round}.xlsx"
            path.write_bytes(workbook(rows, f"R{round}"))
            theirs.append(read_by_openpyxl(path))
            seconds, peak = import_in_child(programs, path)
            ours.append(seconds)
            peaks.append(peak)
    ratios = [own / other for own, other in zip(ours, theirs, strict=True)]
    print(f"  ours {min(ours):.2f} to {max(ours):.2f} s, openpyxl read-only {min(theirs):.2f} to {max(theirs):.2f} s")
    print(f"FIGURE import_ratio {statistics.median(ratios):.3f} ratio")
    print(f"FIGURE import_peak_mb {max(peaks):.0f} MB")


def read_by_openpyxl(path: Path) -> float:
    began = time.perf_counter()
    sheet = openpyxl.load_workbook(path, read_only=True).worksheets[0]
    for _ in sheet.iter_rows(values_only=True):
        pass
    return time.perf_counter() - began


def import_in_child(programs: Programs, path: Path) -> tuple[float, float]:
    """A process of its own, so that the peak is the import's."""
    command = [sys.executable, "-m", "benchmarks.imports", "child", str(path)]
    environ = {**os.environ, **programs.environment()}
    answer = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE, text=True)
    seconds, peak = answer.stdout.split()
    return float(seconds), float(peak)


def child(path: str) -> None:
    with portal_of(os.environ):
        principal, strategy = exporter()
        _, started = upload(principal, strategy, Path(path).read_bytes())
        began = time.perf_counter()
        importing.read_import(str(started.id))
        seconds = time.perf_counter() - began
        session.expire_all()
        if session.get(Import, started.id).state != "done":
            sys.exit("the import did not end well")
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2])
    else:
        main(*map(int, sys.argv[1:]))
