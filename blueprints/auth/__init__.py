"""Area 30: login by password and card, sessions, log-out; the portal's side of signing by redirect."""

from blueprints.common.areas import Area

from .bridge import BRIDGE_VIEWS
from .cards import report_lost_card
from .routes import bp

AREA = Area("30", "登录", bp, commands=(report_lost_card,))
__all__ = ["AREA", "BRIDGE_VIEWS"]
