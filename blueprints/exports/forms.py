"""Forms of 企业资料, 客户资料 and 申报任务. Their fields have spoken numbers like those of every document."""

import re

from wtforms.validators import ValidationError

from blueprints.common.checks import email_shape, phone_shape, uscc_advice, uscc_shape
from blueprints.common.fields import Choice, Choices, DocumentForm, Radio, Rule, Secret, Text
from blueprints.common.numbers import Sentence

from .modes import TYPES

_SPACES = re.compile(r"[\s\u3000]+")
RED, CHANNELS = "红框部分", "通道"
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
    """传输ID and 海关编码 are a pair; what is declared for a client goes out under one's own."""
    if form.customs_code.value in form.case.choices["entrusted"]:
        raise ValidationError(Sentence("90820", "委托单位的资料不选传输ID：报文用本单位的传输ID发，请改成“请选择”"))
    granted_for = form.case.choices["granted_for"].get(field.value)
    if granted_for and form.customs_code.value and granted_for != form.customs_code.value:
        raise ValidationError(Sentence("90661", "这个传输ID是发给海关编码{code}的，请把两项选成一对", code=granted_for))


class Host(Choice):
    """One of the operator's list; the first entry is the way that needs no host."""

    offers_blank = False

    def __init__(self, label, *, way: str, **rest):
        super().__init__(label, required=False, options=lambda case: case.choices[way], **rest)


password_size = Rule("90821", "密码最多100个字，请核对", lambda text: len(text) <= 100)


def password(label: str, **rest) -> Secret:
    """Kept until another one is typed; never shown again."""
    return Secret(label, password_size, required=False, **rest)


class ProfileForm(DocumentForm):
    """创建境内企业资料 (M186): the fields of the manual's red box first, then its others."""

    name = Text("企业名称", number="800201", limit=100, group=RED)
    customs_code = Choice(
        "海关编码", number="800202", group=RED, options=lambda case: case.choices["codes"],
        hint="填写海关备案后的十位编码",
    )  # fmt: skip
    dxp_id = Choice(
        "传输ID", is_granted_for_code, number="800203", group=RED, options=lambda case: case.choices["dxp_ids"],
        required=lambda case: case.here["customs_code"] not in case.choices["entrusted"],
        hint="填写分中心无纸化平台中的传输ID号",
    )  # fmt: skip
    signer = Host("加密地址", number="800207", group=RED, way="signers", hint="填写分中心无纸化平台上的加签地址")
    sign_user = Text(
        "加签用户名", number="800208", group=RED, required=False, limit=60, hint="填写分中心无纸化平台上加签用户名"
    )
    sign_password = password("加签密码", number="800209", group=RED)
    types = Choices(
        "企业类型", number="800204", span=True, group=RED,
        hint="自己出口、自己申报的企业：3项都勾选（申报企业、电商平台、电商企业）",
        options=[(key, TYPES[key]) for key in ("declarant", "platform", "seller", "logistics")],
    )  # fmt: skip

    send_host = Host("发送通道地址", number="800210", group=CHANNELS, way="channels")
    send_user = Text("发送通道用户名", number="800211", group=CHANNELS, required=False, limit=60)
    send_password = password("发送通道密码", number="800212", group=CHANNELS)
    receive_host = Host("接收通道地址", number="800213", group=CHANNELS, way="channels")
    receive_user = Text("接收通道用户名", number="800214", group=CHANNELS, required=False, limit=60)
    receive_password = password("接收通道密码", number="800215", group=CHANNELS)

    remark = Text("备注", number="800205", required=False, limit=200)
    is_enabled = Radio("状态", number="800206", options=ENABLED)

    def __init__(self, case, place: str, typed=None, suggested=None):
        super().__init__(case, place, typed, suggested=suggested)
        self.dxp_id.needed = True  # of all but a client's


class WarehouseForm(DocumentForm):
    """创建海外仓 (M189)."""

    name = Text("海外仓名称", number="800301", limit=100)
    address = Text("海外仓地址", number="800302", limit=200)


client_number_shape = Rule(
    "90665", "客户编号最多20位，只能用字母和数字", lambda text: bool(re.fullmatch(r"[A-Za-z0-9]{1,20}", text))
)


class ClientForm(DocumentForm):
    """新建客户 (M184); the manual shows its form as a picture only, so the fields are ours."""

    number = Text("客户编号", client_number_shape, number="800701", hint="自己定，最多20位字母和数字；任务编号从它开头")
    name = Text("客户名称", number="800702", limit=100)
    uscc = Text(
        "统一社会信用代码", uscc_shape, number="800703", required=False, code=True, advice=uscc_advice,
        hint="境内企业填，18位",
    )  # fmt: skip
    contact = Text("联系人", number="800704", limit=50, personal=True)
    phone = Text("联系电话", phone_shape, number="800705", limit=30, personal=True)
    email = Text("E-mail", email_shape, number="800706", required=False, limit=254, personal=True)
    address = Text("地址", number="800707", required=False, limit=200, personal=True, span=True)
    remark = Text("备注", number="800708", required=False, limit=200, span=True)
    is_enabled = Radio("状态", number="800709", options=ENABLED)


def is_client_enabled(form, field) -> None:
    """A number that no 客户 has may be typed; one of a 客户 that was switched off may not."""
    client = form.case.choices["find_client"](field.value)
    if client and not client.is_enabled:
        sentence = "客户{number}已停用，请先在“客户资料维护”里启用，或换一个"
        raise ValidationError(Sentence("90811", sentence, number=client.number))


WRONG_ROWS = [("skip", "对的先存，错的改好再补充导入"), ("whole", "只要有一行错，就一单都不存")]


class TaskForm(DocumentForm):
    """创建申报任务 (M192); the file is chosen beside it."""

    client_number = Text(
        "客户编号", client_number_shape, is_client_enabled, number="801101",
        hint="自己定，最多20位字母和数字；任务编号从它开头", attributes={"list": "clients"},
    )  # fmt: skip
    strategy = Choice("业务策略", number="801102", options=lambda case: case.choices["strategies"])
    wrong_rows = Radio("表里有错的行时", number="801103", options=WRONG_ROWS)


class MoreForm(DocumentForm):
    """补充导入; the file is chosen beside it."""

    wrong_rows = Radio("表里有错的行时", number="801401", options=WRONG_ROWS)
