"""Area 80: 跨境电子商务出口企业申报系统."""

from flask import url_for

from blueprints.common.access import Principal
from blueprints.common.areas import Area
from models import orders
from models.exports import count_unfinished_tasks, open_tasks
from models.orders import FAILED, failed_orders

from . import program_api  # noqa: F401  (offers itself to the API of area 83)
from .base import DECLARATION_MENU, NEEDS, SETTINGS_MENU
from .generating import generate_task
from .importing import make_report, read_import
from .listening import ask_hosts, receive_from_host
from .receiving import poll_channels
from .routes import bp
from .sending import send_messages
from .signing import sign_push, wake_signing


def open_items(principal: Principal) -> list[tuple[str, str, str, str]]:
    """What waits for the company here: workbooks to mend, orders that customs sent back."""
    if NEEDS.unmet(principal):
        return []
    items = []
    for task, newest in open_tasks(principal.enterprise_id, principal.code):
        url = url_for("exports.show_task", id=task.id)
        if newest and newest.state == "refused":
            items.append((f"任务{task.number}", "文件没有导入，请看原因", "", url))
        elif newest and newest.rows_wrong:
            items.append((f"任务{task.number}", f"有{newest.rows_wrong}行要改", "", url))
        else:
            items.append((f"任务{task.number}", "申报数据生成失败，请看原因", "", url))
    if failed_orders(principal.enterprise_id, principal.code):
        items.append(("被海关退回的订单", "请看原因，改好再报", "", url_for("exports.list_orders", state=FAILED)))
    return items


def under_code(enterprise_id, code: str | None) -> list[tuple[str, int, str]]:
    """What is not finished under a customs code."""
    counts = [orders.count_declared(enterprise_id, code, state) for state in (orders.WAITING, orders.DECLARING)]
    waiting, declaring = (url_for("exports.list_orders", state=state) for state in (orders.WAITING, orders.DECLARING))
    return [
        ("没办完的申报任务", count_unfinished_tasks(enterprise_id, code), url_for("exports.list_tasks")),
        ("待推送的订单", counts[0], waiting),
        ("等海关回执的订单", counts[1], declaring),
    ]


AREA = Area(
    "80", "跨境电子商务出口企业申报系统", bp, menu=(*DECLARATION_MENU, *SETTINGS_MENU), open_items=open_items,
    jobs=(read_import, make_report, generate_task, send_messages, sign_push, receive_from_host),
    loops=((poll_channels, 1.0), (ask_hosts, 1.0), (wake_signing, 1.0)),
    under_code=under_code,
)  # fmt: skip
