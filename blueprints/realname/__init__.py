"""Area 50: 单位实名认证."""

from blueprints.common.areas import Area

from . import by_bank, by_card, handover_routes, representative_routes
from .routes import bp, open_items

AREA = Area("50", "单位实名认证", bp, open_items=open_items)
__all__ = ["AREA", "by_bank", "by_card", "handover_routes", "representative_routes"]
