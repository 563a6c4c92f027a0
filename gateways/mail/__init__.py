"""Mail that the portal sends (docs/protocols/mail.md).

mailer = SmtpMailer("127.0.0.1", 8025, "noreply@portal.example")
mailer.send(Mail("notice-17", "user@example.com", "主题", "正文"))   # Refused, Unavailable
"""

from ..outcomes import Refused, Unavailable
from .port import Mail, Mailer
from .smtp import SmtpMailer

__all__ = ["Mail", "Mailer", "Refused", "SmtpMailer", "Unavailable"]
