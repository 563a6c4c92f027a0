"""Pages 7101–7199: the wizard of 传输ID申请."""

from flask import Blueprint

from blueprints.common.wizard import add_wizard

from .kinds import TRANSMISSION_ID

bp = Blueprint("access", __name__, url_prefix="/access")

WIZARD = add_wizard(bp, TRANSMISSION_ID, start_number="7110", check_number="7111", status_number="7112")
