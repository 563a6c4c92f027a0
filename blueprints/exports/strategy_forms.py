"""业务策略 as a form (M191); a 清单 mode asks for what the head of all its documents (CEB603) has in common."""

import re

from wtforms.validators import ValidationError

from blueprints.common.checks import is_customs_code, is_uscc_shape
from blueprints.common.fields import CaseRule, Choice, DocumentForm, Radio, Rule, Text, always
from blueprints.common.numbers import Sentence
from models.orders import WAYBILL

from . import code_tables
from .forms import ENABLED
from .modes import MODES, Mode, currencies

OTHER = "other"  # a 物流企业 that is not among the 企业资料
NOT_REGISTERED = "NO"  # ownerCode of a 生产销售单位 that customs does not know (CEB603)
HEAD = "清单表头：用这个策略的订单都一样的项"


def fits_mode(form, field) -> None:
    """9810 declares to a 海外仓, the others to a platform."""
    is_warehouse, code = field.value in form.case.choices["warehouses"], form.mode.value[:4]
    if code == "9810" and not is_warehouse:
        raise ValidationError(Sentence("90663", "9810报的是海外仓订仓单，请在这里选海外仓"))
    if code == "9710" and is_warehouse:
        raise ValidationError(Sentence("90664", "9710报的是平台订单，请在这里选电商平台，不选海外仓"))
    if code == "9610" and is_warehouse:
        raise ValidationError(Sentence("90812", "9610报的是平台订单，请在这里选电商平台，不选海外仓"))


def fits_seller(form, field) -> None:
    """Waybills are declared by the 物流企业 itself, everything else by or for a 电商企业."""
    if form.is_for_waybills and field.value not in form.case.choices["senders"]:
        raise ValidationError(
            Sentence("90823", "物流运单由物流企业自己报，请在这里选勾选了物流企业、有传输ID的企业资料")
        )
    if not form.is_for_waybills and field.value not in form.case.choices["traders"]:
        raise ValidationError(Sentence("90824", "这里选电商企业：勾选了申报企业和电商企业的，或委托本单位申报的"))


def is_entrusted(case) -> bool:
    """The chosen 电商企业 is a client that entrusted the declaration to this company."""
    return case.here["seller"] in case.choices["entrusted"]


def is_typed_carrier(case) -> bool:
    return case.here["logistics"] == OTHER


def is_known_port(form, field) -> None:
    """A code; where a name was typed, the codes of the ports that are called so are said."""
    if code_tables.is_port(field.value):
        return
    if named := code_tables.ports_named(field.value):
        ports = "、".join(named)
        raise ValidationError(Sentence("90814", "这里填港口的代码，叫这个名字的有：{ports}", ports=ports))
    sentence = "没有这个港口代码，请对照报关单填3至4位数字；也可以填港口的中文名，会告诉您代码"
    raise ValidationError(Sentence("90813", sentence))


def is_code_of_company(text: str) -> bool:
    return is_customs_code(text) or is_uscc_shape(text)


district = Rule("90815", "关区代码要4位数字，前两位是直属海关的代码，请对照报关单", code_tables.is_district)
company_code = Rule("90816", "要填10位海关编码或18位统一社会信用代码，请对照证照", is_code_of_company)
owner_code = Rule(
    "90817", "要填10位海关编码或18位统一社会信用代码；没有在海关登记的填NO",
    lambda text: text == NOT_REGISTERED or is_code_of_company(text),
)  # fmt: skip
has_owner_code = CaseRule("90818", "写了生产销售单位的名称，还要填它的代码", lambda text, case: case.here["owner_code"])
yard_shape = Rule("90819", "监管场所代码最多10位数字或字母", lambda text: bool(re.fullmatch(r"[0-9A-Z]{1,10}", text)))


