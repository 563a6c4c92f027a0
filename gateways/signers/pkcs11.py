"""加密机 through its vendor's PKCS#11 module (OASIS PKCS#11 2.40): a token for each company, its PIN is the 加签密码.

RSA only: the standard names no mechanism for SM2, and each vendor has its own. The module is told that one thread uses
it (C_Initialize without arguments), so one signer is open at a time in this process; the others wait.
"""

import hashlib
import threading
from contextlib import suppress

import pkcs11
from pkcs11 import Attribute, Mechanism, ObjectClass
from pkcs11 import exceptions as failures

from ..certificates import NotVerified, key_algorithm
from ..outcomes import NotLetIn, Unavailable

SHA1_PREFIX = bytes.fromhex("3021300906052b0e03021a05000414")  # DigestInfo of RFC 8017 9.2 up to the digest
WAIT = 60.0  # seconds for the signer before
WRONG = (
    *(failures.PinIncorrect, failures.PinLocked, failures.PinExpired, failures.PinInvalid, failures.PinLenRange),
    failures.NoSuchToken,
)
_one = threading.Lock()


class Pkcs11Signer:
    """`module`: path of the vendor's library; `token`: its label; `pin`. One C_Login, never repeated by itself: a token
    locks after a few wrong PINs. Uses the first certificate whose CKA_ID names a private RSA key."""

    profile = "rsa-sha1"

    def __init__(self, module: str, token: str, pin: str) -> None:
        if not _one.acquire(timeout=WAIT):
            raise Unavailable("another signer keeps the module")
        self._is_open, self._session = True, None
        try:
            library = pkcs11.lib(module)
            self._session = _log_in(library, token, pin)
            self._key, self.certificate = self._find()
        except BaseException as error:
            self.close()
            raise _said(error) from error

    def _find(self):
        certificates = {}
        for item in self._session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}):
            certificates[item[Attribute.ID]] = item[Attribute.VALUE]
        for key in self._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY}):
            der = certificates.get(key[Attribute.ID])
            with suppress(NotVerified):
                if der and key_algorithm(der) == "rsa":
                    return key, der
        raise Unavailable("no RSA key with its certificate")

    def sign(self, signed_info: bytes) -> bytes:
        """CKM_RSA_PKCS over the DigestInfo: the one RSA mechanism that every module has."""
        info = SHA1_PREFIX + hashlib.sha1(signed_info).digest()
        try:
            return self._key.sign(info, mechanism=Mechanism.RSA_PKCS)
        except failures.PKCS11Error as error:
            raise _said(error) from error

    def close(self) -> None:
        """Logs out; the next signer may open."""
        if not self._is_open:
            return
        self._is_open = False
        if self._session is not None:
            with suppress(failures.PKCS11Error):
                self._session.close()
        _one.release()


def _log_in(library, token: str, pin: str):
    """A refused C_Login leaves a session behind that has no name here; then the module is started afresh."""
    try:
        return library.get_token(token_label=token).open(user_pin=pin)
    except failures.PKCS11Error:
        with suppress(failures.PKCS11Error):
            library.reinitialize()
        raise


def _said(error: BaseException) -> BaseException:
    if isinstance(error, WRONG):
        return NotLetIn(type(error).__name__)
    if isinstance(error, failures.PKCS11Error | RuntimeError | OSError):
        return Unavailable(type(error).__name__)
    return error
