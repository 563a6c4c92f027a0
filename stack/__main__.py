"""`python -m stack run`: the whole demonstration on this machine; `reset`: its data anew; Ctrl-C ends it all."""

import os
import shutil
import signal
import sys
import time
import urllib.request
from pathlib import Path

from sandbox.card import stack as card_stack
from settings import ROOT, Settings

from . import postgres
from .programs import Ports, Programs
from .seed import PASSWORD, STAFF

FOLDER = ROOT / "instance"
NAME = "eport"


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    action = sys.argv[1] if len(sys.argv) > 1 else "run"
    {"run": run, "reset": reset, "verify": verify}[action]()


def run() -> None:
    began = time.monotonic()
    cluster = postgres.start(FOLDER / "postgres")
    programs = Programs(FOLDER, Ports.from_environment(), database(cluster))
    is_virtual = not start_readers(FOLDER / "pcsc", programs.ports.vpcd)
    try:
        programs.start_sandbox()
        code = prepare(programs)
        programs.start_portal()
        programs.start_worker()
        programs.start_bridge(is_virtual)
        programs.wait_until_up()
        print_welcome(programs, code, time.monotonic() - began, is_virtual)
        watch(programs)
    except KeyboardInterrupt:
        print("\nending …")
    finally:
        programs.stop()
        if not is_virtual:
            card_stack.stop(FOLDER / "pcsc")
        cluster.stop(gently=True)


def start_readers(folder: Path, port: int) -> bool:
    """A private pcscd with a virtual reader; False where there is none to be had, or the machine's own is running."""
    try:
        card_stack.start(folder, port)
    except card_stack.StackError as error:
        print(f"no private pcscd ({error}): the bridge reads the virtual card by itself")
        return False
    return True


def database(cluster: postgres.Cluster) -> str:
    exists = cluster.psql(f"SELECT 1 FROM pg_database WHERE datname = '{NAME}'")
    return cluster.url(NAME) if exists else cluster.create(NAME)


def prepare(programs: Programs) -> str | None:
    """Tables and demonstration; gives the resume code of the seeded draft, which is known only when it is made."""
    code = programs.prepare()
    note = programs.folder / "resume-code.txt"
    if code:
        note.write_text(code)
    return note.read_text() if note.exists() else None


def reset() -> None:
    """`make demo-reset`: the portal's data and the sandbox's anew, while the programs run or not."""
    cluster = postgres.start(FOLDER / "postgres")
    programs = Programs(FOLDER, Ports.from_environment(), cluster.url(NAME))
    cluster.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public", NAME)
    for name in ("files", "customs"):
        shutil.rmtree(FOLDER / name, ignore_errors=True)
    try:
        urllib.request.urlopen(
            urllib.request.Request(f"{programs.sandbox_origin}/reset", data=b"", method="POST"), timeout=5
        )
    except OSError:
        shutil.rmtree(FOLDER / "sandbox", ignore_errors=True)
    code = prepare(programs)
    print(f"demonstration reset; 续办码 {code}")


def verify() -> None:
    """`make audit-verify`: every sealed event of the demonstration fits its company's chain."""
    cluster = postgres.start(FOLDER / "postgres")
    programs = Programs(FOLDER, Ports.from_environment(), cluster.url(NAME))
    from app import create_app

    app = create_app(Settings.from_environment({**os.environ, **programs.environment()}))
    raise SystemExit(app.test_cli_runner().invoke(args=["audit", "verify"]).output.strip())


def watch(programs: Programs) -> None:
    """A program that ends is started again, and said so."""
    starters = {"portal": programs.start_portal, "worker": programs.start_worker, "sandbox": programs.start_sandbox}
    while True:
        time.sleep(1)
        for name in programs.dead():
            print(f"{name} ended; its log: {programs.folder / (name + '.log')}")
            programs.children.pop(name)
            if name in starters:
                starters[name]()


def print_welcome(programs: Programs, code: str | None, seconds: float, is_virtual: bool) -> None:
    staff = "、".join(name for name, _ in STAFF)
    print(
        f"""
eport-portal is up after {seconds:.0f} s.  Ctrl-C ends it all.

  门户 portal      {programs.origin}/
  沙箱 sandbox     {programs.sandbox_origin}/   (mail, cards, customs … and downloads)
  读卡程序 bridge  http://127.0.0.1:{programs.ports.bridge}/   ({"virtual card, no pcscd here" if is_virtual else "pcscd"})

  企业账号         demo01 (ready exporter), demo02 (migrated, unverified), demo03, demo04, demo05
  审核账号         {staff}
  密码 password    {PASSWORD}        卡密码 PIN  88888888
  续办码           {code or "—"}  (company ⑧'s draft)

The tours stand in docs/tours.md.
""",
        flush=True,
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
