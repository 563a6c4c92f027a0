"""Passwords: the region's rule in words, argon2id hashes, and one check that takes the same time for nobody."""

import re
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask import current_app
from wtforms.validators import ValidationError

from .fields import DocumentForm
from .numbers import Sentence

UNAMBIGUOUS = "abcdefghkmnpqrstuvwxyz23456789"
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$qLml5cbqFAO6YxVHhrSBHP0UWdxrIxkNcM8aMX3blzU"


def hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=current_app.config["SETTINGS"].argon2_memory, parallelism=1)


def password_hint(region) -> str:
    """Made from the rule, so that it cannot differ from it. A short maximum is the rule of the 2016 manual (M42)."""
    least, most = region["password"]["min"], region["password"]["max"]
    if most <= 16:
        return Sentence("", "{least}-{most}位英文字母、数字或_组成, 区分大小写!", least=least, most=most)
    return Sentence("", "{least}到{most}位，区分大小写，可以用一句话", least=least, most=most)


def keep_password(text: str) -> str:
    """The hash. Raises `ValidationError` where the region's rule is broken."""
    region = current_app.config["REGION"]
    least, most = region["password"]["min"], region["password"]["max"]
    fits = least <= len(text) <= most and (most > 16 or re.fullmatch(r"\w+", text, re.ASCII))
    if not fits:
        raise ValidationError(Sentence("90211", "密码不合要求：{hint}", hint=password_hint(region)))
    return hasher().hash(text)


class WithPassword(DocumentForm):
    """A form with the field `password`, whose hint is made from the region's rule."""

    def __init__(self, case, *arguments, **options):
        super().__init__(case, *arguments, **options)
        self.password.description = password_hint(case.region)


def new_initial_password() -> str:
    """What an administrator hands over: 12 letters and digits in three groups, none of them a look-alike."""
    return "-".join("".join(secrets.choice(UNAMBIGUOUS) for _ in range(4)) for _ in range(3))


def is_password(stored: str | None, text: str) -> bool:
    """False also where there is no such account, after the same work."""
    try:
        return hasher().verify(stored or NOBODY, text) and stored is not None
    except VerificationError:
        return False
