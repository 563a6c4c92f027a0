"""验证码: an image of 5 letters and digits, or a voice that speaks 6 digits; either answers the same captcha.

Nothing is written until somebody answers: the token in the form is sealed, bound to this browser, good for 10 minutes;
its key is kept once it was used, so it counts once.
"""

import base64
import binascii
import json
import secrets
import unicodedata
from functools import cache

from captcha.audio import AudioCaptcha
from captcha.image import ImageCaptcha
from cryptography.exceptions import InvalidTag
from flask import current_app
from flask import session as cookie_session

from models.challenges import use_captcha
from models.types import keyring

from . import clock

LETTERS = "ACEFGHJKLMNPRTWXY34789"  # without look-alikes: 0OQD 1I 2Z 5S 6 B UV
SECONDS = 600


def new_captcha() -> str:
    """A token for the form and for the addresses of image and voice."""
    text = current_app.config["SETTINGS"].demo_captcha or "".join(secrets.choice(LETTERS) for _ in range(5))
    digits = "".join(secrets.choice("0123456789") for _ in range(6))
    content = {"key": secrets.token_hex(16), "text": text, "digits": digits, "at": clock.now().timestamp()}
    sealed = keyring().seal(json.dumps(content).encode(), _place(make=True))
    return base64.urlsafe_b64encode(sealed).decode()


def read_captcha(token: str) -> dict | None:
    """{key, text, digits}; None when it is not this browser's, altered, or older than 10 minutes."""
    try:
        content = json.loads(keyring().open(base64.urlsafe_b64decode(token), _place()))
    except (InvalidTag, KeyError, ValueError, IndexError, binascii.Error):
        return None
    return content if clock.now().timestamp() - content["at"] < SECONDS else None


def is_answered(token: str, typed: str) -> bool:
    """Uses the captcha up, whatever was typed. Width and case of letters do not matter. Writes one row."""
    content = read_captcha(token)
    if content is None or not use_captcha(bytes.fromhex(content["key"]), clock.now()):
        return False
    plain = "".join(unicodedata.normalize("NFKC", typed).split()).casefold()
    return plain in (content["text"].casefold(), content["digits"])


def image_of(content: dict) -> bytes:
    """PNG, 132 × 44."""
    return ImageCaptcha(width=132, height=44, font_sizes=(30, 34, 36)).generate(content["text"]).getvalue()


def voice_of(content: dict) -> bytes:
    """WAV."""
    return bytes(_voices().generate(content["digits"]))


@cache
def _voices() -> AudioCaptcha:
    return AudioCaptcha()


def _place(make: bool = False) -> str:
    """Binds a token to the browser: its session cookie holds a random mark."""
    if make and "visitor" not in cookie_session:
        cookie_session["visitor"] = secrets.token_urlsafe(16)
    return f"captcha|{cookie_session.get('visitor', '')}"
