"""Short messages that the portal sends (docs/protocols/sms.md).

sender = HttpSms(address, token)                              # or OffSms()
sender.send(ShortMessage("notice-17", "13800000000", "正文"))    # Refused, Unavailable
"""

from ..outcomes import Refused, TurnedOff, Unavailable
from .http import HttpSms
from .off import OffSms
from .port import ShortMessage, Sms

__all__ = ["HttpSms", "OffSms", "Refused", "ShortMessage", "Sms", "TurnedOff", "Unavailable"]
