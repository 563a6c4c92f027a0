"""Notices by mail: written with the act that causes them, sent by the worker."""

from models.database import session
from models.notices import Notice
from models.queue import defer

from . import clock


def notify(address: str, subject: str, text: str) -> None:
    """Commits with the caller's transaction; the job carries the id only."""
    notice = Notice(content={"to": address, "subject": subject, "text": text}, at=clock.now())
    session.add(notice)
    session.flush()
    defer("send_notice", queue="mail", notice_id=str(notice.id))
