"""What the pages of this area share: blueprint, absolute addresses, forms with a captcha, and how they are shown."""

import base64
import binascii
import json
from datetime import timedelta
from urllib.parse import urlencode

from cryptography.exceptions import InvalidTag
from flask import Blueprint, current_app, request
from flask import session as cookie_session

from blueprints.common import captcha, clock
from blueprints.common.numbers import Sentence
from blueprints.common.pages import show, translated
from blueprints.common.plain_forms import summary_of
from blueprints.common.proofs import can_sms
from models.database import session
from models.types import keyring

bp = Blueprint("auth", __name__)
WRONG_CAPTCHA = Sentence("90502", "验证码不对，或已过10分钟，请看新的一张再输")
NO_SMS = Sentence("90572", "本地区还没有接通短信，手机号登录和手机找回暂时不能用，请用别的办法")


@bp.app_context_processor
def login_form() -> dict:
    """For the login box of the home page too."""
    return {"new_captcha": captcha.new_captcha, "can_sms": can_sms, "no_sms": NO_SMS}


def query_of(**values) -> str:
    """`?a=b` of the values that are set, or nothing."""
    found = {name: value for name, value in values.items() if value}
    return f"?{urlencode(found)}" if found else ""


def absolute(endpoint: str, **values) -> str:
    """For messages: never from the request's own host name, and the worker has no request."""
    settings = current_app.config["SETTINGS"]
    return settings.public_origin + current_app.url_map.bind("").build(endpoint, values)


def hotline() -> str:
    return current_app.config["REGION"]["contact"]["hotline"]


def asker() -> str:
    return request.remote_addr or ""


def show_form(template: str, form, problems=(), **values):
    """The form with its problems; none are said to somebody who only asked for another picture."""
    if wants_another():
        problems = []
        for field in form:
            field.errors = []
    for field in form:
        field.errors = [translated(error) for error in field.errors]  # the widgets print them as they are
    return show(template, form=form, summary=summary_of(problems), **values)


def wants_another() -> bool:
    return request.form.get("go") == "another"


def put_aside(name: str, minutes: int, **data) -> None:
    """Keeps data of one browser between two pages in its cookie, sealed: neither to be read nor to be made up there."""
    until = (clock.now() + timedelta(minutes=minutes)).timestamp()
    sealed = keyring().seal(json.dumps({**data, "until": until}).encode(), f"aside|{name}")
    cookie_session[name] = base64.b64encode(sealed).decode()


def kept_aside(name: str) -> dict | None:
    """What `put_aside` kept; None once its time is over."""
    try:
        data = json.loads(keyring().open(base64.b64decode(cookie_session.get(name, "")), f"aside|{name}"))
    except (InvalidTag, KeyError, ValueError, IndexError, binascii.Error):
        return None
    return data if clock.now().timestamp() < data["until"] else None


def answer_captcha(typed: str) -> bool:
    """Uses the captcha up, and commits that before anything else may be rolled back."""
    is_right = captcha.is_answered(request.form.get("captcha_token", ""), typed)
    session.commit()
    return is_right
