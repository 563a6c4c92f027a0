"""`flask accounts import` of an older portal's companies and users, with fsync, as a program. `accounts_import [rows]`."""

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from blueprints.account.importing import COLUMNS
from blueprints.common.checks import has_uscc_check_digit, is_id_number
from settings import ROOT
from stack import postgres
from stack.database import migrate
from stack.programs import Ports, Programs

USERS = 5  # of a company: its administrator and four operators


def main(rows: int = 100_000) -> None:
    with tempfile.TemporaryDirectory(prefix="eport-bench-") as name:
        folder = Path(name)
        cluster = postgres.start(folder / "postgres")
        try:
            url = cluster.create("eport")
            migrate(url)
            source = folder / "old.csv"
            write(source, rows)
            environ = {**os.environ, **Programs(folder, Ports.free(), url).environment()}
            first, again = import_file(source, environ), import_file(source, environ)
            stored = int(cluster.psql("SELECT count(*) FROM users", "eport"))
        finally:
            cluster.stop()
    if stored != rows:
        sys.exit(f"{stored} users of {rows} were stored")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"  {rows} rows, {USERS} of a company: {first:.1f} s; the same file again {again:.1f} s; peak {peak:.0f} MB")
    print(f"FIGURE accounts_import_rows_per_minute {rows / first * 60:.0f} rows/min")


def import_file(source: Path, environ: dict[str, str]) -> float:
    command = [sys.executable, "-m", "flask", "--app", "app", "accounts", "import", str(source)]
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environ, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(COLUMNS.values())
        for number in range(rows):
            company = number // USERS
            code = ended(f"91130100MA{company:07}", "0123456789ABCDEFGHJKLMNPQRTUWXY", has_uscc_check_digit)
            person = ended(f"130100199{number // 9000 % 10}01{1 + number // 900 % 10:02}{number % 900 + 100}"[:17],
                           "0123456789X", is_id_number)  # fmt: skip
            role = "操作员" if number % USERS else "管理员"
            lines.writerow((f"石家庄第{company}外贸有限公司", code, code[8:17], "石家庄市新华区联盟路699号", "", f"old{number:07}", role,
                            f"用户{number}", "身份证", person, f"old{number}@example.com", "13000000001"))  # fmt: skip


def ended(body: str, digits: str, holds) -> str:
    """`body` with the check digit that is right."""
    return next(body + digit for digit in digits if holds(body + digit))
