"""Documents that belong together: the 清单 and 收款单 of an order, what customs must have before, 变更 and 删除."""

from uuid import UUID

from sqlalchemy import and_, cast, func, or_, select, text, true
from sqlalchemy.orm import aliased
from sqlalchemy.types import Text

from .database import session
from .exports import Task
from .orders import DECLARING, DOCUMENT_KINDS, LIST, ORDER, PAYMENT, SUCCESS, WAYBILL, Order

# 清单模式: the 清单 of an order, and its 收款单. Their own numbers follow from the order's serial.
_COMPANIONS = {
    PAYMENT: (
        "SK",
        "jsonb_build_object('order_no', order_no, 'pay_code', data->'pay_code', 'pay_name', data->'pay_name',"
        " 'pay_no', data->'pay_no', 'charge', data->'charge', 'accounting', data->'accounting')",
        "CAST(data->>'charge' AS numeric)",
        "AND data ? 'charge'",
    ),
    LIST: (
        "QD",
        "data || jsonb_build_object('order_no', order_no, 'logistics_code', CAST(:carrier AS text),"
        " 'needs_payment', CAST(:paid AS boolean))",
        "total",
        "",
    ),
}


def add_companions(task: Task, carrier: str, needs_payment: bool) -> None:
    """For the orders of a locked task that have none yet; each kind begins a block. `carrier`: code of the 物流企业."""
    for kind, (prefix, data, total, condition) in _COMPANIONS.items():
        task.close_block()
        statement = text(f"""
            INSERT INTO export_orders (enterprise_id, customs_code, task_id, place, kind, order_no, total, lines, data,
                                       changed_at, changed_by)
            SELECT enterprise_id, customs_code, task_id, :first - 1 + row_number() OVER (ORDER BY place), :kind,
                   '{prefix}' || lpad(CAST(serial AS text), 14, '0'), {total}, lines, {data}, changed_at, changed_by
            FROM export_orders o
            WHERE task_id = :task AND kind = '303' AND app_type = 1 {condition} AND NOT EXISTS (
                SELECT FROM export_orders c WHERE c.enterprise_id = o.enterprise_id AND c.customs_code = o.customs_code
                AND c.kind = :kind AND c.order_no = '{prefix}' || lpad(CAST(o.serial AS text), 14, '0'))""")
        values = {"first": task.next_place, "kind": kind, "task": task.id}
        values |= {"carrier": carrier, "paid": needs_payment} if kind == LIST else {}
        task.next_place += session.execute(statement, values).rowcount
    session.flush()


def open_repeats(order: Order) -> bool:
    """Whether a 变更 or 删除 of the document is under way."""
    query = select(Order.serial).where(
        Order.enterprise_id == order.enterprise_id, Order.customs_code == order.customs_code, Order.kind == order.kind,
        Order.order_no == order.order_no, Order.app_type > 1,
        or_(Order.state.is_(None), Order.state == DECLARING),
    )  # fmt: skip
    return session.scalar(query.limit(1)) is not None


def repeats_of(order: Order) -> list[Order]:
    """变更 and 删除 of the document, in the order in which they were made."""
    query = select(Order).where(
        Order.enterprise_id == order.enterprise_id, Order.customs_code == order.customs_code, Order.kind == order.kind,
        Order.order_no == order.order_no, Order.app_type > 1,
    )  # fmt: skip
    return list(session.scalars(query.order_by(Order.serial)))


def companions_of(order_ids: list[UUID]) -> list[UUID]:
    """The 清单 and 收款单 that were made from these orders."""
    own = aliased(Order)
    numbers = [prefix + func.lpad(cast(own.serial, Text), 14, "0") for prefix, *_ in _COMPANIONS.values()]
    query = select(Order.id).join(own, and_(own.task_id == Order.task_id, Order.order_no.in_(numbers)))
    return list(session.scalars(query.where(own.id.in_(order_ids), Order.kind.in_(list(_COMPANIONS)))))


def _taken(kind: str, *conditions):
    """Customs has a document of that kind for which the conditions hold; they may name `other`, its alias."""
    other = aliased(Order)
    found = select(other.id).where(other.kind == kind, other.state == SUCCESS, *(each(other) for each in conditions))
    return found.exists()


def _same_owner(other):
    return and_(other.enterprise_id == Order.enterprise_id, other.customs_code == Order.customs_code)


def _same_order(other):
    return and_(other.order_no == Order.data["order_no"].astext, other.app_type == 1)


BEFORE = {  # kind → {kind that customs must have taken: whether it has}
    PAYMENT: {ORDER: _taken(ORDER, _same_owner, _same_order)},
    LIST: {
        ORDER: _taken(ORDER, _same_owner, _same_order),
        WAYBILL: _taken(
            WAYBILL,
            lambda other: other.order_no == Order.data["logistics_no"].astext,
            lambda other: other.customs_code == Order.data["logistics_code"].astext,
        ),
        PAYMENT: or_(
            Order.data["needs_payment"].astext != "true",
            _taken(PAYMENT, _same_owner, lambda other: other.order_no == "SK" + func.substr(Order.order_no, 3)),
        ),
    },
}


def is_ready(kind: str):
    """All that must be at customs before is there."""
    return and_(true(), *BEFORE.get(kind, {}).values())


def still_missing(order_ids: list[UUID], kind: str) -> dict[UUID, list[str]]:
    """{document: kinds that customs must have first and has not}; those that miss nothing are left out."""
    if kind not in BEFORE or not order_ids:
        return {}
    query = select(Order.id, *BEFORE[kind].values()).where(Order.id.in_(order_ids))
    found = {row[0]: [before for before, there in zip(BEFORE[kind], row[1:], strict=True) if not there]
             for row in session.execute(query)}  # fmt: skip
    return {order_id: missing for order_id, missing in found.items() if missing}


def kinds_of(enterprise_id: UUID, code: str) -> list[str]:
    """Which kinds of documents the company has under the code."""
    return [
        kind
        for kind in DOCUMENT_KINDS
        if session.scalar(
            select(Order.serial)
            .where(Order.enterprise_id == enterprise_id, Order.customs_code == code, Order.kind == kind)
            .limit(1)
        )
    ]
