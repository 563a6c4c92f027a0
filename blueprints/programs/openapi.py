"""The OpenAPI 3.1 document, made from the declarations of the views: it cannot say what the routes do not do."""

import re
from collections.abc import Iterator

from flask import Flask

from .base import BODY_LIMIT, Operation, Parameter
from .bodies import JSON, WORKBOOKS

PROBLEM_JSON = "application/problem+json"
_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
_TEXT, _COUNT, _FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_MOMENT = {"type": ["string", "null"], "format": "date-time"}
_URL, _ID = {"type": "string", "format": "uri"}, {"type": "string", "format": "uuid"}
_CELL = {"type": ["string", "number", "null"], "description": "Numbers are taken as they are written, digit by digit."}
_CURSOR = {"type": ["string", "null"], "description": "null: there is no further page"}


def _object(required: str = "", **properties: dict) -> dict:
    found = {"type": "object", "properties": properties}
    return found | ({"required": required.split()} if required else {})


def _list(of: dict | str) -> dict:
    return {"type": "array", "items": _ref(of) if isinstance(of, str) else of}


def _ref(name: str) -> dict:
    return {"$ref": f"#/components/schemas/{name}"}


_ORDER_IN = {
    "type": "object",
    "required": ["order_no"],
    "properties": {"order_no": _CELL, "lines": _list("LineIn")},
    "additionalProperties": _CELL,
    "description": "The columns of the strategy (GET /strategies). What stands here holds for each of its lines.",
}
_WRONG = _object(
    "number cause fix", pointer={"type": "string", "description": "JSON Pointer into the body"}, row=_COUNT,
    column={"type": ["string", "integer"]}, number=_TEXT, value=_TEXT, cause=_TEXT, fix=_TEXT,
)  # fmt: skip
_WRONG_ONES = {"problems": _list("Wrong"), "problem_count": _COUNT}
_TASK = {
    "number": _TEXT, "strategy": _TEXT, "client_number": _TEXT, "state": {"enum": ["draft", "generated", "failed"]},
    "state_title": _TEXT, "is_generating": _FLAG, "problem": _TEXT, "orders": _COUNT, "generated": _COUNT,
    "created_at": _MOMENT, "changed_at": _MOMENT,
}  # fmt: skip
_IMPORT = {
    "id": _ID, "state": {"enum": ["waiting", "reading", "storing", "done", "refused", "cancelled"]}, "state_title": _TEXT,
    "task": {"type": ["string", "null"]}, "rows": _COUNT, "rows_read": _COUNT, "orders_stored": _COUNT, "orders_known": _COUNT,
    "rows_wrong": _COUNT, "refusal": {"type": ["object", "null"]}, "ended_at": _MOMENT, "url": _URL,
}  # fmt: skip
_ORDER = {
    "id": _ID, "kind": _TEXT, "kind_title": _TEXT, "app_type": {"enum": [1, 2, 3]}, "order_no": _TEXT, "task": _TEXT,
    "total": {"type": "string", "description": "exact decimal"}, "state_title": _TEXT,
    "state": {"enum": ["imported", "waiting", "declaring", "success", "failed", "deleted"]},
    "return_status": {"type": ["integer", "null"]}, "return_time": {"type": ["string", "null"]},
    "return_info": {"type": ["string", "null"]}, "numbers": {"type": "object"}, "problem": _TEXT,
    "message": {"type": ["string", "null"], "format": "uuid"}, "changed_at": _MOMENT, "url": _URL,
}  # fmt: skip
_RECEIPT = _object(
    status=_COUNT, time=_TEXT, info=_TEXT, numbers={"type": "object"}, received_at=_MOMENT, file=_URL
)  # fmt: skip
SCHEMAS: dict[str, dict] = {
    "Problem": _object("status number title", status=_COUNT, number=_TEXT, title=_TEXT, **_WRONG_ONES),
    "Wrong": _WRONG,
    "LineIn": {"type": "object", "additionalProperties": _CELL},
    "OrderIn": _ORDER_IN,
    "NewTask": _object("strategy client_number orders", strategy=_TEXT, client_number=_TEXT, orders=_list("OrderIn")),
    "MoreOrders": _object("orders", orders=_list("OrderIn")),
    "Trial": _object("is_good", orders=_COUNT, blocked=_list(_TEXT), is_good=_FLAG, **_WRONG_ONES),
    "Taken": _object("task import", task=_ref("Task"), **{"import": _ref("Import")}, **_WRONG_ONES),
    "Task": _object("number", **_TASK),
    "Tasks": _object("tasks next", tasks=_list("Task"), next=_CURSOR),
    "Import": _object("id state", **_IMPORT, **_WRONG_ONES),
    "Push": _object(
        "id signing", id=_ID, label=_TEXT, signing={"enum": ["itself", "card"]}, signing_problem={"type": ["object", "null"]},
        orders_by_message={"type": "object"}, orders_by_answer={"type": "object"}, created_at=_MOMENT, url=_URL,
        page=_URL, number=_TEXT, title=_TEXT,
    ),
    "Order": _object(
        "id order_no state", **_ORDER, lines={"type": "array", "items": _list(_TEXT)}, receipts=_list(_RECEIPT),
        signed_at=_MOMENT, sent_at=_MOMENT,
    ),
    "Orders": _object("orders next", orders=_list("Order"), next=_CURSOR, changed_since=_MOMENT),
    "Strategies": _object("strategies", strategies=_list(_object(
        "number columns", number=_TEXT, name=_TEXT, mode=_TEXT, currency=_TEXT, is_enabled=_FLAG, columns=_list(_TEXT)))),
    "Me": _object(
        "company customs_code scopes", client=_TEXT, company=_TEXT, uscc={"type": ["string", "null"]}, customs_code=_TEXT,
        scopes=_list(_TEXT), addresses=_list(_TEXT), expires_at=_MOMENT, server_time=_MOMENT,
        limits=_object(requests_a_minute=_COUNT, orders_a_day=_COUNT),
    ),
    "Notice": _object(
        "id event at customs_code", id=_ID, event={"enum": ["changed", "test"]}, at=_MOMENT, customs_code=_TEXT,
        changed_since=_MOMENT, orders=_list("Order"), tasks=_list("Task"), imports=_list("Import"), more=_FLAG, url=_URL,
    ),
}  # fmt: skip
EVERYWHERE = {
    401: "no token that works",
    403: "not with this token",
    429: "too often, see Retry-After",
    500: "try again",
    503: "the database is away, see Retry-After",
}


