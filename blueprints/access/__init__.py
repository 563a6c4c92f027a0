"""Area 71: 企业准入服务门户: 传输ID申请."""

from blueprints.common.access import MenuEntry
from blueprints.common.areas import Area
from models.transmission import count_transmission_ids

from .kinds import APPLY_NEEDS, TRANSMISSION_ID
from .routes import bp

MENU = (MenuEntry("7110", "传输ID申请", "access.transmission_id_start", APPLY_NEEDS),)


def under_code(enterprise_id, code: str | None) -> list[tuple[str, int, str]]:
    return [("传输ID", count_transmission_ids(enterprise_id, code), "")]


AREA = Area("71", "企业准入服务", bp, kinds=(TRANSMISSION_ID,), menu=MENU, under_code=under_code)
