"""The desk's lists and the activity log with 100 000 companies (500 000 accounts) against 1 000, median. `lists [many]`."""

import json
import platform
import statistics
import sys
import time
from datetime import timedelta
from uuid import UUID, uuid5

from blueprints.common import clock, logins
from models.accounts import find_user
from models.database import session
from models.orders import copy_rows

from .exporters import portal_of
from .house import demonstration

FEW, ROUNDS, USERS, EVENTS = 1_000, 60, 5, 10
SPACE = UUID(int=20)
OFFICIAL, MEMBER = "yunying", "demo01"
MEASURED = (
    (OFFICIAL, "/reviews/"), (OFFICIAL, "/reviews/?kind=transmission-id"), (OFFICIAL, "/reviews/?desk=registration&due=overdue"),
    (OFFICIAL, "/reviews/?claim=free"), (OFFICIAL, "/reviews/?q=河北0000"), (OFFICIAL, "/reviews/?q=0050"),
    (OFFICIAL, "/reviews/?q=9000000000000050"), (OFFICIAL, "/reviews/companies"), (OFFICIAL, "/reviews/companies?q=河北"),
    (OFFICIAL, "/reviews/companies?q=河北0000"), (OFFICIAL, "/reviews/companies?q=91130000500000050A"),
    (MEMBER, "/account/activity"),
)  # fmt: skip
ALSO = (OFFICIAL, "/reviews/days")  # grows with the decisions of 30 days, 3 300 a day at the end: said, not judged


def main(many: int = 100_000) -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}, {many} companies against {FEW}")
    with demonstration() as programs, portal_of(programs.environment()) as app:
        programs.stop("worker", "portal")
        there = {rule.rule for rule in app.url_map.iter_rules()}
        pages = [page for page in (*MEASURED, ALSO) if page[1].partition("?")[0] in there]
        times = {}
        for first, end in ((0, FEW), (FEW, many)):
            fill(range(first, end))
            times[end] = [measure(app, *page) for page in pages]
    few, lots = times.values()
    for (_, page), before, after in zip(pages, few, lots, strict=True):
        print(f"  {page}: {before * 1000:.1f} ms, {after * 1000:.1f} ms")
    judged = [after / before for page, before, after in zip(pages, few, lots, strict=True) if page != ALSO]
    print(f"FIGURE lists_ratio {max(judged):.2f} ratio")


def fill(numbers: range) -> None:
    """Companies with accounts, decided and waiting applications and events, straight into the tables."""
    copy_companies(numbers)
    copy_documents(numbers)
    rows = ((str(key("company", n)), f"u{n}x0", "登录", f"user:{n}", "{}", clock.now().isoformat()) for n in numbers for _ in range(EVENTS))  # fmt: skip
    copy_rows("events", "enterprise_id, user_name, act, subject, details, at", rows)
    session.commit()
    session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}).exec_driver_sql("VACUUM ANALYZE")
    session.commit()


def key(what: str, n: int) -> UUID:
    return uuid5(SPACE, f"{what}{n}")


def copy_companies(numbers: range) -> None:
    now = clock.now().isoformat()
    rows = (
        (key("company", n), name_of(n), f"91130000{50_000_0000 + n}A", f"{50_000_0000 + n}", "", "three-in-one", "registered", 0, "{}", now)
        for n in numbers
    )  # fmt: skip
    columns = "id, name, uscc, org_code, address, account_type, origin, level, details, created_at"
    copy_rows("enterprises", columns, rows)
    rows = (
        (key(f"user{place}-", n), f"u{n}x{place}", f"u{n}x{place}", key("company", n), "operator" if place else "administrator",
         "{}", "{}", True, "{}", now)
        for n in numbers for place in range(USERS)
    )  # fmt: skip
    copy_rows(
        "users", "id, name, shown_name, enterprise_id, role, desks, rights, is_active, reminders, created_at", rows
    )


def name_of(n: int) -> str:
    return f"河北{n:06}贸易有限公司"


def copy_documents(numbers: range) -> None:
    """One decided for each company in the last 30 days; six in a hundred have one more that waits, one in six overdue."""
    now, today = clock.now(), clock.today()
    waiting = [n for n in numbers if n % 100 < 6 or n % 100 == 50]
    decided = [("done", n, now - timedelta(minutes=30 + n * 37 % 43_000)) for n in numbers]
    opened = [("open", n, now - timedelta(minutes=n * 7 % 2_000)) for n in waiting]
    kind_of = {n: "transmission-id" if n % 100 == 5 else "registration" for n in waiting}
    copy_rows(
        "documents", "id, kind, number, title, applicant_enterprise_id, created_at, end_outcome, end_at",
        ((key(what, n), kind_of[n] if what == "open" else "registration", f"{'89'[what == 'open']}{n:015}", name_of(n), key("company", n),
          at.isoformat(), *((None, None) if what == "open" else ("approved", at.isoformat()))) for what, n, at in decided + opened),
    )  # fmt: skip
    copy_rows(
        "submissions", "id, document_id, number, at, by, edition, revisions, lines, facts",
        ((key(f"sent-{what}", n), key(what, n), 1, (at - timedelta(hours=20)).isoformat(), "", "1", json.dumps({}), b"", b"") for what, n, at in decided + opened),
    )  # fmt: skip
    copy_rows(
        "decisions", "id, document_id, round, stage, stage_title, outcome, by, at, lines, reasons",
        ((key("decided", n), key(what, n), 1, "review", "", "approved", "x", at.isoformat(), b"", b"") for what, n, at in decided),
    )  # fmt: skip
    copy_rows(
        "open_stages", "document_id, stage, desk, opened_at, due, kind, title, tail",
        ((key("open", n), *(("acceptance", "data-centre") if kind_of[n] != "registration" else ("review", "registration")),
          at.isoformat(), today + timedelta(days=n % 6 - 1), kind_of[n], name_of(n), f"{n:04}"[-4:]) for _, n, at in opened),
    )  # fmt: skip


def measure(app, name: str, page: str) -> float:
    origin = app.config["SETTINGS"].public_origin
    with app.test_request_context(base_url=origin):
        token = logins.log_in(find_user(name))
        session.commit()
    client = app.test_client()
    client.set_cookie(logins.login_cookie_name(), token, domain="127.0.0.1")
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = client.get(page, base_url=origin)
        times.append(time.perf_counter() - began)
        if answer.status_code != 200 or b"<tbody>" not in answer.data:
            sys.exit(f"{page}: {answer.status_code}, or nothing found")
    return statistics.median(times[5:])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