def operations(app: Flask) -> Iterator[tuple[str, Operation]]:
    """(path as OpenAPI writes it, declaration) of each call."""
    for rule in app.url_map.iter_rules():
        declared = getattr(app.view_functions[rule.endpoint], "operation", None)
        if declared:
            yield _PART.sub(r"{\2}", rule.rule), declared


def document(app: Flask) -> dict:
    paths: dict[str, dict] = {}
    for path, each in operations(app):
        paths.setdefault(path, {})[each.method.lower()] = _described(path, each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "eport-portal: 程序接口", "version": "1.0",
            "description": "What a company's program may do by a token; docs/protocols/programs.md says how.",
        },
        "servers": [{"url": app.config["SETTINGS"].public_origin}],
        "security": [{"token": []}],
        "paths": dict(sorted(paths.items())),
        "webhooks": {"notice": {"post": _notice()}},
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "eport_…, of page 4072"}},
        },
    }  # fmt: skip


def _described(path: str, each: Operation) -> dict:
    query = [_parameter(one) for one in each.query]
    places = [{"name": name, "in": "path", "required": True, "schema": _ID if name == "id" else _TEXT}
              for name in re.findall(r"{(\w+)}", path)]  # fmt: skip
    if each.needs_key:
        query.append({"name": "Idempotency-Key", "in": "header", "schema": _TEXT,
                      "description": "one for each submission, the same when it is tried again; not with trial"})  # fmt: skip
    words = f"{each.says} Scope: {each.scope or 'none'}.".strip()
    found = {"summary": each.title, "description": words, "parameters": places + query, "responses": _answers(each)}
    return found | ({"requestBody": _body(each.body)} if each.body else {})


def _parameter(one: Parameter) -> dict:
    return {"name": one.name, "in": "query", "description": one.says, "schema": one.schema, "required": one.required}


def _body(name: str) -> dict:
    books = {media: {"schema": {"type": "string", "format": "binary"}} for media in WORKBOOKS}
    return {"required": True, "content": {JSON: {"schema": _ref(name)}, **books},
            "description": f"At most {BODY_LIMIT >> 20} MB. A workbook is one of the strategy's template."}  # fmt: skip


def _answers(each: Operation) -> dict:
    told = {str(status): _answer(name) for status, name in each.answers.items()}
    return told | {str(status): _answer("Problem", words) for status, words in EVERYWHERE.items()}


def _answer(name: str, words: str = "") -> dict:
    if "/" in name:
        return {
            "description": words or "bytes as they are",
            "content": {name: {"schema": {"type": "string", "format": "binary"}}},
        }
    media = PROBLEM_JSON if name == "Problem" else JSON
    return {"description": words or name, "content": {media: {"schema": _ref(name)}}}


def _notice() -> dict:
    names = ("Eport-Signature", "Eport-Delivery", "Eport-Event")
    return {
        "summary": "推送通知", "description": "To the address of page 4074. Check Eport-Signature before anything else.",
        "parameters": [{"name": name, "in": "header", "required": True, "schema": _TEXT} for name in names],
        "requestBody": {"required": True, "content": {JSON: {"schema": _ref("Notice")}}},
        "responses": {"2XX": {"description": "taken; anything else is tried again"}},
    }  # fmt: skip
