"""Check rules of codes and personal data that several forms share; each names its standard."""

import re
from datetime import date

from .fields import Rule

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def is_uscc_shape(text: str) -> bool:
    """统一社会信用代码, GB 32100-2015: 18 characters without I O S V Z. The check digit is said, not enforced."""
    return bool(re.fullmatch(rf"[{_USCC}]{{18}}", text))


def has_uscc_check_digit(text: str) -> bool:
    """GB 32100-2015: (31 − Σ value·3^(i−1) mod 31) mod 31. A few codes in use deviate, so this only warns."""
    total = sum(_USCC.index(letter) * pow(3, place, 31) for place, letter in enumerate(text[:17]))
    return _USCC[-total % 31] == text[17]


def org_code_of(uscc: str) -> str:
    """组织机构代码 (主体标识码): characters 9–17 of the USCC."""
    return uscc[8:17]


def is_id_number(text: str) -> bool:
    """居民身份证, GB 11643-1999: real date and check digit."""
    if not re.fullmatch(r"[1-9]\d{16}[\dX]", text):
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, text, strict=False))
    return "10X98765432"[total % 11] == text[17]


def is_email(text: str) -> bool:
    return bool(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", text)) and len(text) <= 254


def is_mobile(text: str) -> bool:
    return bool(re.fullmatch(r"1[3-9]\d{9}", text))


def is_phone(text: str) -> bool:
    return bool(re.fullmatch(r"[\d+][\d -]{4,24}\d", text))


def is_customs_code(text: str) -> bool:
    """海关注册编码: 10 characters, letters possible from the 5th."""
    return bool(re.fullmatch(r"\d{4}[0-9A-Z]{6}", text))


uscc_shape = Rule("90201", "统一社会信用代码要18位，只有数字和大写字母，没有I、O、S、V、Z，请对照证照", is_uscc_shape)
email_shape = Rule("90202", "E-mail的格式不对，应像name@example.com这样", is_email)
mobile_shape = Rule("90203", "手机号码要11位，以1开头", is_mobile)
phone_shape = Rule("90204", "电话或传真只写数字和短横线，像0311-12345678这样", is_phone)
customs_code_shape = Rule("90205", "海关编码要10位，请对照海关登记", is_customs_code)
id_number_shape = Rule("90206", "身份证号码要18位，且校验位要对，请对照证件", is_id_number)
postcode_shape = Rule("90207", "邮政编码要6位数字", lambda text: bool(re.fullmatch(r"\d{6}", text)))
