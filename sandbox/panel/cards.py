"""The cards that were issued, and the one that lies in the reader."""

import base64
import datetime
import secrets
import subprocess
import sys
import threading
from pathlib import Path

from sandbox import seed
from sandbox.card import state
from sandbox.panel.authority import CardAuthority, Holder
from sandbox.store import Store

KINDS = {"01": "法人卡", "02": "操作员卡"}
ALGORITHMS = {"rsa": "RSA", "sm2": "SM2", "ec": "P-256"}
PROFILES = {"IC卡": "eport", "Ikey": "eport", "PIV卡": "piv"}  # medium: commands of the card (sandbox/card)
KEPT_ON_CARD = ("pin", "tries", "max_tries", "unlock_code", "unlock_tries", "max_unlock_tries", "delay_ms")
SPEEDS = {0: "最快", 300: "每分钟200次（Ikey）", 5000: "每分钟12次（IC卡）"}
PROJECT = Path(__file__).parents[2]


class NotIssued(Exception):
    """The card centre refuses; the text says what to mend."""


class NoSuchCard(Exception):
    """Nobody was issued a card of this number."""


class Cards:
    """Card files lie in `folder/<number>.json` (sandbox/card), what the panel knows about them in the store."""

    def __init__(self, folder: Path, store: Store, authority: CardAuthority, vpcd_port: int):
        self.folder, self._store, self._authority, self._port = folder, store, authority, vpcd_port
        self._reader: subprocess.Popen | None = None
        self._inserted = ""
        self._lock = threading.RLock()

    def seed(self) -> None:
        """Takes every card away and issues those of seed.toml."""
        self.eject()
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob("*.json"):
            path.unlink()
        for order in seed.cards():
            self.issue(**order)

    def issue(
        self, *, algorithm: str, kind: str, company: str, uscc: str, holder: str, id_number: str, valid_from: str,
        valid_to: str, delay_ms: int = 0, number: str = "", label: str = "", medium: str = "IC卡",
        pin: str = "88888888", tries: int = 6, tries_left: int | None = None,
    ) -> dict:  # fmt: skip
        """Makes a card; dates are ISO, both included. Raises NotIssued."""
        number = number or f"86{secrets.randbelow(10**11):011}"
        if medium not in PROFILES or kind not in KINDS:
            raise NotIssued("请选择介质（IC卡、Ikey或PIV卡）和卡类型（法人卡或操作员卡）")
        profile = PROFILES[medium]
        if algorithm not in state.ALGORITHMS[profile]:
            choice = "或".join(ALGORITHMS[each] for each in state.ALGORITHMS[profile])
            raise NotIssued(f"{medium}的算法是{choice}")
        if not (company.strip() and len(uscc) == 18 and holder.strip() and id_number.strip()):
            raise NotIssued("请填写企业名称、18位统一社会信用代码、持卡人和证件号码")
        if not (len(number) == 13 and number.isdecimal()) or self._path(number).exists():
            raise NotIssued("卡号应为13位数字，且没有发过")
        try:
            first, last = datetime.date.fromisoformat(valid_from), datetime.date.fromisoformat(valid_to)
        except ValueError as error:
            raise NotIssued("有效期应写成2026-01-31的样子") from error
        if last < first:
            raise NotIssued("有效期的截止日早于起始日")
        _check_pin(pin, profile)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(number)
        public_key = state.new_card(path, algorithm, number, profile=profile, pin=pin, tries=tries, delay_ms=delay_ms)
        owner = Holder(number, kind, uscc, company.strip(), holder.strip(), id_number.strip())
        certificate = self._authority.issue(algorithm, public_key, owner, first, last)
        state.put_certificate(path, certificate)
        if tries_left is not None:
            state.change_state(path, tries=tries_left)
        card = {
            "number": number, "label": label or f"{holder}的{KINDS[kind]}", "kind": kind, "algorithm": algorithm,
            "medium": medium, "company": owner.company, "uscc": uscc, "holder": owner.name,
            "id_number": owner.id_number, "valid_from": valid_from, "valid_to": valid_to,
            "certificate": base64.b64encode(certificate).decode(),
        }  # fmt: skip
        self._store.put("card", number, card)
        return self.get(number)

    def get(self, number: str) -> dict:
        """The card with PIN and unlock code, their tries left, and whether it is in the reader. Raises NoSuchCard."""
        card = self._store.find("card", number)
        if card is None:
            raise NoSuchCard(number)
        kept = state.read_state(self._path(number))
        now = {key: kept[key] for key in KEPT_ON_CARD}
        expired = card["valid_to"] < datetime.date.today().isoformat()
        return card | now | {"inserted": self.inserted == number, "expired": expired}

    def list(self) -> list[dict]:
        return [self.get(card["number"]) for card in self._store.all("card")]

    def change(
        self, number: str, *, tries: int | None = None, pin: str | None = None, delay_ms: int | None = None,
        unlock_tries: int | None = None,
    ) -> dict:  # fmt: skip
        """Sets PIN, tries left (0 = blocked), tries of the unlock code or speed, as no real card would let you."""
        card = self.get(number)
        for left, most in ((tries, card["max_tries"]), (unlock_tries, card["max_unlock_tries"])):
            if left is not None and not 0 <= left <= most:
                raise NotIssued(f"剩余次数应在0到{most}之间")
        if pin is not None:
            _check_pin(pin, PROFILES[card["medium"]])
        wanted = {"tries": tries, "pin": pin, "delay_ms": delay_ms, "unlock_tries": unlock_tries}
        state.change_state(self._path(number), **{key: value for key, value in wanted.items() if value is not None})
        return self.get(number)

    def reset(self, number: str) -> dict:
        """All tries back, of the PIN and of the unlock code; PIN, code and key stay."""
        card = self.get(number)
        return self.change(number, tries=card["max_tries"], unlock_tries=card["max_unlock_tries"])

    def expire(self, number: str) -> dict:
        """Gives the card a certificate that ended yesterday; key and PIN stay."""
        card = self.get(number)
        path, yesterday = self._path(number), datetime.date.today() - datetime.timedelta(1)
        first = min(datetime.date.fromisoformat(card["valid_from"]), yesterday - datetime.timedelta(365))
        old = base64.b64decode(card["certificate"])
        owner = Holder(number, card["kind"], card["uscc"], card["company"], card["holder"], card["id_number"])
        certificate = self._authority.issue(card["algorithm"], public_key_of(old), owner, first, yesterday)
        state.put_certificate(path, certificate)
        changed = {"valid_from": first.isoformat(), "valid_to": yesterday.isoformat()}
        kept = {
            key: card[key]
            for key in ("number", "label", "kind", "algorithm", "medium", "company", "uscc", "holder", "id_number")
        }
        self._store.put("card", number, kept | changed | {"certificate": base64.b64encode(certificate).decode()})
        return self.get(number)

    # the reader

    @property
    def inserted(self) -> str:
        """The number of the card in the reader, or ''."""
        with self._lock:
            if self._reader is not None and self._reader.poll() is not None:
                self.eject()  # the reader went away
            return self._inserted

    def insert(self, number: str) -> None:
        """Takes out the card that is in, puts this one in. Raises NotIssued when there is no reader on the vpcd port."""
        self.get(number)
        with self._lock:
            self.eject()
            command = [
                sys.executable,
                "-m",
                "sandbox.card",
                "--state",
                str(self._path(number)),
                "--port",
                str(self._port),
            ]
            reader = subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE)
            try:
                _, complaint = reader.communicate(timeout=0.5)
            except subprocess.TimeoutExpired:
                self._reader, self._inserted = reader, number
                return
        raise NotIssued(f"插不进去：{self._port}端口上没有读卡器（{complaint.decode(errors='replace').strip()}）")

    def eject(self) -> None:
        with self._lock:
            if self._reader is not None:
                self._reader.terminate()
                self._reader.wait()
                self._reader.stderr.close()
            self._reader, self._inserted = None, ""

    def _path(self, number: str) -> Path:
        return self.folder / f"{number}.json"


def _check_pin(pin: str, profile: str) -> None:
    if profile == "piv" and not (6 <= len(pin) <= 8 and pin.isascii() and pin.isdigit()):
        raise NotIssued("PIV卡的PIN应为6至8位数字")
    if not (4 <= len(pin) <= 16 and pin.isascii() and pin.isprintable()):
        raise NotIssued("PIN应为4至16位数字或字母")


def public_key_of(certificate: bytes) -> bytes:
    """The certificate's public key as PEM, also for SM2, which the cryptography package does not read."""
    command = ["openssl", "x509", "-inform", "DER", "-noout", "-pubkey"]
    return subprocess.run(command, input=certificate, check=True, capture_output=True).stdout
