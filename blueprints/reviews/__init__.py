"""Area 90: the officials' desk: queues by promise date, one document at a time, decisions."""

from blueprints.common.areas import Area

from .commands import staff
from .routes import bp

AREA = Area("90", "审核工作台", bp, commands=(staff,))
