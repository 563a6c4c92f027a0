"""Area 50: 单位实名认证."""

from blueprints.common import clock
from blueprints.common.areas import Area
from models.database import session
from models.realname import end_old_cases

from . import by_bank, by_card, handover_routes, representative_routes
from .routes import bp, open_items


def forget_old_cases() -> None:
    end_old_cases(clock.now())
    session.commit()


AREA = Area("50", "单位实名认证", bp, open_items=open_items, loops=((forget_old_cases, 3600.0),))
__all__ = ["AREA", "by_bank", "by_card", "handover_routes", "representative_routes"]
