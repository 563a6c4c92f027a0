"""推送: what is chosen becomes messages that a card signs; sending.py takes them from there."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flask import url_for

from blueprints.common import clock
from blueprints.common.access import SUBMIT, Principal
from blueprints.common.challenges import (
    NotAccepted,
    create_challenge,
    end,
    on_release,
    on_signature,
    serves_messages,
)
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from gateways.certificates import read_certificate
from models import companions, orders, pushes
from models.accounts import Enterprise, User
from models.challenges import lock_open_challenges
from models.database import session
from models.exports import BLOCK, Task, lock_task
from models.orders import Message, Order, Push
from models.queue import defer
from models.transmission import find_transmission_id

from . import generating
from .kinds import KINDS
from .sending import ask_to_send

MOST_MESSAGES = 1440  # what an IC card of 12 signatures a minute signs in the 2 hours of a challenge


class NothingToPush(Exception):
    """`sentence` says why, for the whole choice."""

    def __init__(self, number: str, template: str, **parts):
        self.sentence = Sentence(number, template, **parts)
        super().__init__(self.sentence)


@dataclass(frozen=True)
class Chosen:
    whole: list[UUID]  # messages all of whose orders are chosen
    parts: list[UUID]  # messages of which some orders stay behind


def choose(query, kind: str = orders.ORDER) -> Chosen:
    """The unsigned messages of the documents that `query` finds and customs can take now. Raises `NothingToPush`."""
    found = orders.waiting_messages(query.where(companions.is_ready(kind)))
    if not found and orders.waiting_messages(query):
        before = "、".join(KINDS[each].title for each in companions.BEFORE[kind])
        raise NothingToPush("90652", "选中的{title}还不能推：要等海关收到同一单的{before}以后，运单由物流企业自己传输",
                            title=KINDS[kind].title, before=before)  # fmt: skip
    if not found:
        raise NothingToPush(
            "90641", "选中的订单里没有待推送的：成功的不会重复申报，申报中的请等海关回执，失败的请看原因"
        )
    if len(found) > MOST_MESSAGES:
        raise NothingToPush("90642", "一次最多推送{count}单，请按任务或日期分几次推", count=MOST_MESSAGES * BLOCK)
    return Chosen(
        [m for m, total, count in found if total == count], [m for m, total, count in found if total != count]
    )


def start_push(query, principal: Principal, kind: str = orders.ORDER) -> Push:
    """Fixes what is pushed, of one kind. Commits once before messages are made anew. Raises `NothingToPush`."""
    query = query.where(Order.kind == kind)
    chosen = choose(query, kind)
    query = query.where(companions.is_ready(kind))
    ids = chosen.whole + (_pull_out(query, chosen.parts) if chosen.parts else [])
    messages = [message for message in pushes.lock_messages(ids) if message.state == "unsigned"]
    if len({message.dxp_id for message in messages}) != 1:
        raise NothingToPush("90643", "选中的订单用了不同的传输ID，请按业务策略分开推送")
    granted = find_transmission_id(messages[0].dxp_id)
    if granted is None or granted.enterprise_id != principal.enterprise_id:
        raise NothingToPush("90644", "这些订单的传输ID不是发给本单位的，请核对企业资料，再重新生成申报数据")
    tasks = {message.task_id for message in messages}
    label = session.get(Task, tasks.pop()).number if len(tasks) == 1 else f"{len(tasks)}个任务"
    push = Push(
        enterprise_id=principal.enterprise_id, customs_code=principal.code, label=label, created_at=clock.now(),
        created_by=principal.name,
    )  # fmt: skip
    session.add(push)
    session.flush()
    for message in messages:
        message.push_id = push.id
    record("推送", f"push:{push.id}", principal, messages=len(messages))
    session.flush()
    return push


def _pull_out(query, message_ids: list[UUID]) -> list[UUID]:
    """Gives the chosen orders messages of their own; the others get theirs made anew. Commits."""
    moved = orders.orders_in(query, message_ids)
    tasks = sorted({order.task_id for order in moved})
    take_apart(message_ids)
    for task_id in tasks:
        task = lock_task(task_id)
        task.close_block()
        for order in (order for order in moved if order.task_id == task_id):
            order.place = task.next_place
            task.next_place += 1
        defer("generate_task", queue="exports", lock=f"task:{task_id}", task_id=str(task_id))  # should we die here
    session.commit()
    for task_id in tasks:
        generating.make_missing(session.get(Task, task_id))
    again = orders.waiting_messages(orders.only(query, [order.id for order in moved]))
    return [message for message, _, _ in again]


def take_apart(message_ids: list[UUID]) -> None:
    """Removes unsigned messages; requests to sign them end. Raises `NothingToPush` if one was signed just now."""
    messages = pushes.lock_messages(message_ids)
    if any(message.state != "unsigned" for message in messages):
        raise NothingToPush("90645", "有订单刚刚签了名，请刷新后再选")
    for push_id in {message.push_id for message in messages if message.push_id}:
        for challenge in lock_open_challenges(push_id):
            end(challenge, "replaced")
    pushes.delete_messages(message_ids)


def ask_card(push: Push, principal: Principal):
    """A challenge over the unsigned messages of the push: (challenge, cookie). Raises `NotAccepted`, `NothingToPush`."""
    messages = pushes.messages_of_push(push.id, "unsigned")
    if not messages:
        raise NothingToPush("90646", "这一次推送的都签好了，不用再签")
    sums: dict[str, Decimal] = {}
    for message in messages:
        sums[message.currency] = sums.get(message.currency, Decimal(0)) + message.total
    payload = {
        "task": push.label, "enterprise": principal.enterprise_name, "uscc": principal.uscc,
        "customs_code": push.customs_code, "dxp_id": messages[0].dxp_id, "profiles": ["rsa-sha1", "sm2-sm3"],
        "count": len(messages), "orders": sum(message.order_count for message in messages),
        "sums": {currency: str(total) for currency, total in sums.items()},
        "sha256": [message.sha256.hex() for message in messages],
    }  # fmt: skip
    path = url_for("exports.show_push", id=push.id)
    return create_challenge(
        "batch", payload, user_id=principal.user_id, enterprise_id=principal.enterprise_id, task_id=push.id,
        items=[str(message.id) for message in messages], next_path=path, again_path=path,
    )  # fmt: skip


@serves_messages
def serve_message(challenge, index: int) -> bytes:
    return pushes.canonical_of(UUID(challenge.items[index]))


@on_release("batch")
def begin_signing(challenge, card) -> str | None:
    """The certificate must be the company's own. SIGNING §1.6: until here nothing is signed."""
    company, user = session.get(Enterprise, challenge.enterprise_id), session.get(User, challenge.user_id)
    if user.role != "administrator" and user.rights.get("exports", 0) < SUBMIT:
        raise NotAccepted(Sentence("90127", "您的账号现在没有推送的权限了，请找本单位的管理员开通"))
    if card.uscc != company.uscc:
        raise NotAccepted(
            Sentence("90651", "这张卡是「{company}」的，不能签本单位的订单，请换本单位的卡", company=card.company)
        )
    return challenge.next_path


