"""Area 10: home page, announcements, guides, FAQ, terms, help, files, and the workspace that ties the areas together."""

from blueprints.common.areas import Area

from .routes import bp

AREA = Area("10", "门户", bp)
