"""Area 20: registration (注册) of a company before it has an account, with a resume code (续办码)."""

from blueprints.common.areas import Area

from .kinds import REGISTRATION
from .routes import bp

AREA = Area("20", "用户注册", bp, kinds=(REGISTRATION,))
