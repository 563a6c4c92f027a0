"""Area 30: login by password and card, sessions, log-out; the portal's side of signing by redirect."""

from blueprints.common.areas import Area

from .routes import bp

AREA = Area("30", "登录", bp)
BRIDGE_VIEWS: tuple[str, ...] = ()
