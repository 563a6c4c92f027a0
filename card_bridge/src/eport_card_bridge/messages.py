"""Reads customs messages for the PIN page and builds the ds:SignedInfo bytes to be signed (CEB 202205 profile)."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from .canonical import BadMessage, Canonicalizer, Name, declared_text

CEB = "http://www.chinaport.gov.cn/ceb"
DS = "http://www.w3.org/2000/09/xmldsig#"
CHINAPORT = "http://www.chinaport.gov.cn/2022/04/xmldsig#"
AMOUNT = re.compile(r"[0-9]{1,14}(\.[0-9]{1,5})?\Z")  # n19,5
CURRENCY = re.compile(r"[0-9A-Z]{3}\Z")


NUMBER_WORDS = {
    "orderNo": "订单编号",
    "copNo": "企业内部编号",
    "logisticsNo": "运单编号",
    "invtNo": "清单编号",
}
LONGEST_NUMBER = 60  # C..60


@dataclass(frozen=True)
class Kind:
    """Where a kind of message says what the PIN page must say: the element that is counted as one document, its number,
    the element whose amount and currency are added (none where no money is declared), and the words for all three."""

    words: str
    head: tuple[str, ...]
    money: tuple[str, ...] = ()
    amount: str = ""
    sum_words: str = "合计"
    number: str = "copNo"

    @property
    def number_words(self) -> str:
        return NUMBER_WORDS[self.number]

    @cached_property
    def paths(self) -> set[tuple[str, ...]]:
        """Both elements and what they stand in; their names may occur nowhere else."""
        return {path[:depth] for path in (self.head, self.money) for depth in range(1, len(path) + 1)}

    @cached_property
    def names(self) -> set[str]:
        return {name for path in self.paths for name in path}


class Profile(NamedTuple):
    """Official URIs and the hash of one signature profile of CEB 202205."""

    signature_uri: str
    digest_uri: str
    hash_name: str


KINDS = {
    "CEB213Message": Kind("退货申请", ("InvtRefund", "InvtRefundHead"), number="invtNo"),
    "CEB303Message": Kind("出口订单", ("Order", "OrderHead"), ("Order", "OrderHead"), "goodsValue", number="orderNo"),
    "CEB403Message": Kind("收款单", ("Receipts",), ("Receipts",), "charge", number="orderNo"),
    "CEB505Message": Kind("物流运单", ("Logistics",), ("Logistics",), "freight", "运费合计", "logisticsNo"),
    "CEB507Message": Kind("运抵单", ("Arrival", "ArrivalHead")),
    "CEB509Message": Kind("离境单", ("Departure", "DepartureHead")),
    "CEB603Message": Kind(
        "出口清单", ("Inventory", "InventoryHead"), ("Inventory", "InventoryList"), "totalPrice", number="orderNo"
    ),
    "CEB605Message": Kind("撤销申请", ("InvtCancel",)),
    "CEB607Message": Kind("清单总分单", ("WayBill", "WayBillHead")),
    "CEB701Message": Kind("汇总申请", ("SummaryApply", "SummaryApplyHead")),
}
PROFILES = {
    "rsa-sha1": Profile(DS + "rsa-sha1", DS + "sha1", "sha1"),
    "sm2-sm3": Profile(CHINAPORT + "sm2-sm3", CHINAPORT + "sm3", "sm3"),
}
PROFILE_OF = {"rsa": "rsa-sha1", "sm2": "sm2-sm3"}


@dataclass
class Message:
    """What is kept of a message: digests of its canonical bytes, and what the PIN page says of it."""

    kind: str = ""
    namespaces: dict[str, str] = field(default_factory=dict)
    digests: dict[str, bytes] = field(default_factory=dict)
    documents: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    numbers: tuple[str, str] = ("", "")  # of the first and the last document

    @property
    def sha256(self) -> str:
        return self.digests["sha256"].hex()


class _Reader:
    """Collects kind, count and sums while the parser runs."""

    def __init__(self) -> None:
        self.message = Message()
        self._money: dict[str, str] = {}
        self._number = ""

    def on_end(self, path: list[Name], text: str) -> None:
        root, name = path[0], path[-1]
        if root[0] != CEB or root[1] not in KINDS:
            raise BadMessage("unknown root")
        if name[0] == DS:
            raise BadMessage("already signed")
        kind = KINDS[root[1]]
        self.message.kind = root[1]
        inner = tuple(local if space == CEB else "" for space, local in path[1:])
        if inner == (*kind.head, kind.number):
            self._note_number(text)
        if kind.money and inner[:-1] == kind.money and name[1] in (kind.amount, "currency"):
            if name[1] in self._money:
                raise BadMessage(f"{name[1]} twice")
            self._money[name[1]] = text
        elif inner in kind.paths:
            if inner == kind.money:
                self._add(kind)
            if inner == kind.head:
                self._count()
        elif name[1] in kind.names:
            raise BadMessage("head elsewhere")

    def _note_number(self, text: str) -> None:
        if self._number or len(text) > LONGEST_NUMBER:
            raise BadMessage("number twice or too long")
        self._number = text

    def _count(self) -> None:
        if not self._number:
            raise BadMessage("no number")
        self.message.numbers = (self.message.numbers[0] or self._number, self._number)
        self.message.documents += 1
        self._number = ""

    def _add(self, kind: Kind) -> None:
        amount, currency = self._money.get(kind.amount, ""), self._money.get("currency", "")
        if not AMOUNT.match(amount) or not CURRENCY.match(currency):
            raise BadMessage("amount or currency")
        self._money = {}
        self.message.sums[currency] = self.message.sums.get(currency, Decimal(0)) + Decimal(amount)


def parse_message(data: bytes) -> Message:
    """Parses one unsigned CEB message; raises BadMessage."""
    reader = _Reader()
    canonicalizer = Canonicalizer(reader.on_end)
    canonical = canonicalizer.run(data)
    message = reader.message
    message.namespaces = canonicalizer.namespaces
    if message.namespaces.get("ds", DS) != DS:
        raise BadMessage("prefix ds is taken")
    if not message.documents:
        raise BadMessage("no document")
    message.digests = {name: hashlib.new(name, canonical).digest() for name in ("sha256", "sha1", "sm3")}
    return message


def build_signed_info(message: Message, profile_name: str) -> bytes:
    """Returns the canonical SignedInfo bytes.

    Written directly in canonical form: namespace declarations of the root and ds in C14N order, no white space, start
    and end tag for empty elements. The portal builds the same bytes on its own.
    """
    profile = PROFILES[profile_name]
    value = base64.b64encode(message.digests[profile.hash_name]).decode()
    method = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    return (
        f"<ds:SignedInfo{declared_text({**message.namespaces, 'ds': DS})}>"
        f'<ds:CanonicalizationMethod Algorithm="{method}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{profile.signature_uri}"></ds:SignatureMethod>'
        '<ds:Reference URI=""><ds:Transforms>'
        f'<ds:Transform Algorithm="{DS}enveloped-signature"></ds:Transform>'
        f'</ds:Transforms><ds:DigestMethod Algorithm="{profile.digest_uri}"></ds:DigestMethod>'
        f"<ds:DigestValue>{value}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    ).encode()
