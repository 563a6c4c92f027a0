"""The import client's own door (docs/protocols/import-client.md): a token instead of a login, JSON instead of pages."""

from flask import jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from blueprints.common import clock
from blueprints.common.access import PUBLIC, page
from blueprints.common.limits import Limit
from blueprints.common.numbers import Sentence
from blueprints.common.tokens import TokenRefused, client_of_request, too_often
from models.accounts import Enterprise
from models.database import session

from .base import bp

BODY_LIMIT = 4 << 10  # bytes
BY_CLIENT = Limit("client-hello", 30, 10)


@bp.errorhandler(TokenRefused)
def tell_client(refusal: TokenRefused):
    session.commit()  # what was counted
    answer = jsonify(error={"number": refusal.sentence.number, "sentence": str(refusal.sentence)})
    answer.status_code = refusal.status
    if refusal.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if refusal.wait:
        answer.headers["Retry-After"] = str(refusal.wait)
    return answer


def told_version() -> str:
    """Raises `TokenRefused` for a body that is not {"version": "1.0"}."""
    request.max_content_length = BODY_LIMIT
    try:
        body = request.get_json(force=True, silent=True)
    except RequestEntityTooLarge:
        body = None
    version = body.get("version") if isinstance(body, dict) else None
    if not isinstance(version, str) or not 0 < len(version) <= 20 or not version.isprintable():
        raise TokenRefused(
            400, Sentence("90733", "请求的内容不对：要一个JSON对象，里面写客户端的版本号version，最多20个字")
        )
    return version


@page(None, "客户端报到", PUBLIC)
def greet_client():
    """POST /client/hello: the client learns under which company and code it acts, the company that it is alive."""
    client = client_of_request()
    if wait := BY_CLIENT.minutes_left(str(client.id)):
        raise too_often(wait)
    BY_CLIENT.add(str(client.id))
    client.seen_version, client.seen_at = told_version(), clock.now()
    company = session.get(Enterprise, client.enterprise_id)
    session.commit()
    return jsonify(
        company=company.name, uscc=company.uscc, customs_code=client.customs_code, send_folder=client.send_folder,
        receive_folder=client.receive_folder, server_time=clock.local(clock.now()).isoformat(timespec="seconds"),
        expires_at=clock.local(client.expires_at).isoformat(timespec="seconds"),
    )  # fmt: skip


# Outside of /account, where people are: this door takes no cookie and asks for no login.
bp.record(lambda state: state.app.add_url_rule("/client/hello", "account.greet_client", greet_client, methods=["POST"]))
CLIENT_VIEWS = (greet_client,)
