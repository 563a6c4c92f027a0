"""What customs takes and what it answers: elements of each kind of document, its receipt, its codes (规范 202205).

Our own reading of the specification, kind by kind; nothing here is shared with the programs that declare.
"""

from dataclasses import dataclass, field
from functools import cached_property

from sandbox.customs import codes


@dataclass(frozen=True)
class Rules:
    """Children of an element in their order: name → longest text; which of them may be missing."""

    longest: dict[str, int]
    optional: frozenset[str]


def _rules(text: str) -> Rules:
    words = text.split()
    names, lengths = words[::2], words[1::2]
    longest = {name.rstrip("?"): int(length) for name, length in zip(names, lengths, strict=True)}
    return Rules(longest, frozenset(name.rstrip("?") for name in names if name.endswith("?")))


@dataclass(frozen=True)
class Kind:
    """One kind of document.

    `key`: scope and number, under which there is one live document. `owner`: the company whose document it is.
    `roles`: the companies named in it (prefix of …Code and …Name) with the type each must have, "" for any registered
    one, "?" for one that need not be registered. `way`: the states of a document that goes well, after 3. `said`: what
    a receipt repeats.
    """

    code: str
    title: str
    node: str
    head: Rules
    key: tuple[str, str]
    owner: str
    roles: dict[str, str]
    receipt: str
    said: tuple[str, ...]
    way: tuple[int, ...] = (120,)
    head_node: str = ""
    line_node: str = ""
    line: Rules | None = None
    most_lines: int | None = 100
    codes: dict[str, int] = field(default_factory=dict)

    @property
    def root(self) -> str:
        return f"CEB{self.code}Message"

    @property
    def answer_root(self) -> str:
        return f"CEB{int(self.code) + 1}Message"

    @cached_property
    def company_elements(self) -> tuple[str, ...]:
        """Code and name of every company that is named in the head."""
        return tuple(role + part for role in self.roles for part in ("Code", "Name"))

    def code_of(self, problem: str) -> int:
        """The code of table 7-2; 海关退单 where the table has none."""
        return self.codes.get(problem, self.codes.get(codes.PARAMETERS, codes.REFUSED))


OPENING = "guid 36 appType 1 appTime 14 appStatus 1 "
SELLER, PLATFORM, CARRIER = "电子商务企业", "?", "物流企业"
TRANSFER = _rules("copCode 18 copName 100 dxpMode 3 dxpId 30 note? 1000")
_BILL = "trafName? 100 voyageNo? 32 billNo? 37 "

