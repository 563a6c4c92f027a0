"""Check rules of codes and personal data that several forms share; each names its standard."""

import re
from datetime import date, datetime

from .fields import Advice, CaseRule, Rule

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_PASSPORT = re.compile(r"E\d{8}|E[A-HJ-NP-Z]\d{7}|G\d{8}|1[45]\d{7}|(PE|SE|DE)\d{7}|[PSD]\d{7,8}")
FOREVER = "00000000"
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def is_uscc_shape(text: str) -> bool:
    """统一社会信用代码, GB 32100-2015: 18 characters without I O S V Z. The check digit is said, not enforced."""
    return bool(re.fullmatch(rf"[{_USCC}]{{18}}", text))


def has_uscc_check_digit(text: str) -> bool:
    """GB 32100-2015: (31 − Σ value·3^(i−1) mod 31) mod 31. A few codes in use deviate, so this only warns."""
    return uscc_check_digit(text[:17]) == text[17]


def is_org_code(text: str) -> bool:
    """组织机构代码, GB 11714-1997: 8 letters or digits and a check digit (weights 3 7 9 10 5 8 4 2, mod 11)."""
    return bool(re.fullmatch(r"[0-9A-Z]{8}[0-9X]", text)) and org_check_digit(text[:8]) == text[8]


def org_check_digit(body: str) -> str:
    """GB 11714-1997: C9 = 11 − Σ mod 11; 10 is X, 11 is 0. A letter counts from A = 10."""
    total = sum(weight * int(letter, 36) for weight, letter in zip(_ORG_WEIGHTS, body, strict=True))
    return "0X987654321"[total % 11]


def uscc_check_digit(body: str) -> str:
    """GB 32100-2015, over the first 17 characters."""
    return _USCC[-sum(_USCC.index(letter) * pow(3, place, 31) for place, letter in enumerate(body)) % 31]


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


def read_date(text: str) -> date | None:
    """YYYYMMDD, as it is typed from a card."""
    try:
        return datetime.strptime(text, "%Y%m%d").date() if re.fullmatch(r"\d{8}", text) else None
    except ValueError:
        return None


def is_prc_passport(text: str) -> bool:
    """护照 of the People's Republic of China, old and new numbers."""
    return bool(_PASSPORT.fullmatch(text))


PERSON_PAPERS = [("id-card", "居民身份证"), ("passport", "护照"), ("other", "其他证件")]
PASSPORT_HINT = '当选择证件类型为"护照"时, 只能填写中华人民共和国制发的护照, 不能填写境外机构制发的护照。'


def fits_paper(number: str, case) -> bool:
    """An ID card's number by its rule, where 证件类型 (the field `id_type` above it) says that it is one."""
    return case.here.get("id_type") != "id-card" or is_id_number(number)


def is_not_foreign(number: str, case) -> bool:
    return case.here.get("id_type") != "passport" or is_prc_passport(number)


paper_is_ours = CaseRule(
    "90218", "护照只收中华人民共和国制发的，境外机构制发的护照不能用；请核对号码，或改选别的证件", is_not_foreign
)
paper_fits = CaseRule("90206", "身份证号码要18位，且校验位要对，请对照证件", fits_paper)
date_shape = Rule("90219", "日期要写8位数字，像20260425这样", lambda text: bool(read_date(text)))
until_shape = Rule("90220", "日期要写8位数字，像20360425这样；长期有效请输入8个0",
                   lambda text: text == FOREVER or bool(read_date(text)))  # fmt: skip
not_expired = CaseRule("90225", "证件已经过期，请换有效的证件，或核对截止日期",
                       lambda text, case: text == FOREVER or (read_date(text) or case.today) >= case.today)  # fmt: skip
org_code_shape = Rule("90226", "组织机构代码要9位，最后一位校验码也要对，请对照证件（短横线不用写）", is_org_code)
uscc_holds_org_code = Rule("90228", "第9至17位应是组织机构代码，这9位里有抄错的，请对照证照逐位检查",
                           lambda text: is_org_code(org_code_of(text)))  # fmt: skip
uscc_advice = (
    Advice("90227", "末位按国家标准算应是“{digit}”，填的是“{typed}”。请对照证照再看一遍；证照上就是这样，可以接着填",
           lambda text, case: not has_uscc_check_digit(text),
           lambda text: {"digit": uscc_check_digit(text[:17]), "typed": text[17]}),
)  # fmt: skip
uscc_shape = Rule("90201", "统一社会信用代码要18位，只有数字和大写字母，没有I、O、S、V、Z，请对照证照", is_uscc_shape)
email_shape = Rule("90202", "E-mail的格式不对，应像name@example.com这样", is_email)
mobile_shape = Rule("90203", "手机号码要11位，以1开头", is_mobile)
phone_shape = Rule("90204", "电话或传真只写数字和短横线，像0311-12345678这样", is_phone)
customs_code_shape = Rule("90205", "海关编码要10位，请对照海关登记", is_customs_code)
id_number_shape = Rule("90206", "身份证号码要18位，且校验位要对，请对照证件", is_id_number)
postcode_shape = Rule("90207", "邮政编码要6位数字", lambda text: bool(re.fullmatch(r"\d{6}", text)))
