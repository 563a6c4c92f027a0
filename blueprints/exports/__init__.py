"""Area 80: 跨境电子商务出口企业申报系统."""

from blueprints.common.areas import Area

from .routes import bp

AREA = Area("80", "跨境电子商务出口企业申报系统", bp)