class StrategyForm(DocumentForm):
    """业务策略 (M191). `required=always` where only the answers above tell whether a field is asked: no star before."""

    number = Text(
        "策略编号", Rule("90662", "策略编号最多30位，不能有空格", lambda text: bool(re.fullmatch(r"\S{1,30}", text))),
        number="800601", hint="自定义",
    )  # fmt: skip
    name = Text("策略名称", number="800602", limit=50, hint="自定义(例9710美金、9710日元等)")
    mode = Radio(
        "贸易方式", number="800603",
        options=lambda case: [(key, mode.title) for key, mode in MODES.items()],
    )  # fmt: skip
    platform = Choice("电商平台", fits_mode, number="800604", options=lambda case: case.choices["platforms"])
    seller = Choice("电商企业/收发货人", fits_seller, number="800605", options=lambda case: case.choices["sellers"])
    declarant = Choice(
        "申报企业", number="800608", options=lambda case: case.choices["declarants"], when=is_entrusted,
        required=always, hint="替委托单位申报时选",
    )  # fmt: skip
    currency = Choice("币制", number="800606", options=lambda case: currencies())
    is_enabled = Radio("状态", number="800607", options=ENABLED)

    customs_district = Text("申报关区", district, number="800611", limit=4, group=HEAD, hint="4位数字", code=True)
    exit_port = Text("出口口岸", district, number="800612", limit=4, group=HEAD, hint="4位数字", code=True)
    statistics = Radio(
        "申报业务类型", number="800613", group=HEAD, options=[("A", "简化申报"), ("B", "汇总申报")],
        hint="简化申报的商品不涉许可证、不涉出口关税、不涉出口退税",
    )  # fmt: skip
    transport = Choice("运输方式", number="800614", group=HEAD, options=lambda case: code_tables.transport_modes())
    wrap = Choice("包装种类", number="800615", group=HEAD, options=lambda case: code_tables.wraps())
    country = Choice("运抵国（地区）", number="800616", group=HEAD, options=lambda case: code_tables.countries())
    destination = Text("指运港", is_known_port, number="800617", limit=30, group=HEAD, hint="代码，如洛杉矶3154")
    yard = Text("监管场所代码", yard_shape, number="800618", required=False, limit=20, group=HEAD, code=True)
    logistics = Choice(
        "物流企业", number="800619", group=HEAD, options=lambda case: [*case.choices["carriers"], (OTHER, "下面填写")]
    )
    logistics_code = Text(
        "物流企业代码", company_code, number="800620", limit=18, group=HEAD, code=True, hint="物流企业选“下面填写”的才填",
        when=is_typed_carrier, required=always,
    )  # fmt: skip
    logistics_name = Text(
        "物流企业名称", number="800621", limit=100, group=HEAD, when=is_typed_carrier, required=always
    )
    owner_code = Text(
        "生产销售单位代码", owner_code, number="800622", required=False, limit=18, group=HEAD, code=True,
        hint="就是收发货人的，空着",
    )  # fmt: skip
    owner_name = Text(
        "生产销售单位名称", has_owner_code, number="800623", limit=100, group=HEAD,
        required=lambda case: bool(case.here["owner_code"]),
    )  # fmt: skip
    freight_currency = Choice("运费币制", number="800624", group=HEAD, options=lambda case: currencies())
    insurance_currency = Choice("保费币制", number="800625", group=HEAD, options=lambda case: currencies())

    def __init__(self, case, place: str, typed=None, suggested=None):
        """What the mode or the company's entrustments do not ask for is not on the page either."""
        super().__init__(case, place, typed, suggested=suggested)
        if not case.choices["entrusted"]:
            del self.declarant
        if self.is_for_waybills:
            del self.platform
        for name in () if self.is_for_lists else self.head_names:
            del self[name]

    @property
    def is_for_lists(self) -> bool:
        return self.chosen_mode is not None and self.chosen_mode.is_list

    @property
    def is_for_waybills(self) -> bool:
        return self.chosen_mode is not None and self.chosen_mode.kind == WAYBILL

    @property
    def chosen_mode(self) -> Mode | None:
        return MODES.get(self.mode.value)

    @property
    def head_names(self) -> list[str]:
        return [field.name for field in self if field.number >= self.customs_district.number]
