"""中国建设银行: form fields in capitals, the signature over all of them sorted by name; Beijing time in 14 digits."""

from datetime import datetime

from .port import NotGenuine
from .signed import CHINA, SignedBank, decoded, encoded, in_utc, sorted_pairs


class ConstructionBank(SignedBank):
    slug = "ccb"
    request_names = {
        "kind": "TXCODE", "bank": "BANKID", "number": "ORDERID", "nonce": "NONCE", "origin": "MERCHANT",
        "return_url": "RETURL", "company": "ENTNAME", "uscc": "USCC", "org_code": "ORGCODE", "expires": "TIMEOUT",
    }  # fmt: skip
    answer_names = {
        "kind": "TXCODE", "bank": "BANKID", "number": "ORDERID", "nonce": "NONCE", "result": "RESULT", "reason": "REASON",
        "company": "ENTNAME", "uscc": "USCC", "org_code": "ORGCODE", "owner": "OPERATOR", "at": "TXTIME",
    }  # fmt: skip

    def write_time(self, moment: datetime) -> str:
        return f"{moment.astimezone(CHINA):%Y%m%d%H%M%S}"

    def read_time(self, text: str) -> datetime:
        return in_utc(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=CHINA))

    def pack(self, named: dict[str, str]) -> dict[str, str]:
        return named | {"SIGN": encoded(self._keys.sign(sorted_pairs(named)))}

    def unpack(self, pairs: dict[str, str], now: datetime) -> dict[str, str]:
        if "SIGN" not in pairs:
            raise NotGenuine("form", "unsigned")
        named = {name: value for name, value in pairs.items() if name != "SIGN"}
        self._keys.check_signature(self.slug, sorted_pairs(named), decoded(pairs["SIGN"]), now)
        return named
