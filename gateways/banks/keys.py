"""Our two keys and the banks' certificates, read when they are needed so that a new one counts at once."""

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from ..certificates import NotVerified, verify_signature
from ..outcomes import Unavailable
from .port import NotGenuine

OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


class BankKeys:
    """`folder`: `signing.key` signs our requests, `opening.key` opens what is sealed for us, `<slug>.pem` is a bank's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sign(self, data: bytes) -> bytes:
        """RSA PKCS#1 v1.5 with SHA-256. Raises Unavailable where the key is missing."""
        try:
            return self._private_key("signing.key").sign(data, padding.PKCS1v15(), hashes.SHA256())
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise Unavailable(f"signing.key: {type(error).__name__}") from error

    def open(self, sealed: bytes) -> bytes:
        """What the bank encrypted for us (RSA-OAEP, SHA-256). Raises NotGenuine."""
        try:
            return self._private_key("opening.key").decrypt(sealed, OAEP)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise NotGenuine("form", "sealed for somebody else") from error

    def check_signature(self, slug: str, data: bytes, signature: bytes, now: datetime) -> None:
        """By the certificate that this bank handed over, while it is valid. Raises NotGenuine."""
        try:
            certificate = x509.load_pem_x509_certificate((self._folder / f"{slug}.pem").read_bytes())
        except (OSError, ValueError) as error:
            raise NotGenuine("certificate", f"{slug}.pem: {type(error).__name__}") from error
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise NotGenuine("certificate", f"{slug}.pem is not valid now")
        try:
            verify_signature(certificate.public_bytes(Encoding.DER), "rsa-sha256", signature, data)
        except NotVerified as error:
            raise NotGenuine("signature", str(error)) from error

    def _private_key(self, name: str) -> rsa.RSAPrivateKey:
        key = serialization.load_pem_private_key((self._folder / name).read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < 2048:
            raise ValueError("not an RSA key of 2048 bits or more")
        return key
