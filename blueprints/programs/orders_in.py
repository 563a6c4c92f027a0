"""Orders in: a new task or more orders for one, as JSON or as the workbook itself; 生成申报数据; 推送; trial submissions."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import Response, request

from blueprints.common import clock
from blueprints.common.access import get_or_404
from blueprints.common.limits import Limit
from blueprints.common.numbers import Sentence
from blueprints.common.programs import Batch, Look, Trouble, exports
from blueprints.common.tokens import PUSH, WRITE
from models.database import session
from models.exports import Strategy, Task
from models.orders import DOCUMENT_KINDS
from models.programs import ProgramRequest, find_key, strategy_numbered, take_key, task_numbered

from . import bodies
from .base import TRIALS, Caller, Parameter, Refused, absolute, answered, check_day, operation, wrong_parameter
from .standing import import_json, push_json, task_json

LARGE, LARGE_ONES = 1 << 20, Limit("program-large", 30, 10)  # bytes; so many bodies larger than that
KEY = re.compile(r'[\x21\x23-\x7e]{1,200}|"[\x20\x21\x23-\x7e]{1,200}"')
CARD = Sentence("90861", "要用卡签名：请插卡打开page里的网址，点“用卡签名”；打开了自动加签的不用")
TRIAL = Parameter("trial", "1: everything is checked, nothing is kept", {"type": "string", "enum": ["1"]})
SKIP = Parameter(
    "wrong", "skip: right orders are taken and wrong ones told; else nothing is taken while one is wrong",
    {"type": "string", "enum": ["skip"]},
)  # fmt: skip
OF_WORKBOOK = (
    Parameter("strategy", "策略编号; of a workbook, JSON has it in the body"),
    Parameter("client_number", "客户编号; likewise"),
)
TAKEN = {200: "Trial", 202: "Taken", 400: "Problem", 409: "Problem", 413: "Problem", 415: "Problem", 422: "Problem"}


@dataclass(frozen=True)
class Submission:
    """What came. `orders`: of JSON, the rows with their places; None for a workbook."""

    strategy: Strategy
    task: Task | None
    client_number: str
    batch: Batch
    orders: bodies.Orders | None


def flag(name: str, value: str) -> bool:
    given = request.args.get(name)
    if given not in (None, value):
        raise wrong_parameter(name, value)
    return given is not None


@operation("POST", "/tasks", "创建申报任务，导入订单", WRITE, query=(TRIAL, SKIP, *OF_WORKBOOK), body="NewTask", answers=TAKEN,
           needs_key=True, says="Makes a task (任务编号) and reads the orders into it. Needs an Idempotency-Key, unless trial.")  # fmt: skip
def add_task(caller: Caller):
    def read(data: bytes, media: str) -> Submission:
        given = request.args
        if media == bodies.JSON:
            given = bodies.read_json(data)
            bodies.check_names(given, "strategy", "client_number", "orders")
        numbers = [bodies.text_of(given, name) for name in ("strategy", "client_number")]
        strategy = strategy_numbered(*caller.owner, numbers[0])
        if strategy is None:
            raise Refused(422, Sentence("90865", "这个海关编码下没有编号是{number}的业务策略", number=numbers[0][:60]))
        return submission(strategy, None, numbers[1], data, media, given)

    return submit(caller, read)


@operation("POST", "/tasks/<number>/orders", "补充导入", WRITE, query=(TRIAL, SKIP), body="MoreOrders",
           answers=TAKEN | {404: "Problem"}, needs_key=True,
           says="Reads more orders into a task. Orders that it holds already with the same content are passed over.")  # fmt: skip
def add_orders(caller: Caller, number: str):
    task = get_or_404(task_numbered(*caller.owner, number))

    def read(data: bytes, media: str) -> Submission:
        given = bodies.read_json(data) if media == bodies.JSON else {}
        bodies.check_names(given, "orders")
        return submission(task.strategy, task, task.client_number, data, media, given)

    return submit(caller, read)


def submission(strategy: Strategy, task: Task | None, client_number: str, data: bytes, media: str, given) -> Submission:
    if media == bodies.JSON:
        orders = bodies.Orders(given.get("orders"), exports().columns(strategy))
        return Submission(strategy, task, client_number, orders.batch(), orders)
    kind, name = bodies.WORKBOOKS[media]
    return Submission(strategy, task, client_number, Batch(data=data, kind=kind, name=name), None)


def submit(caller: Caller, read: Callable[[bytes, str], Submission]) -> Response:
    """Checks outside of any transaction what can be checked at once; what is kept is kept under the Idempotency-Key."""
    is_trial, skips = flag("trial", "1"), flag("wrong", "skip")
    key = "" if is_trial else read_key()
    media, data = bodies.media_type(), bodies.read_body()
    if is_trial:
        count(caller, TRIALS, "90853", "试传太勤，请过{wait}分钟再来")
    if len(data) > LARGE:
        count(caller, LARGE_ONES, "90874", "大的文件传得太勤，请过{wait}分钟再来")
    return try_out(caller, read(data, media)) if is_trial else keep(caller, key, data, media, read, skips)


def count(caller: Caller, limit: Limit, number: str, template: str) -> None:
    """Raises `Refused`."""
    if wait := limit.minutes_left(str(caller.client.id)):
        raise Refused(429, Sentence(number, template, wait=wait), wait * 60)
    limit.add(str(caller.client.id))
    session.commit()


def try_out(caller: Caller, given: Submission) -> Response:
    session.commit()
    look = exports().look(caller.principal, given.strategy, given.task, given.batch, True)
    is_good = not look.troubles and not look.blocked
    said = {"orders": look.orders, "blocked": look.blocked, "is_good": is_good}
    return answered(said | troubles_json(given, look))


def keep(caller: Caller, key: str, data: bytes, media: str, read: Callable, skips: bool) -> Response:
    """JSON is looked at before anything is stored; a workbook is looked at by its import."""
    digest = digest_of(data)
    if again := replay(caller, key, digest):
        return again
    given, told, orders = read(data, media), {}, 0
    session.commit()
    if given.orders:
        look = exports().look(caller.principal, given.strategy, given.task, given.batch)
        told, orders = troubles_json(given, look), look.orders
        if look.troubles and not (skips and look.right):
            return replay(caller, key, digest) or refuse(look, told)  # the same submission may have come first
        given = replace(given, batch=Batch(rows=look.right))
    session.commit()
    return once(caller, key, digest, lambda row: take(caller, given, row, orders, not skips) | told)


def refuse(look: Look, told: dict) -> Response:
    raise Refused(
        422,
        Sentence("90868", "有{count}处要改，什么都没有存；对的先收，请加wrong=skip", count=look.trouble_count),
        **told,
    )


def take(caller: Caller, given: Submission, row: ProgramRequest, orders: int, whole: bool) -> dict:
    check_day(caller, orders)
    task = given.task or exports().open_task(caller.principal, given.strategy, given.client_number)
    started = exports().take(caller.principal, task, given.batch, whole)
    row.orders, row.import_id = orders, started.id
    return {"task": task_json(task), "import": import_json(started)}


def troubles_json(given: Submission, look: Look) -> dict:
    return {
        "problems": [trouble_json(given.orders, each) for each in look.troubles],
        "problem_count": look.trouble_count,
    }


def trouble_json(orders: bodies.Orders | None, trouble: Trouble) -> dict:
    place = {"pointer": orders.pointer(trouble)} if orders else {"row": trouble.row, "column": trouble.column}
    return place | {"number": trouble.number, "value": trouble.value, "cause": trouble.cause, "fix": trouble.fix}


# -- Idempotency-Key


def read_key() -> str:
    """Raises `Refused`."""
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        raise Refused(
            400, Sentence("90857", "请求头里要有Idempotency-Key：每次提交换一个，重试用同一个，最多200个字母和数字")
        )
    return key.strip('"')


def digest_of(data: bytes) -> bytes:
    """Of all that the request asks for."""
    head = f"{request.method} {request.full_path}\n{request.mimetype}\n".encode()
    return hashlib.sha256(head + data).digest()


def replay(caller: Caller, key: str, digest: bytes) -> Response | None:
    """What was answered to this request before. Raises `Refused` where the key was for another one."""
    row = find_key(caller.client.id, key)
    return row and said_before(row, digest)


def said_before(row: ProgramRequest, digest: bytes) -> Response:
    if row.digest != digest:
        raise Refused(409, Sentence("90858", "这个Idempotency-Key用过了，上次的内容不一样；新的提交请换一个"))
    answer = answered(row.answer, row.status)
    answer.headers["Idempotent-Replay"] = "true"
    return answer


def once(caller: Caller, key: str, digest: bytes, act: Callable[[ProgramRequest], dict]) -> Response:
    """Does it and commits, or gives the answer of the request that came first. A refusal leaves the key free."""
    row, is_new = take_key(caller.client.id, key, digest, clock.now())
    if not is_new:
        return said_before(row, digest)
    row.answer, row.status = act(row), 202
    session.commit()
    return answered(row.answer, row.status)


# -- what comes after


@operation("POST", "/tasks/<number>/generate", "生成申报数据", WRITE,
           answers={202: "Task", 404: "Problem", 409: "Problem"},
           says="Starts making the declaration data of what has none. Asked again while it runs it changes nothing.")  # fmt: skip
def generate(caller: Caller, number: str):
    task = get_or_404(task_numbered(*caller.owner, number))
    exports().generate(caller.principal, task)
    session.commit()
    return task_json(task), 202


@operation("POST", "/tasks/<number>/push", "推送", PUSH,
           query=(Parameter("kind", "which documents of the task: 303 订单 (default), 403 收款单, 505 运单, 603 清单 …",
                            {"type": "string", "enum": list(DOCUMENT_KINDS)}),),
           answers={202: "Push", 400: "Problem", 404: "Problem", 409: "Problem"},
           says="Pushes what waits. Signed by itself only where 自动加签 was switched on from a card session; else `page` is "
                "where a person signs by card. A token never signs.")  # fmt: skip
def push(caller: Caller, number: str):
    task = get_or_404(task_numbered(*caller.owner, number))
    kind = request.args.get("kind") or exports().kind_of(task)
    if kind not in DOCUMENT_KINDS:
        raise wrong_parameter("kind", "、".join(DOCUMENT_KINDS))
    found, by_itself = exports().push(caller.principal, task, kind)
    session.commit()
    body = push_json(found)
    if not by_itself:
        body |= {"number": CARD.number, "title": str(CARD), "page": absolute("exports.show_push", id=found.id)}
    return body, 202
