"""The order list with 1 000 000 orders against 1 000: the queries and the template of page 8020, median. `orders [many]`."""

import json
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from blueprints.common import clock
from models import orders, pushes
from models.database import session
from models.exports import BLOCK, Task

from .exporters import exporter, portal_of
from .house import demonstration

FEW, ROUNDS = 1_000, 60
PAGES = ("", "?state=failed", "?scope=order&q=N1000-0000005", "?scope=task&q=bench", "?size=50")


def main(many: int = 1_000_000) -> None:
    print(
        f"{platform.machine()}, Python {platform.python_version()}, {many} orders against {FEW}; pages {', '.join(PAGES)}"
    )
    with demonstration() as programs, portal_of(programs.environment()) as app, tempfile.TemporaryDirectory() as folder:
        programs.stop("worker", "portal")
        principal, strategy = exporter()
        times = {}
        for count in (FEW, many - FEW):
            fill(principal, strategy, count, Path(folder))
            times[count] = [measure(app, page) for page in PAGES]
    few, lots = times.values()
    for page, before, after in zip(PAGES, few, lots, strict=True):
        print(f"  {page or '(all)'}: {before * 1000:.1f} ms, {after * 1000:.1f} ms")
    ratio = max(after / before for before, after in zip(few, lots, strict=True))
    print(f"FIGURE orders_list_ratio {ratio:.2f} ratio")


def fill(principal, strategy: str, count: int, folder: Path) -> None:
    """Orders and their messages, one in a hundred failed, straight into the tables."""
    now = clock.now()
    task = Task(
        enterprise_id=principal.enterprise_id, customs_code=principal.code, number=f"bench{count}", client_number="bench",
        strategy_id=strategy, state="generated", order_count=count, generated_count=count, next_place=count + 1,
        user_id=principal.user_id, created_at=now, changed_at=now, changed_by="bench",
    )  # fmt: skip
    session.add(task)
    session.flush()
    lines = json.dumps([["8711100010", "微马力摩托车", "10", "25", "2.5", "011"]], ensure_ascii=False)
    owner, moment = (str(principal.enterprise_id), principal.code, str(task.id)), now.isoformat()
    columns = "enterprise_id, customs_code, task_id, place, order_no, total, lines, state, return_status, changed_at, changed_by"
    rows = (
        (
            *owner,
            place,
            f"N{count}-{place:07}",
            "25",
            lines,
            *(("failed", 100) if place % 100 == 0 else ("success", 120)),
            moment,
            "李明",
        )
        for place in range(1, count + 1)
    )
    orders.copy_rows("export_orders", columns, rows)
    pushes.add_messages([_message(principal, task, block) for block in range(-(-count // BLOCK))])
    session.commit()
    session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}).exec_driver_sql("VACUUM ANALYZE")
    session.commit()


def _message(principal, task: Task, block: int) -> dict:
    first = block * BLOCK + 1
    return {
        "id": uuid4(), "enterprise_id": principal.enterprise_id, "customs_code": principal.code, "task_id": task.id,
        "block": block, "first_place": first, "last_place": first + BLOCK - 1, "order_count": BLOCK, "total": 2500,
        "currency": "502", "dxp_id": "DXPENT", "canonical": b"", "sha256": b"", "state": "sent", "problem": "",
        "signed_by": "", "created_at": clock.now(),
    }  # fmt: skip


def measure(app, page: str) -> float:
    from blueprints.common import logins
    from models.accounts import find_user

    with app.test_request_context(base_url=app.config["SETTINGS"].public_origin):
        token = logins.log_in(find_user("demo01"))
        session.commit()
    client = app.test_client()
    origin = app.config["SETTINGS"].public_origin
    client.set_cookie(logins.login_cookie_name(), token, domain="127.0.0.1")
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = client.get(f"/exports/orders{page}", base_url=origin)
        times.append(time.perf_counter() - began)
        if answer.status_code != 200 or b"<tbody>" not in answer.data:
            sys.exit(f"{page}: {answer.status_code}")
    return statistics.median(times[5:])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
