"""What the pages of this area share: blueprint, the page with the seven-entry menu at its left."""

from flask import Blueprint

from blueprints.common.pages import show

from .menu import account_menu

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.app_context_processor
def menus() -> dict:
    return {"account_menu": account_menu}


def show_here(template: str, **values):
    """`templates/account/<template>`, which extends `account/_frame.html` (blocks title and page)."""
    return show(f"account/{template}", **values)