_ORDER = Kind(
    "303", "订单", "Order",
    _rules(OPENING + "orderType 1 orderNo 60 ebpCode 18 ebpName 100 ebcCode 18 ebcName 100 goodsValue 20 freight 20"
           " currency 3 note? 1000"),
    ("ebpCode", "orderNo"), "ebcCode", {"ebc": SELLER, "ebp": PLATFORM}, "OrderReturn", ("ebpCode", "ebcCode", "orderNo"),
    head_node="OrderHead", line_node="OrderList",
    line=_rules("gnum 5 itemNo 30 itemName 250 itemDescribe? 1000 barCode? 50 unit 3 currency 3 qty 20 price 20"
                " totalPrice 20 note? 1000"),
    codes=codes.ORDER,
)  # fmt: skip
_RECEIPT = Kind(
    "403", "收款单", "Receipts",
    _rules(OPENING + "ebpCode 18 ebpName 100 ebcCode 18 ebcName 100 orderNo 60 payCode? 18 payName 100 payNo? 60 charge 20"
           " currency 3 accountingDate 14 note? 1000"),
    ("ebcCode", "orderNo"), "ebcCode", {"ebc": SELLER, "ebp": PLATFORM}, "ReceiptsReturn", ("ebcCode", "orderNo", "payNo"),
    codes=codes.RECEIPT,
)  # fmt: skip
_WAYBILL = Kind(
    "505", "运单", "Logistics",
    _rules(OPENING + "logisticsCode 18 logisticsName 100 logisticsNo 32 freight 20 insuredFee 20 currency 3 grossWeight 20"
           " packNo 9 goodsInfo 200 ebcCode? 18 ebcName? 100 ebcTelephone? 50 note? 1000"),
    ("logisticsCode", "logisticsNo"), "logisticsCode", {"logistics": CARRIER, "ebc": PLATFORM}, "LogisticsReturn",
    ("logisticsCode", "logisticsNo"), codes=codes.WAYBILL,
)  # fmt: skip
_LIST = Kind(
    "603", "清单", "Inventory",
    _rules(OPENING + "customsCode 4 ebpCode 18 ebpName 100 orderNo 60 logisticsCode 18 logisticsName 100 logisticsNo 32"
           " copNo 30 preNo? 18 invtNo? 20 ieFlag 1 portCode 4 ieDate 8 statisticsFlag 1 agentCode 18 agentName 100"
           " ebcCode 18 ebcName 100 ownerCode 18 ownerName 100 iacCode? 18 iacName? 100 emsNo? 30 tradeMode 4 trafMode 1 "
           + _BILL + "totalPackageNo? 37 loctNo? 10 licenseNo? 19 country 3 POD 4 freight 20 fCurrency 3 fFlag 1"
           " insuredFee 20 iCurrency 3 iFlag 1 wrapType 1 packNo 9 grossWeight 20 netWeight 20 note? 1000"),
    ("agentCode", "copNo"), "agentCode",
    {"agent": "", "ebc": SELLER, "ebp": PLATFORM, "logistics": CARRIER, "owner": "?"}, "InventoryReturn",
    ("agentCode", "copNo", "preNo", "invtNo", "ebcCode", "ebpCode", "orderNo", "statisticsFlag"), (120, 800),
    "InventoryHead", "InventoryList",
    _rules("gnum 5 itemNo 20 itemRecordNo? 30 itemName? 250 gcode 10 gname 250 gmodel 250 barCode 50 country 3 currency 3"
           " qty 20 qty1 20 qty2? 20 unit 3 unit1 3 unit2? 3 price 20 totalPrice 20 note? 1000"),
    codes=codes.LIST,
)  # fmt: skip
_CANCELLATION = Kind(
    "605", "撤销申请", "InvtCancel",
    _rules(OPENING + "customsCode 4 copNo 30 preNo? 18 invtNo 20 reason 1000 agentCode 18 agentName 100 ebcCode 18"
           " ebcName 100 note? 1000"),
    ("agentCode", "copNo"), "agentCode", {"agent": "", "ebc": SELLER}, "InvtCancelReturn",
    ("agentCode", "copNo", "preNo", "invtNo"), (399,), codes=codes.CANCELLATION,
)  # fmt: skip
_MANIFEST = Kind(
    "607", "清单总分单", "WayBill",
    _rules(OPENING + "customsCode 4 copNo 30 preNo? 18 agentCode 18 agentName 100 loctNo? 10 trafMode 1 trafName 100"
           " voyageNo 32 billNo 37 domesticTrafNo? 100 grossWeight 20 logisticsCode 18 logisticsName 100 msgCount 9"
           " msgSeqNo 9 note? 1000"),
    ("agentCode", "copNo"), "agentCode", {"agent": "", "logistics": CARRIER}, "WayBillReturn",
    ("agentCode", "logisticsCode", "copNo", "preNo", "billNo", "msgSeqNo"), (399,), "WayBillHead", "WayBillList",
    _rules("gnum 5 totalPackageNo? 60 logisticsNo 32 invtNo? 20 note? 1000"), None,
)  # fmt: skip
_SUMMARY = Kind(
    "701", "汇总申请", "SummaryApply",
    _rules(OPENING + "customsCode 4 copNo 30 preNo? 18 sumNo? 18 agentCode 18 agentName 100 ebcCode 18 ebcName 100"
           " declAgentCode 18 declAgentName 100 startTime? 14 endTime? 14 loctNo? 10 summaryFlag 1 itemNameFlag 1"
           " msgCount 9 msgSeqNo 9 note? 1000"),
    ("agentCode", "copNo"), "agentCode", {"agent": "", "ebc": SELLER, "declAgent": ""}, "SummaryReturn",
    ("agentCode", "ebcCode", "copNo", "preNo", "sumNo", "msgSeqNo"), (399,), "SummaryApplyHead", "SummaryApplyList",
    _rules("invtNo 20"), None,
)  # fmt: skip
_REFUND = Kind(
    "213", "退货申请", "InvtRefund",
    _rules(OPENING + "customsCode 4 loctNo? 10 ebpCode 18 ebpName 100 ebcCode 18 ebcName 100 logisticsNo 80"
           " logisticsCode 18 logisticsName 100 coElNo 30 preNo? 18 invtNo 20 tradeMode? 4 agentCode 18 agentName 100"
           " billNo 37 ieFlag 1 trafMode 1 trafName 100 portCode 4 reason 500 country 3 voyageNo 32 note? 500"),
    ("agentCode", "coElNo"), "agentCode", {"agent": "", "ebc": SELLER, "ebp": PLATFORM, "logistics": CARRIER},
    "RefundReturn", ("ebpCode", "ebcCode", "agentCode", "coElNo", "preNo", "invtNo"), (120,), "InvtRefundHead",
    "InvtRefundList",
    _rules("gnum 4 gcode 10 gname 250 gmodel 250 qty 20 qty1 20 unit 3 unit1 3 qty2? 20 unit2? 3 note? 500"),
    codes=codes.REFUND,
)  # fmt: skip
_ALL = (_ORDER, _RECEIPT, _WAYBILL, _LIST, _CANCELLATION, _MANIFEST, _REFUND, _SUMMARY)
KINDS = {kind.code: kind for kind in _ALL}
BY_ROOT = {kind.root: kind for kind in KINDS.values()}
MAY_BE_MISSING_IN_RECEIPTS = {"payNo", "sumNo"}
