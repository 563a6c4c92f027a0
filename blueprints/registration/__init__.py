"""Area 20: registration (注册) in five kinds before there is an account, with a resume code (续办码), and joining a company."""

from blueprints.common.areas import Area

from . import join
from .kinds import KINDS
from .register_check import check_register
from .routes import bp

AREA = Area("20", "用户注册", bp, kinds=KINDS, jobs=(check_register,))
__all__ = ["AREA", "join"]
