"""报关单表头: what is typed, each with its spoken number; the rest comes from the company, the strategy and the orders."""

import re
from decimal import Decimal

from wtforms.validators import ValidationError

from blueprints.common.checks import customs_code_shape, uscc_shape
from blueprints.common.fields import Choice, Choices, DocumentForm, Rule, Text
from blueprints.common.numbers import Sentence

from . import tables

PLACES, WAY, GOODS, OTHERS = "关区和地区", "运输", "货物", "其他"
CIF, C_AND_F, FOB = "1", "2", "3"
SHIPMENT = ("contract", "vehicle", "voyage", "bill_no", "freight", "insurance", "packs", "gross", "net", "note",
            "agent_paper")  # fmt: skip
"""Fields of one shipment: not suggested from the 报关单 before."""


def is_amount(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,13}(\.[0-9]{1,5})?", text)) and Decimal(text) > 0


office_shape = Rule("90901", "关区代码要4位数字，前两位是直属海关，请对照关区代码表", tables.directorate_of)
weight_shape = Rule("90906", "毛重、净重、运费和保险费要大于0，最多5位小数，像12.5这样", is_amount)
latin_shape = Rule("90908", "境外收货人要写外文名称，不能有汉字", lambda text: text.isascii())
packs_shape = Rule("90919", "件数写1到999999999的整数", lambda text: bool(re.fullmatch("[1-9][0-9]{0,8}", text)))


class Coded(Text):
    """A code of a table, or the whole Chinese name of one."""

    def __init__(self, label, table: str, error: str, **rest):
        hint = "填代码" if table == tables.ONLY_CODES else "填代码或中文名称"
        super().__init__(label, self.is_known, limit=60, **({"hint": hint} | rest))
        self.table, self.error = table, error

    @staticmethod
    def is_known(form, field) -> None:
        if not tables.find(field.table, field.value):
            words = "「{label}」在代码表里没有找到，请核对代码或名称"
            raise ValidationError(Sentence(field.error, words, label=field.label.text))


def is_agreed(form, field) -> None:
    """三方协议 with the 直属关区 of the office (M140, M145): the page says where it is signed."""
    district = tables.directorate_of(field.value)
    if not form.case.choices["has_agreement"](district):
        words = "通关无纸化三方协议不存在：本单位和{district}还没有签，请先签约，或换一个申报地海关"
        raise ValidationError(Sentence("90900", words, district=district))


def is_net_smaller(form, field) -> None:
    if is_amount(form.gross.value) and Decimal(field.value) > Decimal(form.gross.value):
        raise ValidationError(Sentence("90907", "净重不能大于毛重，请核对"))


class HeadForm(DocumentForm):
    customs = Text(
        "申报地海关", office_shape, is_agreed, number="820301", group=PLACES, limit=4, code=True, hint="4位关区代码"
    )
    port = Text("出境关别", office_shape, number="820302", group=PLACES, limit=4, code=True, hint="4位关区代码")
    exit_port = Coded("离境口岸", "domestic_port", "90904", number="820303", group=PLACES)
    trade_country = Coded("贸易国（地区）", "country", "90902", number="820304", group=PLACES)
    arrival_country = Coded("运抵国（地区）", "country", "90902", number="820305", group=PLACES)
    destination_port = Coded("指运港", "port", "90903", number="820306", group=PLACES)
    final_country = Coded("最终目的国（地区）", "country", "90902", number="820307", group=PLACES)
    district = Coded("境内货源地", "domestic_district", "90905", number="820308", group=PLACES)
    origin_place = Coded("产地", "admin_division", "90905", number="820309", group=PLACES, required=False)

    traffic = Choice("运输方式", number="820310", group=WAY, options=lambda case: tables.choices("traf_mode"))
    vehicle = Text("运输工具名称", number="820311", group=WAY, required=False, limit=26)
    voyage = Text("航次号", number="820312", group=WAY, required=False, limit=32)
    bill_no = Text("提运单号", number="820313", group=WAY, required=False, limit=32)

    packs = Text("件数", packs_shape, number="820314", group=GOODS, limit=9, code=True)
    wrap = Choice("包装种类", number="820315", group=GOODS, options=lambda case: tables.choices("wrap_type", "国标码"))
    gross = Text("毛重（千克）", weight_shape, number="820316", group=GOODS, limit=20, code=True)
    net = Text("净重（千克）", weight_shape, is_net_smaller, number="820317", group=GOODS, limit=20, code=True)
    marks = Text("标记唛码", number="820318", group=GOODS, limit=400, hint="没有就写N/M")
    trans_mode = Choice("成交方式", number="820319", group=GOODS, options=tables.TRANS_MODES)
    freight = Text(
        "运费总价", weight_shape, number="820320", group=GOODS, limit=20, code=True, hint="成交方式是C&F、CIF时填，用订单的币制",
        when=lambda case: case.here["trans_mode"] in (CIF, C_AND_F),
    )  # fmt: skip
    insurance = Text(
        "保险费总价", weight_shape, number="820321", group=GOODS, limit=20, code=True, hint="成交方式是CIF时填，用订单的币制",
        when=lambda case: case.here["trans_mode"] == CIF,
    )  # fmt: skip
    cut_mode = Choice("征免性质", number="820322", group=GOODS, options=lambda case: tables.choices("levy_mode"))

    contract = Text("合同协议号", number="820323", group=OTHERS, required=False, limit=32)
    consignee = Text("境外收货人名称（外文）", latin_shape, number="820324", group=OTHERS, limit=400)
    owner_name = Text(
        "生产销售单位", number="820325", group=OTHERS, required=False, limit=70, hint="空着就是收发货人自己"
    )
    owner_code = Text(
        "生产销售单位海关编码", customs_code_shape, number="820326", group=OTHERS, required=False, code=True, limit=10,
        when=lambda case: bool(case.here["owner_name"]),
    )  # fmt: skip
    owner_uscc = Text(
        "生产销售单位统一社会信用代码", uscc_shape, number="820327", group=OTHERS, code=True, limit=18,
        when=lambda case: bool(case.here["owner_name"]),
    )  # fmt: skip
    agent_paper = Text(
        "委托协议编号", number="820328", group=OTHERS, limit=64, hint="电子代理报关委托协议的编号",
        when=lambda case: case.choices["is_agent"],
    )  # fmt: skip
    inputer = Text("录入人员", number="820329", group=OTHERS, limit=30)
    promises = Choices(
        "有下面情况的打勾", number="820330", group=OTHERS, required=False, span=True,
        options=[("0", "特殊关系确认"), ("1", "价格影响确认"), ("2", "支付特许权使用费确认")],
    )  # fmt: skip
    note = Text("备注", number="820331", group=OTHERS, required=False, limit=70, span=True)

    def __init__(self, case, place: str, typed=None, kept=None, suggested=None):
        super().__init__(case, place, typed, kept, suggested)
        if not case.choices["is_agent"]:
            del self.agent_paper
        for name in ("freight", "insurance", "owner_uscc"):
            self[name].needed = False  # only beside another answer
