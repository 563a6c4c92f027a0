"""Pages 1016–1019, the device doctor: the computer is checked, the result is said in words and sent to the helpdesk."""

import re
import unicodedata
from datetime import date
from urllib.parse import urlencode

from flask import abort, current_app, make_response, redirect, request, url_for
from flask import session as cookie_session

from blueprints.common import clock
from blueprints.common.access import PUBLIC, Needs, current, page
from blueprints.common.checks import is_phone
from blueprints.common.fields import DocumentForm, Rule, Text
from blueprints.common.history import record
from blueprints.common.limits import Limit
from blueprints.common.notices import notify
from blueprints.common.numbers import Sentence
from blueprints.common.pages import CSP, show
from blueprints.common.plain_forms import error_line, page_form, summary_of
from models.database import session
from models.device_reports import (
    DeviceReport,
    device_reports_called,
    find_device_report,
    page_of_device_reports,
)
from models.documents import next_serial

from .device_findings import (
    BY_CLICK,
    BY_SCRIPT,
    FINDINGS,
    browser_words,
    finding_of,
    media_table,
    mediums,
    read_numbers,
    read_version,
    seen_by_server,
)
from .routes import bp, region

BY_ADDRESS = Limit("device-report", 10, 60)
MAILED = Limit("device-report-mail", 60, 60)  # more than these are kept, but fill no mailbox
HELPDESK = Needs(desks=("helpdesk",))
PAGE_SIZE = 20
YEARS = 2  # in which a report is looked for by its number
CALLED = re.compile(r"(?:JC)?([0-9]{2})([0-9]{2})([0-9]{1,6})")
UNREADABLE = Sentence("90785", "带回来的检查结果读不懂，请再检查一次")


class ReportForm(DocumentForm):
    story = Text("遇到了什么事", number="101701", limit=500, long=True, required=False, span=True,
                 hint="办什么事、到哪一步、页面上说什么。不要写密码。")  # fmt: skip
    phone = Text("联系电话", Rule("90786", "电话要写数字：手机11位，或者区号加号码，像0311-88886666", is_phone),
                 number="101702", limit=26, span=True, hint="客服按这个号码打给您", attributes={"inputmode": "tel"})  # fmt: skip


@bp.get("/device")
@page("1016", "检查电脑和卡", PUBLIC)
def show_device_check():
    """Whole without script; with it the browser adds what only it knows. Only this page may ask the bridge."""
    settings, found = current_app.config["SETTINGS"], seen_by_server()
    answer = make_response(
        show(
            "portal/device.html", found=[finding_of(number) for number in found], numbers=".".join(found),
            by_script=findings(BY_SCRIPT), by_click=findings(BY_CLICK), steps=media_table(), mediums=mediums(),
            bridge=f"{settings.bridge_origin}/check?" + urlencode({"portal": settings.public_origin}, safe=":/"),
            health=f"{settings.bridge_origin}/health", now=f"{clock.local(clock.now()):%H:%M}", **of_browser(),
        )
    )  # fmt: skip
    policy = CSP.format(bridge="").replace("connect-src 'self'", f"connect-src 'self' {settings.bridge_origin}")
    answer.headers["Content-Security-Policy"] = policy
    return answer


def findings(numbers) -> list:
    return [FINDINGS[number] for number in numbers]


def of_browser() -> dict:
    """What the script compares with: the time in milliseconds since 1970, the oldest version of the bridge."""
    least = current_app.config["SETTINGS"].bridge_minimum
    return {
        "browser": browser_words(request.headers.get("User-Agent", "")),
        "moment": int(clock.now().timestamp() * 1000),
        "least": least,
    }


@bp.get("/device/result")
@page("1017", "检查结果", PUBLIC)
def show_device_result():
    """`found`: numbers only, as the bridge or the doctor's page links here; nothing else is taken from the address."""
    text, version = request.args.get("found", ""), read_version(request.args.get("version", ""))
    numbers = read_numbers(text)
    summary = [error_line(UNREADABLE, "check-again")] if text and not numbers else []
    return show_result(numbers, version, page_form(ReportForm, "report"), summary)


def show_result(numbers: list[str], version: str, form: ReportForm, summary: list):
    numbers = list(dict.fromkeys(numbers + seen_by_server(version)))
    return show(
        "portal/device_result.html", found=[finding_of(number) for number in numbers], numbers=".".join(numbers),
        version=version, form=form, summary=summary, by_script=findings(BY_SCRIPT), steps=media_table(),
        mediums=mediums(), **of_browser(),
    )  # fmt: skip


