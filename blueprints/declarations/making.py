"""From orders to a 报关单: 新建, what is suggested, 表头 and 商品 to the message, and 生成."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from blueprints.common.plain_forms import PageCase, page_case
from gateways.customs_dxp import declaration as wire
from models import declarations
from models.accounts import Enterprise
from models.codes import codes_of
from models.database import session
from models.declarations import DRAFT, READY, REFUSED, Declaration, DeclaredOrder
from models.documents import next_serial
from models.exports import Strategy
from models.orders import Order

from . import goods, tables
from .forms import SHIPMENT, HeadForm
from .twin import Pair, compare

MOST_ORDERS, MOST_LINES = wire.MOST_PAPERS - 1, wire.MOST_LINES  # one paper is left for the 委托协议
NOT_REGISTERED = "NO"  # OwnerCode of a company without 海关编码
CHINA, NO_TAX_RELIEF = "CHN", "1"
TITLES = {"TradeName": "收发货人名称", "AgentName": "申报单位名称", "CopName": "录入单位名称"}


class NotPossible(Exception):
    """`sentence`: why, and what to do."""

    def __init__(self, number: str, template: str, /, **parts):
        self.sentence = Sentence(number, template, **parts)
        super().__init__(self.sentence)


# -- 新建


def start(strategy: Strategy, order_ids: list[UUID], principal: Principal) -> Declaration:
    """A draft over the chosen orders. Raises NotPossible; then nothing must be committed."""
    if not order_ids:
        raise NotPossible("90910", "请先在表里勾选订单")
    orders = declarations.choose_orders(principal.enterprise_id, principal.code, strategy.id, order_ids)
    if len(orders) != len(set(order_ids)) or any(map(declarations.has_open_repeat, orders)):
        raise NotPossible("90913", "有订单现在不能选：已经在另一份报关单里，或正在变更、删除，请刷新后再选")
    return _add(strategy, orders, principal)


def start_again(before: Declaration, principal: Principal) -> Declaration:
    """A new 报关单 with what was typed in one that customs did not take. Raises NotPossible."""
    if before.state != REFUSED:
        raise NotPossible("90917", "只有没收下、退回的报关单才能改好再报，请看最新的状态")
    orders = declarations.orders_in(before.id)
    if len(declarations.choose_orders(before.enterprise_id, before.customs_code, before.strategy_id,
                                      [order.id for order in orders])) != len(orders):  # fmt: skip
        raise NotPossible("90913", "有订单现在不能选：已经在另一份报关单里，或正在变更、删除，请刷新后再选")
    again = _add(before.strategy, orders, principal)
    again.head, again.goods = dict(before.head), list(before.goods)
    return again


def _add(strategy: Strategy, orders: Sequence[Order], principal: Principal) -> Declaration:
    lines = [line for order in orders for line in goods.lines_of(declarations.as_customs_has(order))]
    if len(orders) > MOST_ORDERS or len(lines) > MOST_LINES:
        raise NotPossible("90914", "一份报关单最多放{orders}个订单、{lines}项商品，请分几份做", orders=MOST_ORDERS,
                          lines=MOST_LINES)  # fmt: skip
    now, day = clock.now(), f"{clock.today():%Y%m%d}"
    made = Declaration(
        enterprise_id=principal.enterprise_id, customs_code=principal.code, strategy_id=strategy.id, strategy=strategy,
        number=f"BG{day}{next_serial(f'declaration:{day}'):08d}", state=DRAFT, revision=1, head={}, goods=lines,
        created_at=now, created_by=principal.name, changed_at=now, changed_by=principal.name,
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.add_all(DeclaredOrder(declaration_id=made.id, order_id=order.id, place=place, is_live=True)
                    for place, order in enumerate(orders, 1))  # fmt: skip
    record("新建报关单", f"declaration:{made.id}", principal, number=made.number, orders=len(orders))
    try:
        session.flush()
    except IntegrityError as error:  # somebody else was first
        session.rollback()
        raise NotPossible("90913", "有订单现在不能选：已经在另一份报关单里，或正在变更、删除，请刷新后再选") from error
    return made


def delete(row: Declaration, principal: Principal) -> None:
    """Of one that was not handed over. Raises NotPossible."""
    if row.state not in (DRAFT, READY):
        raise NotPossible("90917", "报关单{number}已经交出去了，不能删除，请看最新的状态", number=row.number)
    record("删除报关单", f"declaration:{row.id}", principal, number=row.number)
    session.delete(row)


# -- 表头


def head_case(row: Declaration) -> PageCase:
    def has_agreement(district: str) -> bool:
        return declarations.has_agreement_with(row.enterprise_id, row.customs_code, district, clock.today())

    return page_case(has_agreement=has_agreement, is_agent=is_agent(row.strategy))


def is_agent(strategy: Strategy) -> bool:
    """Declared by another company than the 收发货人."""
    return strategy.sender.customs_code != strategy.seller.customs_code


def suggested_head(row: Declaration, principal: Principal) -> dict:
    """What was typed; else what the 报关单 before of the same strategy had, without what is of one shipment."""
    if row.head:
        return row.head
    usual = {
        "cut_mode": "101", "trans_mode": "3", "marks": "N/M", "traffic": "2", "wrap": "22", "inputer": principal.name,
        "district": tables.find("domestic_district", row.strategy.seller.customs_code[:5]),
    }  # fmt: skip
    before = declarations.heads_before(row.strategy_id, row.id)
    return usual | {name: value for name, value in before.items() if name not in SHIPMENT}


def save_head(row: Declaration, form: HeadForm, principal: Principal) -> None:
    """After `check`; what is wrong is kept too (暂存), but for NUL, which the database does not take."""
    row.head = {
        name: value.replace("\0", "") if isinstance(value, str) else value for name, value in form.values.items()
    }
    _changed(row, principal)


def save_goods(row: Declaration, lines: list[dict], principal: Principal) -> None:
    row.goods = lines
    _changed(row, principal)


def _changed(row: Declaration, principal: Principal) -> None:
    row.revision += 1
    row.state, row.content, row.made_at = DRAFT, None, None
    row.changed_at, row.changed_by = clock.now(), principal.name


def head_problems(row: Declaration) -> list:
    """Of what is kept, by today's rules."""
    return HeadForm(head_case(row), "head", {name: _as_typed(value) for name, value in row.head.items()}).check()


