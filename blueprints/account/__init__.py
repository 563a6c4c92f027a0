"""Area 40: 管理员账号信息管理."""

from blueprints.common.areas import Area

from .routes import bp

AREA = Area("40", "管理员账号信息管理", bp)