@bp.post("/device/reports")
@page("1017", "检查结果", PUBLIC)
def send_device_report():
    numbers = read_numbers(request.form.get("found", ""))
    version = read_version(request.form.get("version", ""))
    form, asker = page_form(ReportForm, "report", posted=True), request.remote_addr or ""
    problems = summary_of(form.check())
    BY_ADDRESS.lock(asker)
    if not problems and (wait := BY_ADDRESS.minutes_left(asker)):
        words = Sentence("90787", "发的次数太多，请过{wait}分钟再发；急的请打客服热线，报上面的编号", wait=wait)
        problems = [error_line(words, "story")]
    if problems:
        return show_result(numbers, version, form, problems)
    BY_ADDRESS.add(asker)
    report = keep_report(list(dict.fromkeys(numbers + seen_by_server(version))), version, form.values)
    session.commit()
    cookie_session["device-report"] = str(report.id)
    return redirect(url_for("portal.show_device_report", id=report.id), 303)


def keep_report(numbers: list[str], version: str, typed: dict) -> DeviceReport:
    """Stored, recorded and told to the region's helpdesk. The mail holds no personal data: those are on page 1018."""
    principal, day = current(), clock.today()
    report = DeviceReport(
        day=day, ordinal=next_serial(f"device-report:{day:%Y%m%d}"), found=numbers, version=version, at=clock.now(),
        user_id=principal and principal.user_id, enterprise_id=principal and principal.enterprise_id,
    )  # fmt: skip
    agent = request.headers.get("User-Agent", "")[:300]
    report.told = {"agent": agent, "story": typed["story"], "phone": typed["phone"]}
    session.add(report)
    record("发送检查结果", f"device-report:{report.id}", principal, number=report.number)
    lines = [f"检查报告{report.number}，{browser_words(agent)}，读卡程序{version or '没有回答'}。"]
    lines += [f"{finding.number} {finding.sentence}" for finding in map(finding_of, numbers)]
    lines.append("联系电话和原话在客服工作台“检查报告”（1019）里。")
    if not MAILED.minutes_left("all"):
        MAILED.add("all")
        notify(region()["contact"]["report_address"], f"检查报告{report.number}", "\n".join(lines))
    return report


@bp.get("/device/reports/<uuid:id>")
@page("1018", "检查报告", PUBLIC)
def show_device_report(id):
    """To the browser that sent it, to who was logged in then, and to the helpdesk."""
    report, principal = find_device_report(id), current()
    of_desk = not HELPDESK.unmet(principal)
    if report is None or not (of_desk or is_sender(report)):
        abort(404)
    return show("portal/device_report.html", report=report, found=[finding_of(number) for number in report.found],
                browser=browser_words(report.told["agent"]), of_desk=of_desk)  # fmt: skip


def is_sender(report: DeviceReport) -> bool:
    principal = current()
    return cookie_session.get("device-report") == str(report.id) or bool(
        principal and report.user_id == principal.user_id
    )


@bp.get("/device/reports")
@page("1019", "检查报告", HELPDESK)
def list_device_reports():
    asked, problem = request.args.get("q", "").replace("\0", "").strip()[:40], None
    rows = page_of_device_reports(read_cursor(request.args.get("after", "")), PAGE_SIZE + 1)
    if asked:
        match = CALLED.fullmatch(re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", asked)).upper())
        rows = reports_called(match) if match else []
        if not match:
            problem = Sentence("90788", "编号要像JC-0423-17这样：月日四位，再加当天的第几份")
    shown = rows[:PAGE_SIZE]
    cursor = f"{shown[-1].day}|{shown[-1].ordinal}" if len(rows) > PAGE_SIZE else None
    return show("portal/device_reports.html", rows=shown, asked=asked, problem=problem, cursor=cursor)


def reports_called(match: re.Match) -> list[DeviceReport]:
    """Of this year and the years before: the number itself names none."""
    month, day, ordinal = map(int, match.groups())
    days, this_year = [], clock.today().year
    for year in range(this_year, this_year - YEARS, -1):
        try:
            days.append(date(year, month, day))
        except ValueError:
            continue
    return device_reports_called(days, ordinal) if days else []


def read_cursor(text: str) -> tuple[date, int] | None:
    day, _, ordinal = text.partition("|")
    try:
        return date.fromisoformat(day), min(int(ordinal), 2**31 - 1)
    except ValueError:
        return None
