"""Paths under /card/requests/<id>/ that only the card bridge calls: no session, no CSRF token, the post key instead."""

from flask import Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from blueprints.common.access import PUBLIC, page

from . import protocol
from .routes import bp

BODY_LIMIT = 64 << 10  # bytes


@bp.errorhandler(protocol.BridgeRefusal)
def tell_bridge(refusal: protocol.BridgeRefusal):
    return jsonify(reason=refusal.reason), refusal.status


def given_key() -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key if scheme == "Bearer" else ""


def given_object() -> dict:
    """The JSON object that was sent. Raises BridgeRefusal for anything else, or for more than 64 KiB."""
    request.max_content_length = BODY_LIMIT
    try:
        body = request.get_json(silent=True)
    except RequestEntityTooLarge as error:
        raise protocol.BridgeRefusal(413, "size") from error
    if not isinstance(body, dict):
        raise protocol.BridgeRefusal(400, "form")
    return body


@bp.post("/card/requests/<request_id>/claim")
@page(None, "领取签名请求", PUBLIC)
def claim_request(request_id):
    request.max_content_length = BODY_LIMIT
    body = request.get_json(silent=True)  # a bridge from before versions were told sends none
    return jsonify(protocol.claim(request_id, body.get("version") if isinstance(body, dict) else None))


@bp.get("/card/requests/<request_id>/messages/<int:index>")
@page(None, "待签报文", PUBLIC)
def give_message(request_id, index):
    return Response(protocol.message_of(request_id, given_key(), index), mimetype="application/xml")


@bp.post("/card/requests/<request_id>/answer")
@page(None, "卡的回答", PUBLIC)
def take_answer(request_id):
    return jsonify(code=protocol.take_answer(request_id, given_key(), given_object()))


@bp.get("/card/requests/<request_id>/state")
@page(None, "请求状态", PUBLIC)
def tell_state(request_id):
    return jsonify(state=protocol.get_claimed(request_id, given_key()).state)


@bp.post("/card/requests/<request_id>/signatures/<int:index>")
@page(None, "保存签名", PUBLIC)
def store_signature(request_id, index):
    protocol.store_signature(request_id, given_key(), index, given_object().get("signature"))
    return jsonify(stored=index)


@bp.post("/card/requests/<request_id>/signatures")
@page(None, "保存几个签名", PUBLIC)
def store_signatures(request_id):
    body = given_object()
    protocol.store_signatures(request_id, given_key(), body.get("first"), body.get("signatures"))
    return jsonify(stored=body["first"])


@bp.post("/card/requests/<request_id>/reports")
@page(None, "读卡程序的报告", PUBLIC)
def take_report(request_id):
    body = given_object()
    protocol.note_report(request_id, given_key(), body.get("page"), body.get("outcome"))
    return jsonify(noted=True)


BRIDGE_VIEWS = (claim_request, take_answer, store_signature, store_signatures, take_report)
