"""Tokens through a vendor's PKCS#11 module (OASIS PKCS#11 2.40): slots are readers, tokens are cards.

One C_Login for one PIN entry, logged out and closed at the end. Keys on a curve other than P-256 are not used: SM2 has no
mechanism that the modules share. A key that wants the PIN for each signature (CKA_ALWAYS_AUTHENTICATE) is not used either.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from .certificate import BadCertificate, CardCertificate, read_certificate
from .digest_info import SHA1_PREFIX, SHA256_PREFIX
from .outcomes import Outcome, Stop, wrong_pin

try:
    import pkcs11
    from pkcs11 import exceptions as refused
    from pkcs11.util.ec import encode_ecdsa_signature
except ImportError:  # the extra `pkcs11` is not installed: no module can be opened
    pkcs11 = None

T = TypeVar("T")
GOING_SECONDS = 1
LOOK_SECONDS = 0.5  # between two looks at the slots, so that a token taken out and put back is noticed
USED_KEYS = {("rsa", 256), ("ec", 32)}


class BadModule(ValueError):
    """The file is not a PKCS#11 module that can be used here; the text says why."""


class Pkcs11Module:
    """One module: the readers are its slots.

    The module is told that one thread uses it (C_Initialize without arguments), so `call` lets one thread in at a time,
    for one command each.
    """

    def __init__(self, path: str) -> None:
        if pkcs11 is None:
            raise BadModule("python-pkcs11 is not installed")
        try:
            self._library = pkcs11.lib(path)
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise BadModule(str(error)) from error
        self._one = threading.Lock()
        self._known: dict[int, Pkcs11Reader] = {}
        self._busy, self._is_used = 0, False
        self._closed = threading.Event()
        self.look()
        self._watch = threading.Thread(target=self._keep_looking, daemon=True)
        self._watch.start()

    def readers(self) -> list["Pkcs11Reader"]:
        self.look()
        readers = [reader for reader in self._known.values() if reader.is_there]
        if not readers:
            raise Stop(Outcome.NO_READER)
        return readers

    def close(self) -> None:
        self._closed.set()
        self._watch.join()
        with self._one, suppress(pkcs11.PKCS11Error):
            self._library.finalize()

    def call(self, command: Callable[..., T], *arguments: Any, **options: Any) -> T:
        with self._one:
            return command(*arguments, **options)

    def look(self) -> None:
        """Notes which slots there are and in which a token has come or gone. Not while a slow command runs: whoever
        wants to know then gets what was seen last."""
        if not self._one.acquire(timeout=LOOK_SECONDS):
            return
        try:
            slots = {slot.slot_id: slot for slot in self._library.get_slots()}
        except pkcs11.PKCS11Error:
            slots = {}
        finally:
            self._one.release()
        for slot_id, slot in slots.items():
            self._known.setdefault(slot_id, Pkcs11Reader(self, slot)).note(slot)
        for slot_id in self._known.keys() - slots.keys():
            self._known[slot_id].note(None)

    def _keep_looking(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            self.look()

    @contextmanager
    def work(self, with_pin: bool) -> Iterator[None]:
        """Work with one token; after a PIN the module is started afresh, as soon as no other token of it is in use.

        For some modules leave the PIN verified on the card after C_Logout (OpenSC does; C_Finalize resets the card), and
        a refused C_Login leaves a session that python-pkcs11 gives no name to.
        """
        with self._one:
            self._busy += 1
            self._is_used |= with_pin
        try:
            yield
        finally:
            with self._one:
                self._busy -= 1
                if self._is_used and not self._busy:
                    self._is_used = False
                    with suppress(pkcs11.PKCS11Error):
                        self._library.reinitialize()


class Pkcs11Reader:
    """One slot. A token without an initialisation counts as none (SoftHSM always shows one)."""

    def __init__(self, module: Pkcs11Module, slot: Any) -> None:
        self._module, self._slot = module, slot
        self.name = self.place = slot.slot_description.strip("\0 ")
        self.removable = bool(slot.flags & pkcs11.SlotFlag.REMOVABLE_DEVICE)
        self.lock = threading.Lock()
        self.is_there, self._has_token, self._counter = True, False, 0

    def note(self, slot: Any | None) -> None:
        """What the last look has seen of this slot; None: it is gone."""
        self.is_there = slot is not None
        has_token = slot is not None and bool(slot.flags & pkcs11.SlotFlag.TOKEN_PRESENT)
        if has_token != self._has_token:
            self._has_token, self._counter = has_token, self._counter + 1
        if slot is not None:
            self._slot = slot

    def presence(self) -> tuple[bool, int]:
        self._module.look()
        if not self._has_token:
            return False, self._counter
        try:
            token = self._module.call(self._slot.get_token)
        except pkcs11.PKCS11Error:
            return False, self._counter
        return bool(token.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED), self._counter

    @contextmanager
    def card(self, reset: bool = True) -> Iterator["Pkcs11Card"]:
        """The token with a session of its own, logged out at the end."""
        with self._module.work(reset):
            card = Pkcs11Card(self._module, self._slot)
            try:
                yield card
            finally:
                card.close()


class Pkcs11Card:
    """The token's first certificate of a card that may sign, and the private key with the same CKA_ID."""

    def __init__(self, module: Pkcs11Module, slot: Any) -> None:
        self._module, self._slot = module, slot
        self._sessions: list[Any] = []
        self._key: Any = None
        session = self._open_session()
        self._key_id, self.certificate_der, self.certificate = self._find_certificate(session)
        self.serial, self.algorithm = self.certificate.card_number, self.certificate.algorithm

    def close(self) -> None:
        """Logs out and closes; a token that is gone has done both itself."""
        self._key = None
        while self._sessions:
            with suppress(pkcs11.PKCS11Error):
                self._module.call(self._sessions.pop().close)

    def _call(self, command: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """One command; what it raises is said as an outcome."""
        try:
            return self._module.call(command, *arguments, **options)
        except pkcs11.PKCS11Error as error:
            raise self._trouble(error) from error

    def _trouble(self, error: Exception, otherwise: Outcome = Outcome.STOPPED) -> Stop:
        if isinstance(error, GONE) or self._is_going():
            return Stop(Outcome.REMOVED)
        return Stop(Outcome.CARD_RESET if isinstance(error, refused.UserNotLoggedIn) else otherwise)

    def _is_going(self) -> bool:
        """Whether the token goes about now: some modules call a pulled card a general error, and see it gone later."""
        end = time.monotonic() + GOING_SECONDS
        while time.monotonic() < end:
            try:
                self._module.call(self._slot.get_token)
            except pkcs11.PKCS11Error:
                return True
            time.sleep(GOING_SECONDS / 10)
        return False

    def _open_session(self, **options: Any) -> Any:
        token = self._call(self._slot.get_token)
        session = self._call(token.open, **options)
        self._sessions.append(session)
        return session

    def _find_certificate(self, session: Any) -> tuple[bytes, bytes, CardCertificate]:
        """(CKA_ID, DER, what it says)."""
        found = []
        for item in self._objects(session, pkcs11.ObjectClass.CERTIFICATE):
            key_id, der = (self._read(item, name) for name in (pkcs11.Attribute.ID, pkcs11.Attribute.VALUE))
            with suppress(BadCertificate):
                certificate = read_certificate(der)
                is_used = (certificate.algorithm, certificate.key_bytes) in USED_KEYS
                if is_used and certificate.may_sign and certificate.card_number:
                    found.append((key_id, der, certificate))
        if not found:
            raise Stop(Outcome.UNKNOWN_CARD)
        return min(found, key=lambda each: each[0])

    def _objects(self, session: Any, kind: Any, key_id: bytes | None = None) -> list[Any]:
        wanted = {pkcs11.Attribute.CLASS: kind} | ({} if key_id is None else {pkcs11.Attribute.ID: key_id})
        return self._call(lambda: list(session.get_objects(wanted)))

    def _read(self, item: Any, name: Any) -> bytes:
        """An attribute; empty if the object has none of that name."""
        try:
            return self._module.call(item.__getitem__, name)
        except refused.AttributeTypeInvalid:
            return b""
        except pkcs11.PKCS11Error as error:
            raise self._trouble(error) from error

    def _flags(self) -> Any:
        return self._call(self._slot.get_token).flags

    def tries_left(self) -> int | None:
        """Tokens tell no number: only that none is left, or one."""
        flags = self._flags()
        if flags & pkcs11.TokenFlag.USER_PIN_LOCKED:
            return 0
        return 1 if flags & pkcs11.TokenFlag.USER_PIN_FINAL_TRY else None

    def verify_pin(self, pin: str) -> None:
        """C_Login, once. Then the private key, which most tokens show only now."""
        before = self._flags()
        token = self._call(self._slot.get_token)
        try:
            session = self._module.call(token.open, user_pin=pin)
        except pkcs11.PKCS11Error as error:
            raise self._refusal(error, before, Outcome.PIN_UNCLEAR) from error
        self._sessions.append(session)
        keys = self._objects(session, pkcs11.ObjectClass.PRIVATE_KEY, self._key_id)
        if len(keys) != 1 or not hasattr(keys[0], "sign"):
            raise Stop(Outcome.UNKNOWN_CARD)
        self._key = keys[0]

    def change_pin(self, old: str, new: str) -> None:
        """C_SetPIN, once."""
        before = self._flags()
        session = self._open_session(rw=True)
        try:
            self._module.call(session.set_pin, old, new)
        except (refused.PinInvalid, refused.PinLenRange, refused.PinTooWeak) as error:
            raise Stop(Outcome.NEW_PIN_REFUSED) from error
        except pkcs11.PKCS11Error as error:
            raise self._refusal(error, before, Outcome.PIN_UNSURE) from error

    def _refusal(self, error: Exception, before: Any, unclear: Outcome) -> Stop:
        """What came of a PIN that the module did not take. Some modules say CKR_GENERAL_ERROR for a wrong PIN: it is one
        only if the token's own flags say so now and did not before; otherwise nothing is known."""
        is_login = unclear is Outcome.PIN_UNCLEAR
        if is_login and isinstance(error, GONE):
            return Stop(Outcome.REMOVED)
        try:
            now = self._flags()
        except Stop as stop:
            return stop if is_login else Stop(unclear)
        if isinstance(error, refused.PinLocked) or now & pkcs11.TokenFlag.USER_PIN_LOCKED:
            return Stop(Outcome.PIN_BLOCKED, 0)
        told = now & ~before & (pkcs11.TokenFlag.USER_PIN_COUNT_LOW | pkcs11.TokenFlag.USER_PIN_FINAL_TRY)
        if isinstance(error, refused.PinIncorrect) or told:
            is_last = now & pkcs11.TokenFlag.USER_PIN_FINAL_TRY
            return wrong_pin(1) if is_last else Stop(Outcome.PIN_WRONG_UNTOLD)
        return Stop(Outcome.REMOVED if is_login and self._is_going() else unclear)

    def unlock_tries_left(self) -> None:
        """C_InitPIN wants the security officer's PIN: that is no unlock code, and wrong ones can destroy a token."""
        raise Stop(Outcome.UNLOCK_NOT_HERE)

    def unlock(self, code: str, new: str) -> None:
        raise Stop(Outcome.UNLOCK_NOT_HERE)

    def sign_statement(self, statement: bytes) -> tuple[str, bytes]:
        digest = hashlib.sha256(statement).digest()
        if self.algorithm == "ec":
            signature = self._call(self._key.sign, digest, mechanism=pkcs11.Mechanism.ECDSA)
            return "ecdsa-sha256", encode_ecdsa_signature(signature)
        return "rsa-sha256", self._sign_rsa(SHA256_PREFIX + digest)

    def sign_message(self, signed_info: bytes) -> bytes:
        """RSA-SHA1; the customs have no profile for P-256."""
        return self.sign_digest(hashlib.sha1(signed_info).digest())

    def sign_digest(self, sha1: bytes) -> bytes:
        if self.algorithm != "rsa":
            raise Stop(Outcome.ALGORITHM)
        return self._sign_rsa(SHA1_PREFIX + sha1)

    def _sign_rsa(self, info: bytes) -> bytes:
        """CKM_RSA_PKCS over the DigestInfo: the one RSA mechanism that every token has."""
        return self._call(self._key.sign, info, mechanism=pkcs11.Mechanism.RSA_PKCS)


GONE: tuple[type[Exception], ...] = ()
if pkcs11 is not None:
    GONE = (
        *(refused.DeviceRemoved, refused.TokenNotPresent, refused.SessionHandleInvalid, refused.SessionClosed),
        *(refused.SlotIDInvalid, refused.ObjectHandleInvalid, refused.KeyHandleInvalid),
    )
