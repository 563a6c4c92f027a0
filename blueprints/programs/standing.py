"""How things stand: the token itself, strategies, tasks, imports, pushes."""

from flask import request

from blueprints.common import clock
from blueprints.common.access import get_or_404
from blueprints.common.programs import MOST_TROUBLES, exports
from blueprints.common.tokens import READ
from models import exports as tables
from models import pushes
from models.accounts import Enterprise
from models.channels import find_signing_order
from models.database import session
from models.exports import Import, Strategy, Task
from models.orders import Push
from models.programs import task_numbered, task_page

from .base import ORDERS_A_DAY, REQUESTS, Caller, absolute, limit_of, moment, operation
from .cursors import AFTER, LIMIT, read_moment_cursor, write_cursor

TASK_STATES = {tables.DRAFT: "暂存", tables.GENERATED: "已生成申报数据", tables.FAILED: "申报数据生成失败"}
IMPORT_STATES = {"waiting": "等着读", "reading": "正在读", "storing": "正在存", "done": "导入完了", "refused": "没有导入",
                 "cancelled": "停下了"}  # fmt: skip


@operation(
    "GET", "/me", "这个令牌", "", answers={200: "Me"}, says="Which company, code and scopes the token has, until when."
)
def show_me(caller: Caller):
    client, company = caller.client, session.get(Enterprise, caller.client.enterprise_id)
    return {
        "client": client.name, "company": company.name, "uscc": company.uscc, "customs_code": client.customs_code,
        "scopes": list(client.scopes), "addresses": list(client.addresses), "expires_at": moment(client.expires_at),
        "limits": {"requests_a_minute": REQUESTS.count, "orders_a_day": ORDERS_A_DAY},
        "server_time": moment(clock.now()),
    }, 200  # fmt: skip


@operation("GET", "/strategies", "业务策略", READ, answers={200: "Strategies"},
           says="The strategies of the token's code. `columns`: what an order and its lines hold under it.")  # fmt: skip
def list_strategies(caller: Caller):
    return {"strategies": [strategy_json(row) for row in tables.strategies_of(*caller.owner)]}, 200


def strategy_json(strategy: Strategy) -> dict:
    return {"number": strategy.number, "name": strategy.name, "mode": strategy.mode, "currency": strategy.currency,
            "is_enabled": strategy.is_enabled, "columns": list(exports().columns(strategy))}  # fmt: skip


@operation("GET", "/tasks", "申报任务", READ, query=(AFTER, LIMIT), answers={200: "Tasks", 400: "Problem"},
           says="By last change, newest first. `next`: the cursor of the next page, null at the end.")  # fmt: skip
def list_tasks(caller: Caller):
    limit = limit_of(200, 50)
    rows = task_page(*caller.owner, read_moment_cursor(request.args.get("after", "")), limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return {"tasks": [task_json(row) for row in rows[:limit]],
            "next": last and write_cursor(last.changed_at, last.id.int)}, 200  # fmt: skip


@operation("GET", "/tasks/<number>", "一个申报任务", READ, answers={200: "Task", 404: "Problem"})
def show_task(caller: Caller, number: str):
    return task_json(get_or_404(task_numbered(*caller.owner, number))), 200


def task_json(task: Task) -> dict:
    return {
        "number": task.number, "strategy": task.strategy.number, "client_number": task.client_number,
        "state": task.state, "state_title": TASK_STATES[task.state], "is_generating": task.is_generating,
        "problem": task.problem, "orders": task.order_count, "generated": task.generated_count,
        "created_at": moment(task.created_at), "changed_at": moment(task.changed_at),
    }  # fmt: skip


@operation("GET", "/imports/<uuid:id>", "导入结果", READ, answers={200: "Import", 404: "Problem"},
           says=f"How far the reading is, and up to {MOST_TROUBLES} wrong cells. Orders that came as JSON are rows here, "
                "the first line of the first order is row 2.")  # fmt: skip
def show_import(caller: Caller, id):
    found = get_or_404(tables.find_import(*caller.owner, id))
    problems = [
        {"row": each.row, "column": each.column, "number": each.number, "value": each.value, "cause": each.cause, "fix": each.fix}
        for each in tables.problems_of(found.id, MOST_TROUBLES)
    ]  # fmt: skip
    return import_json(found) | {"problems": problems, "problem_count": tables.count_problems(found.id)}, 200


def import_json(found: Import) -> dict:
    refusal = {"number": found.number, "title": found.problem} if found.number else None
    return {
        "id": str(found.id), "state": found.state, "state_title": IMPORT_STATES.get(found.state, found.state),
        "task": found.task.number if found.task else None, "rows": found.rows or 0, "rows_read": found.rows_read or 0,
        "orders_stored": found.orders_stored or 0, "orders_known": found.orders_known or 0,
        "rows_wrong": found.rows_wrong or 0, "refusal": refusal, "ended_at": moment(found.ended_at),
        "url": absolute("programs.show_import", id=found.id),
    }  # fmt: skip


@operation("GET", "/pushes/<uuid:id>", "推送进度", READ, answers={200: "Push", 404: "Problem"})
def show_push(caller: Caller, id):
    return push_json(get_or_404(pushes.find_push(*caller.owner, id))), 200


def push_json(push: Push) -> dict:
    """`signing`: itself | card; orders by where their message is, and by what customs said."""
    counts, order = pushes.progress_of(push.id), find_signing_order(push.id)
    by_message = {key.removeprefix("orders "): value for key, value in counts.items() if key.startswith("orders ")}
    problem = order and order.problem and {"number": order.problem["number"],
                                           "title": order.problem["template"].format(**order.problem["parts"])}  # fmt: skip
    return {
        "id": str(push.id), "label": push.label, "signing": "itself" if order and not order.problem else "card",
        "signing_problem": problem, "orders_by_message": by_message,
        "orders_by_answer": {key: value for key, value in counts.items() if " " not in key},
        "created_at": moment(push.created_at), "url": absolute("programs.show_push", id=push.id),
    }  # fmt: skip