def _as_typed(value) -> list[str]:
    return value if isinstance(value, list) else [value]


# -- the message


@dataclass(frozen=True)
class Companies:
    """`own`: who declares; `seller`: the 收发货人, which is `own` or its client."""

    own: Enterprise
    seller: Enterprise


def companies_of(row: Declaration) -> Companies:
    """Raises NotPossible where codes or entrustment do not stand today."""
    own, strategy = session.get(Enterprise, row.enterprise_id), row.strategy
    held = {each.code for each in codes_of(own.id, clock.today())}
    if strategy.sender.customs_code not in held:
        raise NotPossible("90915", "海关编码{code}今天不在本单位有效的编码里，请核对企业资料",
                          code=strategy.sender.customs_code)  # fmt: skip
    if strategy.seller.customs_code in held:
        return Companies(own, own)
    client = declarations.client_of(own.id, row.customs_code, strategy.seller.customs_code, clock.today())
    if client is None:
        raise NotPossible(
            "90915", "海关编码{code}的报关委托今天没有生效，请先办委托", code=strategy.seller.customs_code
        )
    return Companies(own, client)


def message_of(row: Declaration, orders: Sequence[Order], companies: Companies) -> bytes:
    """The DecMessage of what is kept. Raises NotPossible for what customs' schema does not take."""
    moment = f"{clock.local(clock.now()):%Y%m%d%H%M%S}"
    try:
        return wire.build(wire.Declaration(
            _head(row, companies), [_line(row, place, line) for place, line in enumerate(row.goods, 1)],
            _papers(row, orders, moment), _sign(row, companies, moment), {"VoyNo": row.head.get("voyage", "")},
        ))  # fmt: skip
    except wire.BadDeclaration as error:
        where = f"第{error.line}项商品" if error.line else "表头"
        raise NotPossible("90918", "{where}的{element}海关不收，请改好再生成", where=where,
                          element=TITLES.get(error.element, error.element)) from error  # fmt: skip


