"""The two card authorities of the sandbox, RSA-2048 and SM2, and the certificates of cards (card-certificate.md).

The RSA authority also vouches for cards with a P-256 key."""

import datetime
import secrets
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DISTINGUISHING_ID = "distid:1234567812345678"
CHINA = datetime.timezone(datetime.timedelta(hours=8))
YEARS = datetime.timedelta(365 * 30)
WARNING = b"SANDBOX: not for production\n"  # text before the PEM block; the portal refuses the file by it
SM3_WITH_SM2 = bytes.fromhex("300a06082a811ccf55018375")  # AlgorithmIdentifier 1.2.156.10197.1.501
EXTENSIONS = {  # attribute of Holder: OID; values are DER UTF8String
    "uscc": "1.2.156.10260.4.1.4",
    "company": "1.3.6.1.4.1.5315.100.5.1",
    "kind": "1.3.6.1.4.1.5315.100.5.3",
    "id_number": "1.3.6.1.4.1.5315.100.5.8",
    "card_number": "1.3.6.1.4.1.5315.100.5.9",
    "org_code": "1.3.6.1.4.1.5315.100.5.11",
}


@dataclass(frozen=True)
class Holder:
    """What a card says about whom it belongs to. `kind`: 01 法人卡, 02 操作员卡."""

    card_number: str  # 13 digits
    kind: str
    uscc: str
    company: str
    name: str
    id_number: str

    @property
    def org_code(self) -> str:
        """组织机构代码: characters 9 to 17 of the USCC (GB 32100-2015)."""
        return self.uscc[8:17]


class CardAuthority:
    """Certificates for portal and customs in `ca/{rsa,sm2}.pem`, the private keys beside them in `ca/private/`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._keys = folder / "private"
        self._lock = threading.Lock()

    def ensure(self) -> None:
        """Makes the two authorities if they do not exist; they survive a reset, because others trust them."""
        with self._lock:
            self._keys.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (self.folder / "rsa.pem").exists():
                self._make_rsa()
            if not (self.folder / "sm2.pem").exists():
                self._make_sm2()

    def _make_rsa(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = _name({NameOID.COUNTRY_NAME: "CN", NameOID.COMMON_NAME: "SANDBOX RSA card authority"})
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - YEARS / 3)
            .not_valid_after(now + YEARS)
            .add_extension(x509.BasicConstraints(True, 0), True)
            .add_extension(_usage(authority=True), True)
            .sign(key, hashes.SHA256())
        )
        (self._keys / "rsa.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (self.folder / "rsa.pem").write_bytes(WARNING + certificate.public_bytes(serialization.Encoding.PEM))

    def _make_sm2(self) -> None:
        key = str(self._keys / "sm2.key")
        _openssl("ecparam", "-name", "SM2", "-genkey", "-noout", "-out", key)
        made = _openssl(
            "req", "-x509", "-new", "-key", key, "-sm3", "-sigopt", DISTINGUISHING_ID, "-days", str(YEARS.days),
            "-subj", "/C=CN/CN=SANDBOX SM2 card authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip
        (self.folder / "sm2.pem").write_bytes(WARNING + made)

    def issue(
        self, algorithm: str, public_key: bytes, holder: Holder, first: datetime.date, last: datetime.date
    ) -> bytes:
        """The card's certificate (DER) for `public_key` (PEM), valid from the start of `first` to the end of `last`.

        `algorithm` is that of the card's key: "rsa", "ec" (P-256) or "sm2".
        """
        rsa_key = serialization.load_pem_private_key((self._keys / "rsa.key").read_bytes(), None)
        if algorithm == "sm2":  # the cryptography package does not know the curve: sign a stand-in, then put it right
            key = ec.generate_private_key(ec.SECP256R1())
            subject_key = key.public_key()
        else:
            key, subject_key = rsa_key, serialization.load_pem_public_key(public_key)
        name = "sm2" if algorithm == "sm2" else "rsa"
        issuer = x509.load_pem_x509_certificate((self.folder / f"{name}.pem").read_bytes())
        midnight, evening = (datetime.time(*clock, tzinfo=CHINA) for clock in ((0, 0), (23, 59, 59)))
        builder = (
            x509.CertificateBuilder(issuer.subject, _subject(holder), subject_key, _serial())
            .not_valid_before(datetime.datetime.combine(first, midnight))
            .not_valid_after(datetime.datetime.combine(last, evening))
            .add_extension(x509.BasicConstraints(False, None), True)
            .add_extension(_usage(authority=False), True)
        )
        for attribute, oid in EXTENSIONS.items():
            value = _utf8_string(getattr(holder, attribute))
            builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), False)
        certificate = builder.sign(key, hashes.SHA256())
        if algorithm == "sm2":
            return self._sign_with_sm2(certificate.tbs_certificate_bytes, public_key)
        return certificate.public_bytes(serialization.Encoding.DER)

    def _sign_with_sm2(self, stand_in: bytes, public_key: bytes) -> bytes:
        """Puts the SM2 algorithm and key into TBSCertificate (RFC 5280 §4.1: fields 3 and 7) and signs it."""
        fields = _split(stand_in)
        fields[2], fields[6] = SM3_WITH_SM2, _openssl("pkey", "-pubin", "-outform", "DER", given=public_key)
        tbs = _der(0x30, b"".join(fields))
        signature = _openssl(
            "dgst", "-sm3", "-sigopt", DISTINGUISHING_ID, "-sign", str(self._keys / "sm2.key"), given=tbs
        )
        return _der(0x30, tbs + SM3_WITH_SM2 + _der(0x03, b"\0" + signature))


def _subject(holder: Holder) -> x509.Name:
    return _name(
        {
            NameOID.COUNTRY_NAME: "CN",
            NameOID.ORGANIZATION_NAME: holder.company,
            NameOID.COMMON_NAME: holder.name,
            NameOID.SERIAL_NUMBER: holder.card_number,
        }
    )


def _name(values: dict[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in values.items()])


def _usage(authority: bool) -> x509.KeyUsage:
    """digitalSignature and nonRepudiation for a card, keyCertSign and cRLSign for an authority."""
    card = not authority
    return x509.KeyUsage(card, card, False, False, False, authority, authority, False, False)


def _serial() -> int:
    """Like the real cards' (03000000000cde6f): 8 bytes that start with 03."""
    return 0x03 << 56 | secrets.randbits(48)


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def _utf8_string(text: str) -> bytes:
    return _der(0x0C, text.encode())


def _split(sequence: bytes) -> list[bytes]:
    """The encoded members of a DER SEQUENCE."""
    members, position = [], _header(sequence, 0)[0]
    while position < len(sequence):
        start, length = _header(sequence, position)
        members.append(sequence[position : start + length])
        position = start + length
    return members


def _header(data: bytes, position: int) -> tuple[int, int]:
    """Where the content starts, and its length."""
    length, start = data[position + 1], position + 2
    if length >= 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    return start, length


def _openssl(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, check=True, capture_output=True).stdout
