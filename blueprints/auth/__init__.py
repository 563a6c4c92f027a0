"""Area 30: login by password, phone and card, sessions, recovery; the portal's side of signing by redirect."""

from blueprints.common.areas import Area

from . import activation, name_routes, own_logins, password_routes, phone, routes
from .base import bp
from .bridge import BRIDGE_VIEWS
from .cards import report_lost_card
from .kinds import NAME_RECOVERY
from .waiting import settle_recoveries

AREA = Area("30", "登录", bp, kinds=(NAME_RECOVERY,), loops=((settle_recoveries, 60.0),), commands=(report_lost_card,))
__all__ = ["AREA", "BRIDGE_VIEWS", "activation", "name_routes", "own_logins", "password_routes", "phone", "routes"]
