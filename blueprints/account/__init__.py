"""Area 40: 管理员账号信息管理."""

from blueprints.common.areas import Area

from . import activity, binding, client_api, clients, operators, own, qualifications, seals, webhooks  # noqa: F401
from .base import bp
from .cards import remind_of_cards
from .closing import close_due_accounts
from .commands import accounts
from .company import open_items
from .company_kinds import KINDS
from .jobs import refresh_codes
from .menu import MENU

AREA = Area(
    "40", "管理员账号信息管理", bp, kinds=KINDS, menu=MENU, open_items=open_items, jobs=(refresh_codes,), commands=(accounts,),
    loops=((remind_of_cards, 3600.0), (close_due_accounts, 300.0)),
)  # fmt: skip
CLIENT_VIEWS = client_api.CLIENT_VIEWS
__all__ = ["AREA", "CLIENT_VIEWS"]
