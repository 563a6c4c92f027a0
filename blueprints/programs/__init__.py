"""Area 83: 程序接口, what programs of companies do over HTTP by a token (docs/protocols/programs.md)."""

from blueprints.common.areas import Area

from .notices import deliver_notice, forget_old, look_for_changes, send_due
from .routes import bp

AREA = Area(
    "83", "程序接口", bp, jobs=(deliver_notice,),
    loops=((look_for_changes, 2.0), (send_due, 1.0), (forget_old, 3600.0)),
)  # fmt: skip
