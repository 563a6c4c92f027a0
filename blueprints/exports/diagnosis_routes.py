"""Pages 8041–8045: 推送检查, what it found, 报障 and the tickets of a company."""

from flask import flash, redirect, render_template, request, url_for

from blueprints.common import access, clock
from blueprints.common.access import get_or_404, page
from blueprints.common.checks import phone_shape
from blueprints.common.fields import DocumentForm, Text
from blueprints.common.history import record
from blueprints.common.limits import Limit
from blueprints.common.numbers import Sentence
from blueprints.common.plain_forms import error_line, page_form, summary_of
from blueprints.common.printing import pdf_answer
from models import tickets
from models.database import session

from . import diagnosis
from .base import EDIT_NEEDS, NEEDS, bp, region, show_here

RUNS = Limit("push-diagnosis", 10, 10)
MOST = 100  # tickets that are listed
STATES = {tickets.OPEN: "已报障", tickets.SOLVED: "已解决"}


class DiagnosisForm(DocumentForm):
    order_no = Text("订单号", number="804101", required=False, limit=60, hint="空着就查最近一单没推成功的")


class TicketForm(DocumentForm):
    story = Text(
        "遇到了什么事",
        number="804301",
        limit=1000,
        long=True,
        span=True,
        hint="哪天开始的、以前推送成功过没有、还有哪些订单",
    )
    contact = Text("联系人", number="804302", limit=50, personal=True)
    phone = Text("联系电话", phone_shape, number="804303", limit=30, personal=True)


def show_start(form: DiagnosisForm, summary=()):
    stuck = tickets.stuck_order(access.current().enterprise_id, access.current().code)
    return show_here("diagnosis.html", number="8041", form=form, problems=list(summary), stuck=stuck)


@bp.get("/diagnosis")
@page("8041", "推送检查", NEEDS)
def start_diagnosis():
    suggested = {"order_no": request.args.get("order_no", "")[:60]}
    return show_start(page_form(DiagnosisForm, "diagnosis", suggested=suggested))


@bp.post("/diagnosis")
@page("8041", "推送检查", NEEDS)
def run_diagnosis():
    principal, form = access.current(), page_form(DiagnosisForm, "diagnosis", posted=True)
    problems, found = summary_of(form.check()), None
    if not problems:
        number = form.values["order_no"]
        asked = (principal.enterprise_id, principal.code)
        found = tickets.order_numbered(*asked, number) if number else tickets.stuck_order(*asked)
        problems = why_not(number, found, str(principal.enterprise_id))
    if problems:
        return show_start(form, problems)
    RUNS.add(str(principal.enterprise_id))
    run = diagnosis.diagnose(found, principal)
    session.commit()
    return redirect(url_for("exports.show_diagnosis", id=run.id), 303)


def why_not(number: str, found, subject: str) -> list[dict]:
    if number and found is None:
        words = "没有查到订单{number}：看看号码对不对，是不是还没有生成申报数据，或者在别的海关编码下面"
        return [error_line(Sentence("90880", words, number=number), "order_no")]
    if minutes := RUNS.minutes_left(subject):
        return [error_line(Sentence("90896", "查得太勤了，请{minutes}分钟后再查", minutes=minutes), "order_no")]
    return []


def get_diagnosis_or_404(id):
    principal = access.current()
    return get_or_404(tickets.find_diagnosis(principal.enterprise_id, principal.code, id))


@bp.get("/diagnosis/<uuid:id>")
@page("8042", "检查结果", NEEDS)
def show_diagnosis(id):
    run = get_diagnosis_or_404(id)
    findings = diagnosis.findings_of(run)
    was_successful = tickets.has_success(run.enterprise_id, run.customs_code)
    return show_here(
        "diagnosis_result.html", run=run, findings=findings, checks=diagnosis.CHECKS, ticket=tickets.ticket_of(run.id),
        verdict=diagnosis.verdict_of(findings, was_successful),
    )  # fmt: skip


def show_ticket_form(run, form: TicketForm, problems=()):
    return show_here("diagnosis_report.html", number="8043", run=run, form=form, problems=list(problems),
                     lines=diagnosis.evidence_of(run))  # fmt: skip


@bp.get("/diagnosis/<uuid:id>/report")
@page("8043", "报障", EDIT_NEEDS)
def start_ticket(id):
    run = get_diagnosis_or_404(id)
    if ticket := tickets.ticket_of(run.id):
        return redirect(url_for("exports.show_ticket", id=ticket.id), 303)
    return show_ticket_form(run, page_form(TicketForm, "report"))


@bp.post("/diagnosis/<uuid:id>/report")
@page("8043", "报障", EDIT_NEEDS)
def file_ticket(id):
    run, form = get_diagnosis_or_404(id), page_form(TicketForm, "report", posted=True)
    if problems := form.check():
        return show_ticket_form(run, form, summary_of(problems))
    ticket = diagnosis.file_ticket(run, dict(form.values), access.current())
    session.commit()
    return redirect(url_for("exports.show_ticket", id=ticket.id), 303)


def get_ticket_or_404(id):
    principal = access.current()
    return get_or_404(
        tickets.find_ticket(principal.enterprise_id, principal.code, id, lock=request.method == "POST")
    )  # fmt: skip


@bp.get("/tickets")
@page("8045", "报障记录", NEEDS)
def list_tickets():
    principal = access.current()
    rows = tickets.tickets_of(principal.enterprise_id, principal.code, MOST)
    return show_here("diagnosis_tickets.html", rows=rows, states=STATES, most=MOST)


@bp.get("/tickets/<uuid:id>")
@page("8044", "报障单", NEEDS)
def show_ticket(id):
    return show_here("diagnosis_ticket.html", ticket=get_ticket_or_404(id), states=STATES)


@bp.get("/tickets/<uuid:id>.pdf")
@page(None, "打印报障单", NEEDS)
def print_ticket(id):
    ticket = get_ticket_or_404(id)
    html = render_template("exports/diagnosis_print.html", ticket=ticket, states=STATES, region=region())
    return pdf_answer(html, f"{ticket.number}.pdf")


@bp.post("/tickets/<uuid:id>/solved")
@page(None, "报障已解决", EDIT_NEEDS)
def solve_ticket(id):
    ticket = get_ticket_or_404(id)
    if ticket.state == tickets.OPEN:
        ticket.state, ticket.solved_at = tickets.SOLVED, clock.now()
        record("报障已解决", f"ticket:{ticket.id}", access.current(), number=ticket.number)
        session.commit()
    flash(f"报障{ticket.number}已记为解决。")
    return redirect(url_for("exports.show_ticket", id=id), 303)
