"""What every call of the API shares: the token, its scope and limits, answers in JSON, problems by number (RFC 9457).

    @operation("POST", "/tasks/<number>/generate", "生成申报数据", WRITE, says="…")
    def generate(caller, number):             # gives (dict, status) or a Response

Views get the `Caller` first. There are no cookies here, so nothing needs a CSRF token; a login opens nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from blueprints.common import clock
from blueprints.common.access import EDIT, PUBLIC, SEE, SUBMIT, Principal, needs_right, page
from blueprints.common.limits import Limit
from blueprints.common.numbers import Sentence
from blueprints.common.programs import NotTaken
from blueprints.common.tokens import PUSH, READ, SCOPES, WRITE, TokenRefused, client_of_request, principal_of
from models.clients import ImportClient
from models.database import session
from models.programs import orders_since

bp = Blueprint("programs", __name__, url_prefix="/api/v1")
NEEDS = {
    scope: needs_right("exports", least, verified=True, code=True)
    for scope, least in ((READ, SEE), (WRITE, EDIT), (PUSH, SUBMIT))
}
REQUESTS = Limit("program-requests", 120, 1)
TRIALS = Limit("program-trials", 60, 10)
ORDERS_A_DAY = 200_000
BODY_LIMIT = 50 << 20  # bytes


@dataclass(frozen=True)
class Caller:
    client: ImportClient
    principal: Principal

    @property
    def owner(self) -> tuple:
        """(enterprise, code): all that the token ever sees."""
        return self.principal.enterprise_id, self.principal.code


class Refused(Exception):
    """The call is answered by `status` and `sentence`. `wait`: seconds; `problems`: what is wrong at which place."""

    def __init__(self, status: int, sentence: Sentence, wait: int = 0, problems: list[dict] | None = None, **more):
        super().__init__(sentence)
        self.status, self.sentence, self.wait = status, sentence, wait
        self.more = ({"problems": problems} if problems is not None else {}) | more


@dataclass(frozen=True)
class Parameter:
    """One of the query. `schema`: JSON Schema of it."""

    name: str
    says: str
    schema: dict = field(default_factory=lambda: {"type": "string"})
    required: bool = False


@dataclass(frozen=True)
class Operation:
    """What the OpenAPI document says of a view. `answers`: {status: name of a schema, or a media type of raw bytes}."""

    method: str
    title: str
    scope: str
    says: str
    query: tuple[Parameter, ...]
    body: str
    answers: dict[int, str]
    needs_key: bool


def operation(method: str, rule: str, title: str, scope: str, *, says: str = "", query: tuple = (), body: str = "",
              answers: dict[int, str], needs_key: bool = False) -> Callable:  # fmt: skip
    """Declares a call. `scope` "": any token that works. `body`: name of the schema of a JSON body."""

    def declare(view: Callable) -> Callable:
        @wraps(view)
        def call(**path: Any) -> Response:
            caller = let_in(scope)
            answer = view(caller, **path)
            return answer if isinstance(answer, Response) else answered(*answer)

        call.operation = Operation(method, title, scope, says, query, body, answers, needs_key)
        bp.add_url_rule(rule, view.__name__, page(None, title, PUBLIC)(call), methods=[method])
        return call

    return declare


def let_in(scope: str) -> Caller:
    """Commits what was counted. Raises `TokenRefused`, `Refused`."""
    client = client_of_request()
    if wait := REQUESTS.minutes_left(str(client.id)):
        raise Refused(
            429,
            Sentence("90853", "一分钟最多{count}次，请过{wait}分钟再来", count=REQUESTS.count, wait=wait),
            wait * 60,
        )
    REQUESTS.add(str(client.id))
    session.commit()
    principal = principal_of(client)
    if scope and scope not in client.scopes:
        raise Refused(
            403, Sentence("90852", "这个令牌没有“{scope}”的权限，请管理员登记客户端时选上", scope=SCOPES[scope])
        )
    if scope and (reasons := NEEDS[scope].unmet(principal)):
        number, sentence = reasons[0].number, reasons[0].sentence
        raise Refused(403, sentence if isinstance(sentence, Sentence) else Sentence(number, sentence))
    return Caller(client, principal)


def check_day(caller: Caller, more: int) -> None:
    """Raises `Refused` where the program would bring more orders than it may in one day (Beijing time)."""
    start = clock.local(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    if orders_since(caller.client.id, start) + more > ORDERS_A_DAY:
        wait = int((start + timedelta(days=1) - clock.now()).total_seconds()) + 1
        raise Refused(
            429,
            Sentence("90854", "一个客户端一天最多导入{count}单，今天的用完了，请明天再传", count=ORDERS_A_DAY),
            wait,
        )


def answered(body: dict, status: int = 200) -> Response:
    answer = jsonify(body)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.errorhandler(Refused)
def tell_refusal(refused: Refused) -> Response:
    session.rollback()
    return problem(refused.status, refused.sentence, refused.wait, **refused.more)


@bp.errorhandler(NotTaken)
def tell_not_taken(refused: NotTaken) -> Response:
    session.rollback()
    return problem(refused.status, refused.sentence)


@bp.errorhandler(TokenRefused)
def tell_token(refused: TokenRefused) -> Response:
    session.commit()  # what was counted
    answer = problem(refused.status, refused.sentence, refused.wait)
    if refused.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


@bp.errorhandler(HTTPException)
def tell_http(error: HTTPException) -> Response:
    session.rollback()
    if error.code == 404:
        return problem(404, Sentence("90859", "没有找到，或者它不属于这个令牌的单位和海关编码"))
    if error.code == 413:
        return problem(413, Sentence("90863", "一次最多传{size}M，请分几次传", size=BODY_LIMIT >> 20))
    if error.code >= 500:
        wait = getattr(error, "retry_after", None) or 0
        sentence = Sentence("90877", "系统出了错，已经记下来；同一个Idempotency-Key可以再试，不会重复")
        return problem(error.code, sentence, wait)
    return problem(error.code, Sentence("90860", "这个请求看不懂，请对照接口说明"))


def problem(status: int, sentence: Sentence, wait: int = 0, **more: Any) -> Response:
    answer = jsonify({"status": status, "number": sentence.number, "title": str(sentence), **more})
    answer.status_code, answer.mimetype = status, "application/problem+json"
    answer.headers["Cache-Control"] = "no-store"
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


def moment(value: datetime | None) -> str | None:
    """As answers show times: Beijing time, with its zone."""
    return clock.local(value).isoformat(timespec="seconds") if value else None


def absolute(endpoint: str, **values: Any) -> str:
    """The address as users see it; also in jobs, where no request says it."""
    origin = urlsplit(current_app.config["SETTINGS"].public_origin)
    adapter = current_app.url_map.bind(origin.netloc, url_scheme=origin.scheme)
    return adapter.build(endpoint, values, force_external=True)


def limit_of(most: int, usual: int) -> int:
    """?limit=, up to `most`."""
    text = request.args.get("limit", str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
        raise wrong_parameter("limit", f"1到{most}的整数")
    return int(text)


def wrong_parameter(name: str, wanted: str) -> Refused:
    return Refused(400, Sentence("90867", "网址里的{name}写得不对，要{wanted}", name=name, wanted=wanted))


def moment_of(name: str) -> datetime | None:
    """A moment of the query, with its zone."""
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return clock.local(found)
    except (ValueError, OverflowError):
        pass
    raise wrong_parameter(name, "像2026-11-21T10:32:00+08:00的时间，带时区")
