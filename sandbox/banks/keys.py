"""The keys between banks and portal: each bank's own, and those that the portal's operator would make."""

import datetime
import threading
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

WARNING = b"SANDBOX: not for production\n"  # text before the PEM block; the portal refuses the file by it
YEARS = datetime.timedelta(365 * 30)
CHINA = datetime.timezone(datetime.timedelta(hours=8))
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
PORTAL = ("signing", "opening")  # the portal's: signs its requests, opens what is sealed for it


class BankKeys:
    """`folder/<bank>.pem` for the portal with the key in `folder/private/`; `folder/{signing,opening}.{key,pub}`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._keys = folder / "private"
        self._lock = threading.Lock()

    def ensure(self, banks) -> None:
        """Makes what is missing; all of it survives a reset, because portal and banks trust it."""
        with self._lock:
            self._keys.mkdir(parents=True, exist_ok=True, mode=0o700)
            for slug in banks:
                if not (self.folder / f"{slug}.pem").exists():
                    self._make_bank(slug)
            for name in PORTAL:
                if not (self.folder / f"{name}.pub").exists():
                    self._make_pair(name)

    def _make_bank(self, slug: str) -> None:
        key, now = _new_key(), datetime.datetime.now(datetime.UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"SANDBOX bank {slug}")])
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - YEARS / 3)
            .not_valid_after(now + YEARS)
            .add_extension(x509.BasicConstraints(True, 0), True)
            .sign(key, hashes.SHA256())
        )
        (self._keys / f"{slug}.key").write_bytes(_pem(key))
        (self.folder / f"{slug}.pem").write_bytes(WARNING + certificate.public_bytes(serialization.Encoding.PEM))

    def _make_pair(self, name: str) -> None:
        key = _new_key()
        (self.folder / f"{name}.key").write_bytes(WARNING + _pem(key))
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (self.folder / f"{name}.pub").write_bytes(public)

    # -- what a bank does with them

    def is_of_portal(self, data: bytes, signature: bytes) -> bool:
        try:
            self._public("signing").verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def seal(self, data: bytes) -> bytes:
        """For the portal's eyes only; at most 190 bytes."""
        return self._public("opening").encrypt(data, OAEP)

    def sign(self, slug: str, data: bytes) -> bytes:
        return self._private(slug).sign(data, padding.PKCS1v15(), hashes.SHA256())

    def issue(self, slug: str, public_key: ec.EllipticCurvePublicKey, number: str, first, last) -> bytes:
        """The certificate (DER) of a UKEY, from the start of `first` to the end of `last` (dates)."""
        issuer = self.certificate(slug)
        midnight, evening = (datetime.time(*clock, tzinfo=CHINA) for clock in ((0, 0), (23, 59, 59)))
        subject = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, number)])
        builder = (
            x509.CertificateBuilder(issuer.subject, subject, public_key, x509.random_serial_number())
            .not_valid_before(datetime.datetime.combine(first, midnight))
            .not_valid_after(datetime.datetime.combine(last, evening))
        )
        certificate = builder.sign(self._private(slug), hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.DER)

    def certificate(self, slug: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / f"{slug}.pem").read_bytes())

    def _private(self, slug: str) -> rsa.RSAPrivateKey:
        return serialization.load_pem_private_key((self._keys / f"{slug}.key").read_bytes(), None)

    def _public(self, name: str) -> rsa.RSAPublicKey:
        return serialization.load_pem_public_key((self.folder / f"{name}.pub").read_bytes())


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
