"""The kinds of cards that test_bridge_matrix.py does errands with: behind pcscd, behind OpenSC, and in SoftHSM2.

One medium serves all its cells; `renew` brings it back to how it came from the card centre.
"""

import base64
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bridge_stage import PIN, wait_until
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from eport_card_bridge.outcomes import Outcome, wrong_pin
from eport_card_bridge.pcsc import PcscReaders
from smartcard import scard

from sandbox.card.state import change_state, new_card, put_certificate, read_state

ROOT = Path(__file__).parents[2]
SLOT = "Virtual PCD 00 00"
GOOD, EXPIRED = (-1, 365), (-9, -1)  # days from today
ASK_PIN = {"eport": "00200081", "piv": "00200080"}  # an empty VERIFY: 9000 if a PIN is there
OPENSC = "opensc-pkcs11.so"
SOFTHSM = next(
    (path for path in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so") if Path(path).exists()),
    "",
)


class InReader:
    """A virtual card in slot 0 of a real pcscd, read through PC/SC; pulled = its program killed.

    `wrong` and `left` are what is said of the first wrong PIN, `gone` of a card that is not there, `torn` of one that is
    pulled while it signs.
    """

    wrong, left, gone, torn = wrong_pin(5).outcome, 5, Outcome.NO_CARD, Outcome.REMOVED

    def __init__(self, profile: str, algorithm: str, number: str, statement: str) -> None:
        self.profile, self.algorithm, self.number, self.statement = profile, algorithm, number, statement

    @property
    def signs_messages(self) -> bool:
        return self.algorithm != "ec"

    def make(self, authority, folder: Path, port: int) -> None:
        self._port, self._state = port, folder / "card.json"
        key = new_card(self._state, self.algorithm, self.number, profile=self.profile)
        self._good, self._old = (authority.issue(self.algorithm, key, self.number, days) for days in (GOOD, EXPIRED))
        self._program: subprocess.Popen | None = None
        self.source = self._readers = PcscReaders(SLOT)

    def readers(self) -> list:
        """As the bridge's sources have it."""
        return self.source.readers()

    def renew(self) -> None:
        self._put(self._good)
        change_state(self._state, pin=PIN, tries=6, delay_ms=0)
        if self._program is None:
            self.insert()
        _transmit(b"\0\0\0\0", scard.SCARD_RESET_CARD)

    def block(self) -> None:
        change_state(self._state, tries=0)
        _transmit(b"\0\0\0\0", scard.SCARD_RESET_CARD)

    def expire(self) -> None:
        self._put(self._old)
        _transmit(b"\0\0\0\0", scard.SCARD_RESET_CARD)

    def _put(self, certificate: bytes) -> None:
        put_certificate(self._state, certificate)

    def slow_down(self) -> None:
        """A tenth of a second for each signature: time to pull the card."""
        change_state(self._state, delay_ms=100)

    def insert(self) -> None:
        command = [sys.executable, "-m", "sandbox.card", "--state", str(self._state), "--port", str(self._port)]
        self._program = subprocess.Popen(command, cwd=ROOT)
        wait_until(self._is_in)

    def pull(self) -> None:
        self._program.kill()
        self._program.wait(5)
        self._program = None
        wait_until(lambda: not self._is_in())
        time.sleep(0.5)  # vpcd looks every 0.4 s; a card that is back sooner than the next look may be thrown out again

    def _is_in(self) -> bool:
        return self._readers.readers()[0].presence()[0]

    def close(self) -> None:
        if self._program:
            self.pull()

    def holds(self, pin: str) -> bool:
        return read_state(self._state)["pin"] == pin

    def has_tries(self, count: int) -> bool:
        return read_state(self._state)["tries"] == count

    def has_pin_left(self) -> bool:
        """Whether the next program that comes along finds the PIN verified: bare pyscard, as such a program would ask."""
        answer = _transmit(bytes.fromhex(ASK_PIN[self.profile]))
        assert answer.hex() in ("9000", "6985", "6983", *(f"63c{left}" for left in range(7)))
        return answer == b"\x90\x00"


class BehindOpenSc(InReader):
    """The virtual PIV card again, through OpenSC's PKCS#11 module."""

    wrong, left = Outcome.PIN_WRONG_UNTOLD, None

    def make(self, authority, folder: Path, port: int) -> None:
        super().make(authority, folder, port)
        self.source = open_module(OPENSC)

    def _put(self, certificate: bytes) -> None:
        """OpenSC remembers a certificate for as long as the card is in."""
        is_another = read_state(self._state)["certificate"] != base64.b64encode(certificate).decode()
        if is_another and self._program:
            self.pull()
        super()._put(certificate)
        if not self._program:
            self.insert()

    def close(self) -> None:
        self.source.close()
        super().close()


class InSoftHsm:
    """An RSA token of SoftHSM2, which knows no tries; pulled = its files deleted, and it does not come back."""

    wrong, left, gone = Outcome.PIN_WRONG_UNTOLD, None, Outcome.NO_CARD
    algorithm, signs_messages = "rsa", True

    def __init__(self, number: str, statement: str) -> None:
        self.number, self.statement, self.source = number, statement, None
        self._environment = pytest.MonkeyPatch()

    def make(self, authority, folder: Path, port: int) -> None:
        if not SOFTHSM or not shutil.which("softhsm2-util"):
            pytest.skip("softhsm2 is not installed")
        self._folder, self._tokens = folder, folder / "tokens"
        (folder / "softhsm2.conf").write_text(f"directories.tokendir = {self._tokens}\nslots.removable = true\n")
        self._environment.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        for name, days in (("good", GOOD), ("old", EXPIRED)):
            self._make_token(authority, days)
            self._tokens.rename(folder / name)

    def _make_token(self, authority, days: tuple[int, int]) -> None:
        import pkcs11

        self._tokens.mkdir()
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self._folder / "key.pem").write_bytes(pem)
        self._util("--init-token", "--free", "--so-pin", "87654321")
        self._util("--import", str(self._folder / "key.pem"), "--id", "01")
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        certificate = {
            pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
            pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
            pkcs11.Attribute.TOKEN: True,
            pkcs11.Attribute.ID: b"\1",
            pkcs11.Attribute.SUBJECT: b"",
            pkcs11.Attribute.VALUE: authority.issue("rsa", public, self.number, days),
        }
        library = pkcs11.lib(SOFTHSM)
        library.reinitialize()
        with library.get_token(token_label="card").open(rw=True, user_pin=PIN) as session:
            session.create_object(certificate)
        library.finalize()

    def _util(self, *options: str) -> None:
        command = ["softhsm2-util", "--token" if "--import" in options else "--label", "card", "--pin", PIN, *options]
        command += ["--label", "key"] if "--import" in options else []
        subprocess.run(command, check=True, capture_output=True)

    def readers(self) -> list:
        return self.source.readers()

    def renew(self, name: str = "good") -> None:
        """The files as they were; the module reads them when it is opened."""
        if self.source:
            self.source.close()
        shutil.rmtree(self._tokens, ignore_errors=True)
        shutil.copytree(self._folder / name, self._tokens)
        self.source = open_module(SOFTHSM)

    def expire(self) -> None:
        self.renew("old")

    def pull(self) -> None:
        shutil.rmtree(self._tokens)

    def close(self) -> None:
        if self.source:
            self.source.close()
        self._environment.undo()

    def holds(self, pin: str) -> bool:
        import pkcs11

        try:
            self.source.call(self._token().open, user_pin=pin).close()
        except pkcs11.exceptions.PinIncorrect:
            return False
        return True

    def has_tries(self, count: int) -> bool:
        """It counts none."""
        return True

    def has_pin_left(self) -> bool:
        """Whether a new session of this process sees the private key."""
        import pkcs11

        with self.source.call(self._token().open) as session:
            wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
            return bool(self.source.call(lambda: list(session.get_objects(wanted))))

    def _token(self):
        import pkcs11

        return self.source.call(pkcs11.lib(SOFTHSM).get_token, token_label="card")


def open_module(path: str):
    """A PKCS#11 module as the bridge opens it; skips where it cannot be."""
    modules = pytest.importorskip("eport_card_bridge.pkcs11")
    try:
        return modules.Pkcs11Module(path)
    except modules.BadModule as error:
        pytest.skip(f"{path}: {error}")


def _transmit(command: bytes, disposition: int = scard.SCARD_LEAVE_CARD) -> bytes:
    """One command of another program, which then leaves the card as it is, or resets it."""
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _, card, _ = scard.SCardConnect(context, SLOT, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T1)
    _, answer = scard.SCardTransmit(card, scard.SCARD_PCI_T1, list(command))
    scard.SCardDisconnect(card, disposition)
    scard.SCardReleaseContext(context)
    return bytes(answer)
