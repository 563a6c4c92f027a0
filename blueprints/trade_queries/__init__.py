"""Area 81: 交易管理."""

from blueprints.common.areas import Area

from .routes import MENU, bp

AREA = Area("81", "交易管理", bp, menu=MENU)
