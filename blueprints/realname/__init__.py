"""Area 50: 单位实名认证."""

from blueprints.common.areas import Area

from .routes import bp

AREA = Area("50", "单位实名认证", bp)
