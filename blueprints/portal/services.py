"""What the home pages put together from all areas: tiles, menus with reasons, the five steps of an exporter."""

from dataclasses import dataclass

from flask import url_for

from blueprints.common.access import MenuEntry, Principal, Reason
from models.accounts import cards_of_enterprise
from models.transmission import count_transmission_ids

AREA_PAGES = {
    "account": "account.show_company", "exports": "exports.list_tasks", "declarations": "declarations.list_declarations",
}  # fmt: skip


@dataclass(frozen=True)
class Tile:
    name: str
    english: str
    text: str
    mark: str
    url: str | None  # None: 建设中


def tiles(region, principal: Principal | None) -> list[Tile]:
    """The region's tiles for this state (M9, M10); what is not built yet says 建设中."""
    slugs = region["home"]["member_tiles" if principal else "tiles"]
    found = [region["tiles"][slug] for slug in slugs]
    return [Tile(row["name"], row["english"], row["text"], row["mark"], _url(row)) for row in found]


def _url(row: dict) -> str | None:
    endpoint = AREA_PAGES.get(row.get("area", "")) if row["state"] == "open" else None
    return url_for(endpoint) if endpoint else None


def workspace_menu(areas, principal: Principal | None) -> list[tuple[str, list[tuple[MenuEntry, list[Reason]]]]]:
    """[(area title, [(entry, reasons why it is greyed)])]; areas without a menu are left out."""
    return [(area.title, [(entry, entry.needs.unmet(principal)) for entry in area.menu]) for area in areas if area.menu]


def find_functions(app, principal: Principal | None, asked: str) -> list[tuple[str, str, list[Reason], str]]:
    """(number, title, reasons, url or "") of every page whose number or name holds `asked`; those open to all come too."""
    found = {}
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: (len(rule.arguments), rule.rule))
    for rule in rules:
        info = getattr(app.view_functions[rule.endpoint], "page", None)
        if info and info.number and info.number not in found and (asked in info.title or asked == info.number):
            reasons = info.needs.unmet(principal)
            is_plain = not rule.arguments and "GET" in rule.methods and not reasons
            found[info.number] = (info.number, info.title, reasons, url_for(rule.endpoint) if is_plain else "")
    return sorted(found.values())


def five_steps(principal: Principal) -> list[tuple[str, str, str, str]]:
    """The exporter's five preparations (M176): (what, who, state tick|pencil, url or "")."""
    has_card = bool(cards_of_enterprise(principal.enterprise_id))
    has_id = bool(count_transmission_ids(principal.enterprise_id, principal.code))
    return [
        ("海关企业资质备案", "单一窗口标准版", "tick" if principal.code else "pencil", ""),
        ("IC卡申请", "数据分中心", "tick" if has_card else "pencil", url_for("account.list_cards")),
        ("电商企业资质备案", "单一窗口标准版", "tick" if principal.code else "pencil", ""),
        ("传输ID申请", "数据分中心", "tick" if has_id else "pencil", url_for("access.transmission_id_start")),
        ("企业数据传输系统对接", "数据分中心及数据传输平台", "pencil", url_for("exports.list_profiles")),
    ]
