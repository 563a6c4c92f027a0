"""生成申报数据: groups the documents of a task into messages of at most 100 of one kind, unsigned and canonical."""

import hashlib
from decimal import Decimal
from uuid import UUID, uuid4

from blueprints.common import clock
from gateways.customs_dxp.messages.ceb303 import BadOrder
from models import companions, orders, pushes
from models.codes import codes_of
from models.database import session
from models.exports import BLOCK, FAILED, GENERATED, Strategy, Task, entrusted_codes, lock_task
from models.queue import defer
from models.transmission import find_transmission_id

from .kinds import Maker, build
from .modes import MODES
from .refusals import causes_of
from .strategies import inventory_head

MANY = 5_000  # orders of one task after which the database's statistics are taken anew
STEP = 50  # messages made between two commits
LARGEST = 2_800_000  # bytes unsigned: with signature and base64 still under the 4096 KB of the platform


def problems_of_strategy(strategy: Strategy, code: str) -> list[str]:
    """Why nothing can be declared under the strategy today; each line says what to mend."""
    seller, sender, problems = strategy.seller, strategy.sender, []
    held = {row.code: row for row in codes_of(strategy.enterprise_id, clock.today())}
    granted = find_transmission_id(sender.dxp_id) if sender.dxp_id else None
    if not strategy.is_enabled:
        problems.append(f"业务策略「{strategy.name}」已停用，请先启用")
    if not all(profile.is_enabled for profile in (seller, sender, strategy.platform)):
        problems.append("业务策略里的企业资料已停用，请先启用")
    if sender.customs_code not in held:
        problems.append(f"海关编码{sender.customs_code}今天不在本单位有效的编码里，请核对企业资料")
    if sender.customs_code != code:
        problems.append("业务策略的申报企业和现在用的海关编码不是同一个，请换一个策略")
    if seller is not sender and seller.customs_code not in entrusted_codes(strategy.enterprise_id, code, clock.today()):
        problems.append(f"海关编码{seller.customs_code}的报关委托今天没有生效，请先办委托")
    if granted is None or granted.enterprise_id != strategy.enterprise_id:
        problems.append("企业资料里的传输ID不是发给本单位的，请核对企业资料")
    elif granted.customs_code != sender.customs_code:
        problems.append("传输ID是发给另一个海关编码的，请核对企业资料")
    return problems


def start_generating(task: Task, by: str) -> None:
    task = lock_task(task.id)
    task.is_generating, task.problem, task.changed_at, task.changed_by = True, "", clock.now(), by
    defer("generate_task", queue="exports", lock=f"task:{task.id}", priority=5, task_id=str(task.id))


def generate_task(task_id: str) -> None:
    """Job. Blocks that have their message already are left alone, so it may run again."""
    task = session.get(Task, UUID(task_id))
    if task is None:
        return
    problems = problems_of_strategy(task.strategy, task.customs_code)
    session.commit()
    if not problems:
        try:
            make_missing(task)
        except BadOrder as error:
            session.rollback()
            problems = causes_of(task) or [
                f"订单{error.number}的内容海关不收（{error.element}），请删掉它，改好再补充导入"
            ]
            session.commit()
    _end(task, problems)


def _end(task: Task, problems: list[str]) -> None:
    task = lock_task(task.id)
    task.is_generating, task.changed_at = False, clock.now()
    task.state, task.problem = (FAILED, "；".join(problems)) if problems else (GENERATED, "")
    task.generated_count = orders.count_generated(task.id, MODES[task.strategy.mode].kind)
    if task.generated_count > MANY:
        orders.refresh_statistics()
    session.commit()


def make_missing(task: Task) -> None:
    """Companions, then messages for all blocks that have none; commits as it goes. Raises `BadOrder`."""
    locked = lock_task(task.id)
    if MODES[task.strategy.mode].is_list:
        companions.add_companions(
            locked, inventory_head(task.strategy)["logisticsCode"], MODES[task.strategy.mode].code == "9610"
        )
    locked.close_block()
    blocks = orders.blocks_without_message(task.id)
    strategy = task.strategy
    session.commit()
    for start in range(0, len(blocks), STEP):
        step = blocks[start : start + STEP]
        rows = orders.raw_orders(task.id, step[0] * BLOCK + 1, (step[-1] + 1) * BLOCK)
        session.commit()
        wanted, made, group = set(step), [], []
        for row in rows:
            if group and (row[1] - 1) // BLOCK != (group[0][1] - 1) // BLOCK:
                made += _messages(task, strategy, group)
                group = []
            if (row[1] - 1) // BLOCK in wanted:
                group.append(row)
        made += _messages(task, strategy, group) if group else []
        pushes.add_messages(made)
        session.commit()


def _messages(task: Task, strategy: Strategy, rows: list[tuple]) -> list[dict]:
    """One message of the block, or several where one would be too large for the platform. A block holds one kind."""
    guid, kind = uuid4(), rows[0][5]
    now = clock.local(clock.now())
    canonical = build(kind, rows, Maker(strategy, f"{now:%Y%m%d%H%M%S}", f"{now:%Y%m%d}"), str(guid).upper())
    if len(canonical) > LARGEST and len(rows) > 1:
        half = len(rows) // 2
        return _messages(task, strategy, rows[:half]) + _messages(task, strategy, rows[half:])
    return [
        {
            "id": guid, "enterprise_id": task.enterprise_id, "customs_code": task.customs_code, "task_id": task.id,
            "kind": kind, "block": (rows[0][1] - 1) // BLOCK, "first_place": rows[0][1], "last_place": rows[-1][1],
            "order_count": len(rows), "total": sum((row[3] for row in rows), Decimal(0)), "currency": strategy.currency,
            "dxp_id": strategy.sender.dxp_id, "canonical": canonical, "sha256": hashlib.sha256(canonical).digest(),
            "state": "unsigned", "problem": "", "signed_by": "", "created_at": clock.now(),
        }
    ]  # fmt: skip