@on_signature
def keep_signature(challenge, index: int, signature: bytes, signed_message: bytes) -> None:
    """The first signature of a message stays: its bytes are what customs will know."""
    message = next(iter(pushes.lock_messages([UUID(challenge.items[index])])), None)
    if message is None or message.state != "unsigned":
        return
    card = read_certificate(challenge.certificate)
    keep_signed(message, signed_message, f"{card.holder} {card.card_number}")
    if challenge.is_complete or challenge.signed_count == 1:  # in between the loop takes up what is ready
        session.flush()
        ask_to_send(message.push_id)


def keep_signed(message: Message, signed: bytes, by: str) -> None:
    message.signed, message.signed_at, message.signed_by, message.state = signed, clock.now(), by, "ready"


def what_pushing_does(order: Order, message: Message, state: str) -> Sentence | None:
    """The answer to 推送 on one row; None: it is pushed."""
    if state == orders.SUCCESS:
        return Sentence("90647", "订单{no}已推送成功，不会重复申报", no=order.order_no)
    if state == orders.DECLARING or message.state == "ready":
        return Sentence("90648", "订单{no}正在申报，请等海关回执，不用再推", no=order.order_no)
    if state == orders.FAILED and not may_resend(order, message):
        return Sentence("90649", "订单{no}被海关退回，请先看原因：删除后改好，再补充导入", no=order.order_no)
    return None


def may_resend(order: Order, message: Message) -> bool:
    """4 发送海关失败 and refusals of the platform concern the way, not the content: the same bytes go again."""
    return order.return_status == 4 or (order.state is None and message.state == "refused")
