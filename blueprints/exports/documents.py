"""Documents that come from others: 变更 and 删除 of what customs has, 撤销申请, 清单总分单 and 汇总申请 of 清单 (M178–M182)."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from models import companions, orders
from models.database import session
from models.documents import next_serial
from models.exports import Task, lock_task
from models.orders import Order

from . import generating
from .checking import SEPARATOR, Found, RowProblem, check_rows
from .kinds import KINDS
from .reading import Book

CHANGE, DELETE = 2, 3
ACTS = {CHANGE: "变更", DELETE: "删除"}


class NotPossible(Exception):
    """`sentence`: why nothing was made."""

    def __init__(self, number: str, template: str, **parts):
        self.sentence = Sentence(number, template, **parts)
        super().__init__(self.sentence)


def declare_again(order: Order, app_type: int, lines: list | None, principal: Principal) -> Order:
    """A document of 变更 (with new lines) or 删除 (as it stands) of one that customs has. Commits. Raises `NotPossible`."""
    if order.app_type != 1 or order.state != orders.SUCCESS:
        raise NotPossible(
            "90653",
            "{no}不在海关，不能申报{act}；还没推送的可以直接删或重新导入",
            no=order.order_no,
            act=ACTS[app_type],
        )
    if companions.open_repeats(order):
        raise NotPossible("90654", "{no}已经有一次变更或删除没有办完，请等海关回执", no=order.order_no)
    total = order.total if lines is None else sum((Decimal(line[3]) for line in lines), Decimal(0))
    return _add(order.task_id, order.kind, order.order_no, dict(order.data), principal, total=total, app_type=app_type,
                lines=order.lines if lines is None else lines)  # fmt: skip


def check_lines(order: Order, typed: list[list[str]]) -> tuple[list[list[str]], list[RowProblem]]:
    """Lines as typed on the page (without what follows the unit), checked like rows of a workbook; rows count from 1."""
    found = Found()
    rows = iter([(number, [order.order_no, *cells]) for number, cells in enumerate(typed, 1)])
    check_rows(Book(len(typed), rows), found, len(typed) + 1)
    _, kept = found.orders.get(order.order_no, (0, []))
    lines = [line.split(SEPARATOR) for line in kept]
    rest = [line[6:] for line in order.lines]
    return [line + more for line, more in zip(lines, rest, strict=False)], found.problems


def cancel_list(row: Order, reason: str, principal: Principal) -> Order:
    """撤销申请 (CEB605) of a 清单 that has its number from customs. Commits. Raises `NotPossible`."""
    data = needs_number(row) | {"cop_no": row.order_no, "reason": reason}
    return _add(row.task_id, orders.CANCELLATION, f"CX{row.serial:014d}", data, principal)


def needs_number(row: Order) -> dict:
    if row.kind != orders.LIST or not row.data.get("invt_no"):
        raise NotPossible("90655", "{no}还没有海关给的清单编号，请等海关入库以后再办", no=row.order_no)
    return {"pre_no": row.data.get("pre_no", ""), "invt_no": row.data["invt_no"]}


def return_list(row: Order, head: dict, principal: Principal) -> Order:
    """退货申请 (CEB213) of all goods of a 清单. `head`: what kinds.py lists for 213, but the 清单's own numbers."""
    data = needs_number(row) | head
    return _add(row.task_id, orders.REFUND, f"TH{row.serial:014d}", data, principal, lines=row.lines, total=row.total)


def make_bill(rows: list[Order], head: dict, principal: Principal) -> Order:
    """清单总分单 (CEB607): one transport document and its 清单. `head`: traf_mode, traf_name, voyage_no, bill_no, gross."""
    data = head | {"lists": [[row.data["logistics_no"], needs_number(row)["invt_no"]] for row in rows]}
    return _add_joint(rows, orders.BILL, "ZF", data, principal)


def make_summary(rows: list[Order], summary_flag: str, name_flag: str, principal: Principal) -> Order:
    """汇总申请 (CEB701) of 清单 that were declared for it."""
    lists = [needs_number(row)["invt_no"] for row in rows]
    data = {"summary_flag": summary_flag, "name_flag": name_flag, "lists": lists}
    return _add_joint(rows, orders.SUMMARY, "HZ", data, principal)


def _add_joint(rows: list[Order], kind: str, prefix: str, data: dict, principal: Principal) -> Order:
    strategies = {session.get(Task, task_id).strategy_id for task_id in {row.task_id for row in rows}}
    if len(strategies) != 1:
        raise NotPossible("90656", "选中的清单用了不同的业务策略，请按策略分开办")
    start = f"{prefix}{clock.today():%Y%m%d}"
    number = f"{start}{next_serial(f'{kind} {principal.enterprise_id} {start}'):06d}"
    return _add(rows[0].task_id, kind, number, data, principal)


def _add(task_id: UUID, kind: str, number: str, data: dict, principal: Principal, *, total=Decimal(0), lines=(),
         app_type: int = 1) -> Order:  # fmt: skip
    """At the end of the task, in a block of its own; its message is made at once."""
    task = lock_task(task_id)
    task.close_block()
    row = Order(
        enterprise_id=task.enterprise_id, customs_code=task.customs_code, task_id=task.id, place=task.next_place, kind=kind,
        app_type=app_type, order_no=number, total=total, lines=list(lines), data=data, changed_at=clock.now(),
        changed_by=principal.name,
    )  # fmt: skip
    session.add(row)
    task.next_place += 1
    record(
        "录入单证", f"task:{task.id}", principal, kind=KINDS[kind].title, number=number, act=ACTS.get(app_type, "新增")
    )
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise NotPossible("90657", "{no}已经申请过了，请先看那一份的结果", no=number) from error
    generating.make_missing(session.get(Task, task_id))
    return row
