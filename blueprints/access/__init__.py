"""Area 71: 企业准入服务门户: 传输ID申请."""

from blueprints.common.access import MenuEntry
from blueprints.common.areas import Area

from .kinds import APPLY_NEEDS, TRANSMISSION_ID
from .routes import bp

MENU = (MenuEntry("7110", "传输ID申请", "access.transmission_id_start", APPLY_NEEDS),)
AREA = Area("71", "企业准入服务", bp, kinds=(TRANSMISSION_ID,), menu=MENU)
