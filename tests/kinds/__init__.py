"""Made-up kinds of documents, each with one thing that the engine must be able to do; their pages have an area 97."""

from flask import Blueprint

from blueprints.common.areas import Area
from blueprints.common.wizard import add_wizard

from .booking import BOOKING
from .entrustment import ENTRUSTMENT
from .link import LINK
from .opening import OPENING
from .phone import PHONE
from .qualification import QUALIFICATION
from .warehouse import WAREHOUSE

KINDS = (OPENING, LINK, ENTRUSTMENT, BOOKING, PHONE, QUALIFICATION, WAREHOUSE)
bp = Blueprint("made_up", __name__, url_prefix="/made-up")
for kind in KINDS:
    add_wizard(
        bp, kind, start_number=f"{kind.number}90", check_number=f"{kind.number}91", status_number=f"{kind.number}92"
    )

MADE_UP = Area("97", "Made up", bp, kinds=KINDS)
