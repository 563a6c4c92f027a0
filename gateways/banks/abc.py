"""中国农业银行: an XML message in base64 and the signature over its very bytes; ISO 8601 times with offset."""

from datetime import datetime

from lxml import etree

from ..customs_dxp.hardened_xml import BadXml, parse
from .port import NotGenuine
from .signed import CHINA, SignedBank, decoded, encoded, in_utc, only


class AgriculturalBank(SignedBank):
    slug = "abc"
    request_names = {
        "kind": "FunctionID", "bank": "BankID", "number": "TrxID", "nonce": "Random", "origin": "MerchantOrigin",
        "return_url": "ResultNotifyURL", "company": "CorpName", "uscc": "CorpUSCC", "org_code": "CorpOrgCode",
        "expires": "ValidUntil",
    }  # fmt: skip
    answer_names = {
        "kind": "FunctionID", "bank": "BankID", "number": "TrxID", "nonce": "Random", "result": "ReturnCode",
        "reason": "ErrorReason", "company": "CorpName", "uscc": "CorpUSCC", "org_code": "CorpOrgCode",
        "owner": "OperatorSealed", "at": "HostTime",
    }  # fmt: skip

    def write_time(self, moment: datetime) -> str:
        return moment.astimezone(CHINA).isoformat(timespec="seconds")

    def read_time(self, text: str) -> datetime:
        return in_utc(datetime.fromisoformat(text))

    def pack(self, named: dict[str, str]) -> dict[str, str]:
        root = etree.Element("MSG")
        for name, value in named.items():
            etree.SubElement(root, name).text = value
        message = etree.tostring(root, encoding="UTF-8")
        return {"MSG": encoded(message), "Signature": encoded(self._keys.sign(message))}

    def unpack(self, pairs: dict[str, str], now: datetime) -> dict[str, str]:
        """Nothing is parsed before its signature holds, and then as if it did not."""
        message, signature = map(decoded, only(pairs, "MSG", "Signature"))
        self._keys.check_signature(self.slug, message, signature, now)
        try:
            root = parse(message)
        except BadXml as error:
            raise NotGenuine("form", str(error)) from error
        if root.tag != "MSG" or any(len(child) or child.attrib or not isinstance(child.tag, str) for child in root):
            raise NotGenuine("form", "another message")
        named = {child.tag: child.text or "" for child in root}
        if len(named) != len(root):
            raise NotGenuine("form", "an element twice")
        return named
