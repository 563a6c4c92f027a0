"""Jobs of no area's own business: mail, seals, sweeping."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from blueprints.common import clock
from blueprints.common.gateways import gateways
from blueprints.common.history import seal_events
from gateways.mail import Mail, Refused, Unavailable
from gateways.sms import ShortMessage, TurnedOff
from models.challenges import sweep_challenges
from models.database import session
from models.device_reports import sweep_device_reports
from models.notices import find_notice, notices_waiting
from models.proofs import sweep_proofs
from models.sessions import sweep

KEEP_REPORTS = 180  # days; pages 1017 and 1019 say so


def send_notice(notice_id: str) -> None:
    """Mails one notice. A refused address is final; an absent server is tried again (the job is retried)."""
    notice = find_notice(UUID(notice_id))
    if notice is None or notice.sent_at:
        return
    content = notice.content
    session.commit()  # no connection is held while the server is asked
    with suppress(Refused):  # the address takes nothing; the page shows what the mail says
        send(notice_id, content)
    notice = find_notice(UUID(notice_id))
    notice.sent_at = clock.now()
    session.commit()


def send(notice_id: str, content: dict) -> None:
    """By the way that the notice names. Raises `Refused`, `Unavailable`."""
    if phone := content.get("sms"):
        with suppress(TurnedOff):  # switched off since it was asked for
            gateways().sms.send(ShortMessage(notice_id, phone, content["text"]))
        return
    if gateways().mail is None:
        raise Unavailable("no mail server is set")
    gateways().mail.send(Mail(notice_id, content["to"], content["subject"], content["text"]))


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
    """Seals audit events; forgets kept POSTs, attempts, dead logins and challenges, old reports; sends mail left over."""
    seal_events()
    sweep(clock.now())
    sweep_challenges(clock.now())
    sweep_proofs(clock.now() - timedelta(days=1))
    sweep_device_reports(clock.now() - timedelta(days=KEEP_REPORTS))
    session.commit()
    send_waiting_notices()
