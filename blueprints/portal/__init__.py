"""Area 10: home page, announcements, guides, FAQ, terms, help, files, and the workspace that ties the areas together."""

from blueprints.common.areas import Area

from . import card_words, devices
from .commands import audit
from .jobs import keep_house, send_notice
from .routes import bp

AREA = Area("10", "门户", bp, jobs=(send_notice,), loops=((keep_house, 30.0),), commands=(audit,))
__all__ = ["AREA", "card_words", "devices"]
