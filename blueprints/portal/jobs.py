"""Jobs of no area's own business: mail, seals, sweeping."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from blueprints.common import clock
from blueprints.common.gateways import gateways
from blueprints.common.history import seal_events
from gateways.mail import Mail, Refused, Unavailable
from models.challenges import sweep_challenges
from models.database import session
from models.notices import find_notice, notices_waiting
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
    with suppress(Refused):  # the address takes nothing; the page shows what the mail says
        mailer.send(mail)
    notice = find_notice(UUID(notice_id))
    notice.sent_at = clock.now()
    session.commit()


def send_waiting_notices() -> None:
    """What the jobs could not send, however long the server was away; ends at the first that fails again."""
    waiting = notices_waiting(clock.now() - timedelta(minutes=2))
    session.commit()
    for notice_id in waiting:
        try:
            send_notice(str(notice_id))
        except Unavailable:
            return


def keep_house() -> None:
    """Seals audit events; forgets kept POSTs, attempts, dead logins and challenges; sends mail that is left over."""
    seal_events()
    sweep(clock.now())
    sweep_challenges(clock.now())
    session.commit()
    send_waiting_notices()
