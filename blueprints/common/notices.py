"""Notices by mail and SMS: written with the act that causes them, sent by the worker."""

from flask import current_app

from models.database import session
from models.documents import Decision, Document
from models.notices import Notice
from models.queue import defer

from . import clock
from .records import lines_sent


def notify(address: str, subject: str, text: str) -> None:
    """Commits with the caller's transaction; the job carries the id only."""
    notice = Notice(content={"to": address, "subject": subject, "text": text}, at=clock.now())
    session.add(notice)
    session.flush()
    defer("send_notice", queue="mail", notice_id=str(notice.id))


def notify_nobody(subject: str, text: str) -> None:
    """The work of `notify` and nothing of it: where times must not tell whether somebody was written to."""
    saved = session.begin_nested()
    notify("nobody@example.invalid", subject, text)
    saved.rollback()


def notify_by_sms(phone: str, text: str) -> None:
    """The same by short message. The text says from whom it is."""
    notice = Notice(
        content={"sms": phone, "text": f"【{current_app.config['REGION']['short']}单一窗口】{text}"}, at=clock.now()
    )
    session.add(notice)
    session.flush()
    defer("send_notice", queue="mail", notice_id=str(notice.id))


def decision_mail(office, kind, document: Document, decision: Decision) -> tuple[str, str]:
    """(subject, text) of the notice; personal data stays out of it."""
    outcome = office.words(kind, decision.outcome)
    subject = f"{kind.title}：{decision.stage_title}{outcome}"
    lines = [f"受理编号：{document.number}", f"{kind.title}的「{decision.stage_title}」{outcome}。"]
    if decision.outcome == "returned":
        labels = {line.path: f"{line.number} {line.label}" for line in lines_sent(document)}
        lines += [f"· {labels.get(path, path)}：{reason}" for path, reason in decision.reasons]
        lines.append("请登录网站或用续办码打开申请，改好后再提交；其他内容都留着。")
    elif decision.outcome == "refused":
        lines += [f"理由：{reason}" for _, reason in decision.reasons]
    lines.append(office.status(document))
    return subject, "\n".join(lines)
