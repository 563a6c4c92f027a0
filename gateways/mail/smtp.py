"""Mail over SMTP: UTF-8 plain text, the notice's number in X-Eport-Notice and in the Message-ID."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

from ..outcomes import Refused, Unavailable
from .port import Mail


class SmtpMailer:
    """`security` is "plain" (a relay on this machine), "starttls" or "tls"; certificates are checked."""

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        *,
        security: str = "plain",
        user: str = "",
        password: str = "",
        timeout: float = 10.0,
    ) -> None:
        self._host, self._port, self._sender, self._timeout = host, port, sender, timeout
        self._security, self._user, self._password = security, user, password

    def send(self, mail: Mail) -> None:
        """Raises Refused for what no later attempt can mend, Unavailable otherwise."""
        message = self._message(mail)
        try:
            with self._connect() as server:
                if self._user:
                    server.login(self._user, self._password)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code = max(code for code, _ in error.recipients.values())
            raise (Refused if code >= 500 else Unavailable)(f"SMTP {code}") from error
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise (Refused if error.smtp_code >= 500 else Unavailable)(f"SMTP {error.smtp_code}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(type(error).__name__) from error

    def _connect(self) -> smtplib.SMTP:
        if self._security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=context)
        server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        if self._security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except (smtplib.SMTPException, OSError):
                server.close()
                raise
        return server

    def _message(self, mail: Mail) -> EmailMessage:
        address = parseaddr(mail.to)[1]
        if address != mail.to or not address.isascii() or "@" not in address:
            raise Refused("not a mail address")
        message = EmailMessage()
        try:
            message["Subject"] = mail.subject
            message["From"], message["To"] = self._sender, address
            message["X-Eport-Notice"] = mail.notice_id
            message["Message-ID"] = f"<{mail.notice_id}@{parseaddr(self._sender)[1].rpartition('@')[2]}>"
        except ValueError as error:
            raise Refused("line break in a header") from error
        message["Date"] = formatdate()
        message.set_content(mail.text, charset="utf-8", cte="base64")
        return message
