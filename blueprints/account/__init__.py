"""Area 40: 管理员账号信息管理."""

from blueprints.common.areas import Area

from . import activity, binding, client_api, clients, qualifications, seals
from .commands import accounts
from .jobs import refresh_codes
from .menu import MENU
from .routes import bp, open_items

AREA = Area(
    "40", "管理员账号信息管理", bp, menu=MENU, open_items=open_items, jobs=(refresh_codes,), commands=(accounts,)
)
CLIENT_VIEWS = client_api.CLIENT_VIEWS
__all__ = ["AREA", "CLIENT_VIEWS", "activity", "binding", "clients", "qualifications", "seals"]
