"""Jobs of no area's own business: mail, seals, sweeping."""

from uuid import UUID

from blueprints.common import clock
from blueprints.common.gateways import gateways
from blueprints.common.history import seal_events
from gateways.mail import Mail, Refused, Unavailable
from models.database import session
from models.notices import find_notice
from models.sessions import sweep


def send_notice(notice_id: str) -> None:
    """Mails one notice. A refused address is final; an absent server is tried again (the job is retried)."""
    notice = find_notice(UUID(notice_id))
    if notice is None or notice.sent_at:
        return
    mail = Mail(notice_id, notice.content["to"], notice.content["subject"], notice.content["text"])
    mailer = gateways().mail
    session.commit()  # no connection is held while the server is asked
    if mailer is None:
        raise Unavailable("no mail server is set")
    try:
        mailer.send(mail)
    except Refused:
        pass  # the address takes nothing; the page shows what the mail says
    notice = find_notice(UUID(notice_id))
    notice.sent_at = clock.now()
    session.commit()


def keep_house() -> None:
    """Seals audit events; forgets kept POSTs, attempts and dead logins."""
    seal_events()
    sweep(clock.now())
    session.commit()
