"""Virtual UKEYs: key, certificate and PIN with its tries, kept in the sandbox's store."""

import base64
import datetime
import secrets

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox import seed
from sandbox.banks.dialects import BANKS
from sandbox.banks.keys import BankKeys
from sandbox.store import Store

TRIES = 6


class NotIssued(Exception):
    """The bank refuses; the text says what to mend."""


class WrongPin(Exception):
    """`left`: how often it may be tried again; 0: the UKEY is blocked."""

    def __init__(self, left: int):
        super().__init__(left)
        self.left = left


class Ukeys:
    """What is in the store under ("ukey", number)."""

    def __init__(self, store: Store, keys: BankKeys):
        self._store, self._keys = store, keys

    def seed(self) -> None:
        for order in seed.ukeys():
            self.issue(**order)

    def issue(
        self, *, bank: str, company: str, uscc: str, owner: str, owner_id: str, valid_from: str, valid_to: str,
        number: str = "", label: str = "", pin: str = "66668888", tries: int = TRIES,
    ) -> dict:  # fmt: skip
        """Makes a UKEY; dates are ISO, both included; no `owner`: the bank never wrote it down. Raises NotIssued."""
        if bank not in BANKS or not company.strip() or len(uscc) != 18:
            raise NotIssued("请填写户名和18位统一社会信用代码")
        if bool(owner.strip()) != bool(owner_id.strip()) or len(f"{owner}\n{owner_id}".encode()) > 190:
            raise NotIssued("使用人的姓名和证件号码要么都填，要么都空着，也不能太长")
        try:
            first, last = datetime.date.fromisoformat(valid_from), datetime.date.fromisoformat(valid_to)
        except ValueError as error:
            raise NotIssued("有效期应写成2026-01-31的样子") from error
        number = number or f"{bank.upper()}{secrets.randbelow(10**8):08}"
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        certificate = self._keys.issue(bank, key.public_key(), number, first, last)
        ukey = {
            "number": number, "label": label or f"{company}的{BANKS[bank].ukey}", "bank": bank, "company": company.strip(),
            "uscc": uscc, "org_code": uscc[8:17], "owner": owner.strip(), "owner_id": owner_id.strip(), "pin": pin,
            "tries": tries, "valid_from": valid_from, "valid_to": valid_to, "key": pem.decode(),
            "certificate": base64.b64encode(certificate).decode(),
        }  # fmt: skip
        self._store.put("ukey", number, ukey)
        return self.find(bank, number)

    def find(self, bank: str, number: str) -> dict | None:
        """Without its key; only of this bank."""
        ukey = self._store.find("ukey", number)
        if ukey is None or ukey["bank"] != bank:
            return None
        return {key: value for key, value in ukey.items() if key != "key"}

    def of(self, bank: str) -> list[dict]:
        return [self.find(bank, ukey["number"]) for ukey in self._store.all("ukey") if ukey["bank"] == bank]

    def change(self, bank: str, number: str, *, tries: int, pin: str) -> dict:
        """Sets tries left (0 = blocked) and PIN, as no real UKEY would let you. Raises NotIssued."""
        ukey = self._store.find("ukey", number)
        if ukey is None or ukey["bank"] != bank or not 0 <= tries <= TRIES or not 4 <= len(pin) <= 16:
            raise NotIssued(f"没有这个Ukey，或剩余次数不在0到{TRIES}之间，或密码不是4到16位")
        self._put(ukey | {"tries": tries, "pin": pin})
        return self.find(bank, number)

    def sign(self, number: str, pin: str, data: bytes) -> bytes:
        """The UKEY's own work. Raises WrongPin; a wrong PIN costs a try, a right one gives them back."""
        with self._store.transaction():
            ukey = self._store.find("ukey", number)
            is_right = ukey["tries"] > 0 and secrets.compare_digest(pin.encode(), ukey["pin"].encode())
            ukey["tries"] = TRIES if is_right else max(0, ukey["tries"] - 1)
            self._put(ukey)
        if not is_right:
            raise WrongPin(ukey["tries"])
        key = serialization.load_pem_private_key(ukey["key"].encode(), None)
        return key.sign(data, ec.ECDSA(hashes.SHA256()))

    def is_signed(self, ukey: dict, data: bytes, signature: bytes) -> bool:
        """The bank's work: its own certificate issued this one, whose key signed `data`."""
        certificate = x509.load_der_x509_certificate(base64.b64decode(ukey["certificate"]))
        try:
            certificate.verify_directly_issued_by(self._keys.certificate(ukey["bank"]))
            certificate.public_key().verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    def is_expired(self, ukey: dict, now: datetime.datetime) -> bool:
        certificate = x509.load_der_x509_certificate(base64.b64decode(ukey["certificate"]))
        return not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc

    def _put(self, ukey: dict) -> None:
        self._store.put("ukey", ukey["number"], {key: value for key, value in ukey.items() if key != "revision"})
