"""The import client's own door (docs/protocols/import-client.md): a token instead of a login, JSON instead of pages."""

from flask import jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from blueprints.common import clock
from blueprints.common.access import PUBLIC, page
from blueprints.common.limits import Limit
from blueprints.common.numbers import Sentence
from models.accounts import Enterprise, User
from models.clients import ImportClient, find_client
from models.codes import codes_of
from models.database import session

from .base import bp
from .clients import hash_of

BODY_LIMIT = 4 << 10  # bytes
BY_CLIENT = Limit("client-hello", 30, 10)
BY_ADDRESS = Limit("client-unknown", 60, 10)  # tokens that opened nothing


class ClientRefusal(Exception):
    """The request is answered by `status` and `sentence`."""

    def __init__(self, status: int, sentence: Sentence, wait: int = 0):
        super().__init__(sentence)
        self.status, self.sentence, self.wait = status, sentence, wait


@bp.errorhandler(ClientRefusal)
def tell_client(refusal: ClientRefusal):
    session.commit()  # what was counted
    answer = jsonify(error={"number": refusal.sentence.number, "sentence": str(refusal.sentence)})
    answer.status_code = refusal.status
    if refusal.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if refusal.wait:
        answer.headers["Retry-After"] = str(refusal.wait * 60)
    return answer


def too_often(wait: int) -> ClientRefusal:
    return ClientRefusal(429, Sentence("90731", "问得太勤，请过{wait}分钟再来", wait=wait), wait)


def get_client() -> ImportClient:
    """Whose token was sent. Raises `ClientRefusal`: unknown, revoked, its owner stopped and its company closed are one."""
    address = request.remote_addr or ""
    if wait := BY_ADDRESS.minutes_left(address):
        raise too_often(wait)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    client = find_client(hash_of(token.strip())) if scheme.lower() == "bearer" else None
    if client is None or not is_alive(client):
        BY_ADDRESS.add(address)
        raise ClientRefusal(
            401, Sentence("90730", "令牌不对或已经作废，请本单位的管理员在“自动导入客户端管理”里重新登记")
        )
    return client


def is_alive(client: ImportClient) -> bool:
    user, company = session.get(User, client.user_id), session.get(Enterprise, client.enterprise_id)
    return user.is_active and user.enterprise_id == company.id and company.closed_at is None


def check_code(client: ImportClient) -> None:
    """A token acts under one code, which the company must still hold today."""
    if client.customs_code not in [row.code for row in codes_of(client.enterprise_id, clock.today())]:
        raise ClientRefusal(403, Sentence("90732", "海关编码{code}已经失效或不再属于本单位，这个客户端不能用了，请作废后用有效的编码重新登记",
                                          code=client.customs_code))  # fmt: skip


def told_version() -> str:
    """Raises `ClientRefusal` for a body that is not {"version": "1.0"}."""
    request.max_content_length = BODY_LIMIT
    try:
        body = request.get_json(force=True, silent=True)
    except RequestEntityTooLarge:
        body = None
    version = body.get("version") if isinstance(body, dict) else None
    if not isinstance(version, str) or not 0 < len(version) <= 20 or not version.isprintable():
        raise ClientRefusal(
            400, Sentence("90733", "请求的内容不对：要一个JSON对象，里面写客户端的版本号version，最多20个字")
        )
    return version


@page(None, "客户端报到", PUBLIC)
def greet_client():
    """POST /client/hello: the client learns under which company and code it acts, the company that it is alive."""
    client = get_client()
    if wait := BY_CLIENT.minutes_left(str(client.id)):
        raise too_often(wait)
    BY_CLIENT.add(str(client.id))
    check_code(client)
    client.seen_version, client.seen_at = told_version(), clock.now()
    company = session.get(Enterprise, client.enterprise_id)
    session.commit()
    return jsonify(
        company=company.name, uscc=company.uscc, customs_code=client.customs_code, send_folder=client.send_folder,
        receive_folder=client.receive_folder, server_time=clock.local(clock.now()).isoformat(timespec="seconds"),
    )  # fmt: skip


# Outside of /account, where people are: this door takes no cookie and asks for no login.
bp.record(lambda state: state.app.add_url_rule("/client/hello", "account.greet_client", greet_client, methods=["POST"]))
CLIENT_VIEWS = (greet_client,)
