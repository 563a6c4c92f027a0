"""Starts and stops a private pcscd with a virtual reader: `python -m sandbox.card.stack start|stop FOLDER`.

Needs Debian's pcscd, vsmartcard-vpcd and gcc. Nothing of the system is edited: configuration, log and the shim that
keeps vpcd on 127.0.0.1 lie in FOLDER. pcscd's socket is compiled in (/run/pcscd), so there is one a machine.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
SOCKET_FOLDER = Path("/run/pcscd")
SHIM = Path(__file__).with_name("bind127.c")
READER = """FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:0x{port:X}
LIBPATH {driver}
CHANNELID 0x{port:X}
"""


_started: dict[Path, subprocess.Popen] = {}  # by folder; kept so that `stop` in the same process can wait


class StackError(RuntimeError):
    """The stack cannot run here; the text says why."""


def missing() -> str:
    """Says what is lacking on this machine, or gives an empty text."""
    if not shutil.which("pcscd"):
        return "pcscd is not installed"
    if not DRIVER.exists():
        return "vsmartcard-vpcd is not installed"
    if not shutil.which("gcc"):
        return "gcc is not installed"
    return "" if os.access("/run", os.W_OK) or SOCKET_FOLDER.exists() else "/run is not writable"


def start(folder: Path, port: int = 35963) -> None:
    """Returns when the reader is there: slot 0 listens on 127.0.0.1:`port`, slot 1 on the next. Raises StackError."""
    if lacking := missing():
        raise StackError(lacking)
    if _answers():
        raise StackError("a pcscd is running already")
    for name in ("pcscd.pid", "pcscd.comm"):
        (SOCKET_FOLDER / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    shim = (folder / "bind127.so").resolve()
    if not shim.exists():
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", shim, SHIM, "-ldl"], check=True)
    readers = folder / "readers"
    readers.mkdir(exist_ok=True)
    # Always the mode in which the card connects to vpcd: the other one aborts Debian's pcscd when no card listens.
    (readers / "vpcd").write_text(READER.format(port=port, driver=DRIVER), "ascii")
    SOCKET_FOLDER.mkdir(exist_ok=True)
    with open(folder / "pcscd.log", "wb") as log:
        process = _started[folder] = subprocess.Popen(
            ["pcscd", "--foreground", "--config", readers, "--info"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "LD_PRELOAD": str(shim)},
            start_new_session=True,
        )
    (folder / "pcscd.pid").write_text(str(process.pid), "ascii")
    for _ in range(400):  # a busy machine takes its time to look for readers
        if b"daemon ready" in (folder / "pcscd.log").read_bytes() and _listens(port):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    stop(folder)
    raise StackError(f"pcscd did not start, see {folder / 'pcscd.log'}")


def _listens(port: int) -> bool:
    """Whether vpcd is there; to connect would be to put a card in, so the kernel's table is read (proc(5), 0A = LISTEN)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()]
    return any(row[1] == f"0100007F:{port:04X}" and row[3] == "0A" for row in rows)


def _answers() -> bool:
    """Whether the process that pcscd's pid file names is a pcscd; a killed one leaves the file, and pids come again."""
    try:
        pid = int((SOCKET_FOLDER / "pcscd.pid").read_text().rstrip("\n\0"))
        return Path(f"/proc/{pid}/comm").read_text().strip() == "pcscd"
    except (OSError, ValueError):
        return False


def stop(folder: Path) -> None:
    """Ends the pcscd that `start` started in this folder, and waits for it; does nothing if there is none."""
    pid_file = folder / "pcscd.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    pid_file.unlink()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        if process := _started.pop(folder, None):
            process.wait(10)
            return
        for _ in range(100):
            os.kill(pid, 0)
            time.sleep(0.05)


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m sandbox.card.stack", description=__doc__)
    options.add_argument("action", choices=["start", "stop"])
    options.add_argument("folder", type=Path)
    options.add_argument("--port", type=int, default=35963)
    chosen = options.parse_args()
    try:
        start(chosen.folder, chosen.port) if chosen.action == "start" else stop(chosen.folder)
    except StackError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
