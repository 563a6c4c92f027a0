"""The OpenAPI document, page 8301 for people, and the answer to what is no call of this API."""

from flask import Response, current_app

from blueprints.common.access import PUBLIC, page
from blueprints.common.numbers import Sentence
from blueprints.common.pages import show
from blueprints.common.tokens import SCOPES

from .base import BODY_LIMIT, ORDERS_A_DAY, REQUESTS, answered, bp, problem
from .openapi import document, operations

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@bp.get("/")
@page("8301", "程序接口说明", PUBLIC)
def show_guide():
    rows = [(path, each) for path, each in operations(current_app)]
    return show("programs/guide.html", rows=rows, scopes=SCOPES, requests=REQUESTS.count, orders=ORDERS_A_DAY,
                megabytes=BODY_LIMIT >> 20, origin=current_app.config["SETTINGS"].public_origin)  # fmt: skip


@bp.get("/openapi.json")
@page(None, "程序接口的OpenAPI文件", PUBLIC)
def show_document() -> Response:
    return answered(document(current_app))


@page(None, "没有的接口", PUBLIC)
def answer_unknown(rest: str) -> Response:
    return problem(404, Sentence("90860", "没有这个接口，或者方法不对，请对照接口说明"))


bp.add_url_rule("/<path:rest>", "answer_unknown", answer_unknown, methods=METHODS)
bp.add_url_rule("/", "answer_unknown", answer_unknown, methods=METHODS[1:], defaults={"rest": ""})
