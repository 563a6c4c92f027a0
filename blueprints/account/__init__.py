"""Area 40: 管理员账号信息管理."""

from blueprints.common.areas import Area

from . import binding
from .commands import accounts
from .jobs import refresh_codes
from .menu import MENU
from .routes import bp, open_items

AREA = Area(
    "40", "管理员账号信息管理", bp, menu=MENU, open_items=open_items, jobs=(refresh_codes,), commands=(accounts,)
)
__all__ = ["AREA", "binding"]
