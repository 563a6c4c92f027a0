"""The left menu of 管理员账号信息管理, entry by entry as the source has it (M72)."""

from blueprints.common.access import ADMINISTRATOR, MEMBER, MenuEntry, current

MENU = (
    MenuEntry("4001", "单位管理员信息", "account.show_company", MEMBER),
    MenuEntry("4002", "我的操作员", "account.list_operators", ADMINISTRATOR),
    MenuEntry("4003", "我的IC卡(可选操作)", "account.list_cards", MEMBER),
    MenuEntry("4004", "我的资质(可选操作)", "account.show_qualifications", MEMBER),
    MenuEntry("4005", "印章管理", "account.list_seals", MEMBER),
    MenuEntry("5001", "单位实名认证", "realname.show_methods", MEMBER),
    MenuEntry("4006", "自动导入客户端管理", "account.list_clients", MEMBER),
)


def account_menu() -> list:
    """As macros/menu.html takes it: [(title, [(entry, reasons)])]."""
    return [("管理员账号信息管理", [(entry, entry.needs.unmet(current())) for entry in MENU])]
