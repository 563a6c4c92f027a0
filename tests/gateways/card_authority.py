"""A throw-away card CA, and cards whose keys the tests hold."""

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from gateways import sm2

COMPANY, HOLDER, USCC = "梧桐跨境电子商务有限公司", "张三", "91130100MA0000001X"
TEXTS = {
    "1.2.156.10260.4.1.4": USCC,
    "1.3.6.1.4.1.5315.100.5.1": COMPANY,
    "1.3.6.1.4.1.5315.100.5.3": "02",
    "1.3.6.1.4.1.5315.100.5.8": "11010519491231002X",
    "1.3.6.1.4.1.5315.100.5.9": "8600000000017",
    "1.3.6.1.4.1.5315.100.5.11": "MA0000001",
}


@dataclass
class Card:
    """A card as the tests have it: certificate and key outside of any card."""

    algorithm: str
    profile: str
    der: bytes
    pem: bytes

    def sign(self, data: bytes, hash_name: str = "sha1") -> bytes:
        if self.algorithm == "sm2":
            return sm2.sign(self.pem, data)
        key = serialization.load_pem_private_key(self.pem, None)
        return key.sign(data, padding.PKCS1v15(), hashes.SHA1() if hash_name == "sha1" else hashes.SHA256())


def utf8_string(text: str) -> bytes:
    return b"\x0c" + bytes([len(text.encode())]) + text.encode()


class RsaPki:
    """An RSA card CA that issues what a test asks for."""

    def __init__(self, name: str = "TEST RSA CA") -> None:
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.card_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ca = self._build(self.name, self.key.public_key(), is_ca=True).sign(self.key, hashes.SHA256())

    def _build(self, subject, public_key, is_ca=False, days=(-1, 365), signs=True):
        now = datetime.datetime.now(datetime.UTC)
        usage = x509.KeyUsage(signs and not is_ca, signs and not is_ca, False, False, False, is_ca, is_ca, False, False)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days[0]))
            .not_valid_after(now + datetime.timedelta(days[1]))
            .add_extension(x509.BasicConstraints(is_ca, None), True)
            .add_extension(usage, True)
        )

    def card(self, *, days=(-1, 365), signs=True, texts=TEXTS, is_ca=False, key=None, raw=None) -> Card:
        pairs = [
            (NameOID.COUNTRY_NAME, "CN"),
            (NameOID.ORGANIZATION_NAME, COMPANY),
            (NameOID.COMMON_NAME, HOLDER),
            (NameOID.SERIAL_NUMBER, "8600000000017"),
        ]
        subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs])
        key = key or self.card_key
        builder = self._build(subject, key.public_key(), is_ca, days, signs)
        for oid, text in texts.items():
            value = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), utf8_string(text))
            builder = builder.add_extension(value, False)
        for oid, value in (raw or {}).items():
            builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), False)
        der = builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Card("rsa", "rsa-sha1", der, pem)