def _head(row: Declaration, companies: Companies) -> dict:
    typed, strategy, own, seller = row.head, row.strategy, companies.own, companies.seller
    owner = (typed.get("owner_name"), typed.get("owner_code") or NOT_REGISTERED, typed.get("owner_uscc"))
    owner = owner if owner[0] else (strategy.seller.name, strategy.seller.customs_code, seller.uscc)
    currency = tables.iso_currency(strategy.currency)
    fees = {}
    for prefix, name in (("Fee", "freight"), ("Insur", "insurance")):
        if typed.get(name):
            fees |= {f"{prefix}Mark": "3", f"{prefix}Curr": currency, f"{prefix}Rate": Decimal(typed[name])}
    return fees | {
        "IEFlag": "E", "EntryType": "M", "DeclTrnRel": "0", "EdiId": "1", "NoOtherPack": "0",
        "CustomMaster": typed["customs"], "IEPort": typed["port"], "TradeMode": strategy.mode.partition("-")[0],
        "TradeCode": strategy.seller.customs_code, "TradeCoScc": seller.uscc or "", "TradeName": strategy.seller.name,
        "AgentCode": strategy.sender.customs_code, "AgentCodeScc": own.uscc or "", "AgentName": strategy.sender.name,
        "OwnerName": owner[0], "OwnerCode": owner[1], "OwnerCodeScc": owner[2] or "", "CopName": own.name,
        "CopCode": own.org_code or "", "CopCodeScc": own.uscc or "", "InputerName": typed["inputer"],
        "OverseasConsigneeEname": typed["consignee"], "ContrNo": typed["contract"], "BillNo": typed["bill_no"],
        "TradeAreaCode": tables.find("country", typed["trade_country"]),
        "TradeCountry": tables.find("country", typed["arrival_country"]),
        "DistinatePort": tables.find("port", typed["destination_port"]),
        "EntyPortCode": tables.find("domestic_port", typed["exit_port"]), "TrafMode": typed["traffic"],
        "TrafName": typed["vehicle"], "CutMode": typed["cut_mode"], "TransMode": typed["trans_mode"],
        "PackNo": typed["packs"], "WrapType": typed["wrap"], "GrossWet": Decimal(typed["gross"]),
        "NetWt": Decimal(typed["net"]), "MarkNo": typed["marks"], "NoteS": typed["note"],
        "PromiseItmes": "".join("1" if str(place) in typed.get("promises", ()) else "0" for place in range(3)),
    }  # fmt: skip


def _line(row: Declaration, place: int, line: dict) -> dict:
    """For exports OriginCountry is 最终目的国 and DestinationCountry 原产国."""
    second = {"SecondQty": Decimal(line["qty2"]), "SecondUnit": line["unit2"]} if line["qty2"] else {}
    return second | {
        "GNo": str(place), "CodeTS": line["code_ts"], "CiqCode": line["ciq"], "GName": line["name"], "GModel": line["model"],
        "GQty": Decimal(line["qty"]), "GUnit": line["unit"], "DeclPrice": Decimal(line["price"]),
        "DeclTotal": Decimal(line["total"]), "FirstQty": Decimal(line["qty1"]), "FirstUnit": line["unit1"],
        "TradeCurr": tables.iso_currency(row.strategy.currency), "DutyMode": NO_TAX_RELIEF, "DestinationCountry": CHINA,
        "OriginCountry": tables.find("country", row.head["final_country"]),
        "DistrictCode": tables.find("domestic_district", row.head["district"]),
        "OrigPlaceCode": tables.find("admin_division", row.head["origin_place"]),
    }  # fmt: skip


