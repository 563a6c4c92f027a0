"""Forms of 企业资料, 业务策略 and 申报任务. Their fields have spoken numbers like those of every document."""

import re

from wtforms.validators import ValidationError

from blueprints.common.fields import Choice, Choices, DocumentForm, Radio, Rule, Text
from blueprints.common.numbers import Sentence

from .modes import MODES, TYPES, currencies

_SPACES = re.compile(r"[\s\u3000]+")
ENABLED = [("yes", "启用"), ("no", "停用")]


def without_spaces(typed: dict[str, list[str]], labels: dict[str, str]) -> tuple[dict[str, list[str]], list[str]]:
    """「注意各填写项不要有空格！」 (M187): full-width ones too. Gives the cleaned fields and the labels of those changed."""
    cleaned, changed = {}, []
    for name, values in typed.items():
        cleaned[name] = [_SPACES.sub("", value) for value in values]
        if cleaned[name] != values and name in labels:
            changed.append(labels[name])
    return cleaned, changed


def is_granted_for_code(form, field) -> None:
    """传输ID and 海关编码 are a pair."""
    granted_for = form.case.choices["granted_for"].get(field.value)
    if granted_for and form.customs_code.value and granted_for != form.customs_code.value:
        raise ValidationError(Sentence("90661", "这个传输ID是发给海关编码{code}的，请把两项选成一对", code=granted_for))


def fits_mode(form, field) -> None:
    """9810 declares to a 海外仓, 9710 to a platform."""
    is_warehouse = field.value in form.case.choices["warehouses"]
    if form.mode.value == "9810-declaration" and not is_warehouse and form.case.choices["warehouses"]:
        raise ValidationError(Sentence("90663", "9810报的是海外仓订仓单，请在这里选海外仓"))
    if form.mode.value == "9710-declaration" and is_warehouse:
        raise ValidationError(Sentence("90664", "9710报的是平台订单，请在这里选电商平台，不选海外仓"))


class ProfileForm(DocumentForm):
    """创建境内企业资料 (M186): the fields that the manual has in its red box."""

    name = Text("企业名称", number="800201", limit=100)
    customs_code = Choice(
        "海关编码", number="800202", options=lambda case: case.choices["codes"], hint="填写海关备案后的十位编码"
    )
    dxp_id = Choice(
        "传输ID", is_granted_for_code, number="800203", options=lambda case: case.choices["dxp_ids"],
        hint="填写分中心无纸化平台中的传输ID号",
    )  # fmt: skip
    types = Choices(
        "企业类型", number="800204", span=True, hint="自己出口、自己申报的企业：3项都勾选（申报企业、电商平台、电商企业）",
        options=[(key, TYPES[key]) for key in ("declarant", "platform", "seller", "logistics")],
    )  # fmt: skip
    remark = Text("备注", number="800205", required=False, limit=200)
    is_enabled = Radio("状态", number="800206", options=ENABLED)


class WarehouseForm(DocumentForm):
    """创建海外仓 (M189)."""

    name = Text("海外仓名称", number="800301", limit=100)
    address = Text("海外仓地址", number="800302", limit=200)


class StrategyForm(DocumentForm):
    """业务策略 (M191)."""

    number = Text(
        "策略编号", Rule("90662", "策略编号最多30位，不能有空格", lambda text: bool(re.fullmatch(r"\S{1,30}", text))),
        number="800601", hint="自定义",
    )  # fmt: skip
    name = Text("策略名称", number="800602", limit=50, hint="自定义(例9710美金、9710日元等)")
    mode = Radio(
        "贸易方式", number="800603", options=[(key, mode.title) for key, mode in MODES.items() if mode.is_built]
    )
    platform = Choice("电商平台", fits_mode, number="800604", options=lambda case: case.choices["platforms"])
    seller = Choice("电商企业/收发货人", number="800605", options=lambda case: case.choices["sellers"])
    currency = Choice("币制", number="800606", options=lambda case: currencies())
    is_enabled = Radio("状态", number="800607", options=ENABLED)


class TaskForm(DocumentForm):
    """创建申报任务 (M192); the file is chosen beside it."""

    client_number = Text(
        "客户编号",
        Rule("90665", "客户编号最多20位，只能用字母和数字", lambda text: bool(re.fullmatch(r"[A-Za-z0-9]{1,20}", text))),
        number="801101", hint="自己定，最多20位字母和数字；任务编号从它开头",
    )  # fmt: skip
    strategy = Choice("业务策略", number="801102", options=lambda case: case.choices["strategies"])