def _papers(row: Declaration, orders: Sequence[Order], moment: str) -> list[dict]:
    """跨境电商B2B出口单证 with each order's number and no file (R46), and the agent's 委托协议."""
    numbers = [(wire.ORDER_PAPER, order.order_no) for order in orders]
    if row.head.get("agent_paper"):
        numbers.append((wire.ENTRUSTMENT_PAPER, row.head["agent_paper"]))
    seller = row.strategy.seller
    return [
        {"EdocID": number, "EdocCode": code, "EdocFomatType": "US", "EdocCopId": number, "SignTime": moment,
         "EdocOwnerCode": seller.customs_code, "SignUnit": seller.customs_code, "EdocOwnerName": seller.name}
        for code, number in numbers
    ]  # fmt: skip


def _sign(row: Declaration, companies: Companies, moment: str) -> dict:
    """暂存: in the single window a person declares it by card; the import client signs its own transport."""
    return {
        "OperType": "G", "CopCode": companies.own.uscc or "", "OperName": row.head["inputer"],
        "ClientSeqNo": row.number, "BillSeqNo": row.number, "SignDate": f"{moment}00", "DomainId": "1",
    }  # fmt: skip


# -- 核对 and 生成


@dataclass(frozen=True)
class Proof:
    """What would be handed over now. `problem`: why it cannot be made; then `pairs` is empty."""

    pairs: list[Pair]
    content: bytes = b""
    problem: Sentence | None = None

    @property
    def differences(self) -> int:
        return sum(pair.why is not None for pair in self.pairs)


def prove(row: Declaration) -> Proof:
    """Builds the message, reads it back and holds it beside the orders. Commits before it does."""
    try:
        _check(row)
        orders = [declarations.as_customs_has(order) for order in declarations.orders_in(row.id)]
        if any(map(declarations.has_open_repeat, declarations.orders_in(row.id))):
            raise NotPossible("90913", "有订单已经删除，或正在变更、删除，请等海关回执，或删掉这份报关单重做")
        companies, strategy = companies_of(row), row.strategy
        session.commit()
        content = message_of(row, orders, companies)
    except NotPossible as refused:
        return Proof([], problem=refused.sentence)
    return Proof(compare(strategy, orders, wire.read(content)), content)


def _check(row: Declaration) -> None:
    if problems := head_problems(row):
        raise NotPossible(
            problems[0].number, "表头还有{count}项要改：{first}", count=len(problems), first=problems[0].sentence
        )
    if wrong := goods.problems_of(row.goods):
        raise NotPossible("90911", "商品还有{count}处要改：{first}", count=len(wrong), first=wrong[0][1])


def make(row: Declaration, proof: Proof, principal: Principal) -> None:
    """Keeps the message of `proof`. Raises NotPossible where it differs from the orders or somebody changed it meanwhile."""
    if proof.problem:
        raise NotPossible(proof.problem.number, proof.problem.template, **proof.problem.parts)
    if proof.differences:
        raise NotPossible("90912", "有{count}处和订单不一样，海关比对会退回，请改成一样再生成", count=proof.differences)
    revision = row.revision
    row = declarations.find_declaration(row.enterprise_id, row.customs_code, row.id, lock=True)
    if row is None or row.revision != revision or row.state not in (DRAFT, READY):
        raise NotPossible("90916", "刚刚有人改过这份报关单，请看过最新的再生成")
    if row.state == DRAFT:
        row.state, row.content, row.made_at = READY, proof.content, clock.now()
        record("生成报关单", f"declaration:{row.id}", principal, number=row.number)
