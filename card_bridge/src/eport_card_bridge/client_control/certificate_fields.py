"""What the client control reads of a certificate beyond the words on the bridge's own pages: RSA key and 单位ID."""

from dataclasses import dataclass

from ..certificate import VERSION, BadCertificate, CardCertificate, extension, items, read_certificate
from ..outcomes import Outcome, Stop

ORGANIZATION_CODE = bytes.fromhex("2b06010401a94364050b")  # 1.3.6.1.4.1.5315.100.5.11  组织机构代码
CREDIT_CODE = bytes.fromhex("2a811cd014040104")  # 1.2.156.10260.4.1.4  统一社会信用代码

LEAST_BITS, MOST_BITS, LARGEST_EXPONENT = 1024, 8192, 1 << 33  # other people's certificates are verified with, too


@dataclass(frozen=True)
class CertificateFields:
    """`modulus` and `exponent` of an RSA key, else 0; `company_id` (单位ID) is empty if the certificate has none."""

    words: CardCertificate
    modulus: int
    exponent: int
    company_id: str

    @property
    def algorithm(self) -> str:
        return self.words.algorithm

    @property
    def point(self) -> bytes:
        return self.words.point


def read_fields(der: bytes) -> CertificateFields:
    """Raises Stop for what is not an X.509 certificate with a key that cards have."""
    try:
        words = read_certificate(der)
        ((_, certificate),) = items(der)
        (_, to_be_signed), *_ = items(certificate)
        key, extensions = split(to_be_signed)
        modulus, exponent = rsa_numbers(key) if words.algorithm == "rsa" else (0, 0)
        company = extension(extensions, ORGANIZATION_CODE) or extension(extensions, CREDIT_CODE)
        return CertificateFields(words, modulus, exponent, company)
    except (BadCertificate, IndexError, ValueError) as error:
        raise Stop(Outcome.CONTROL_ARGUMENTS) from error


def split(to_be_signed: bytes) -> tuple[bytes, list[tuple[int, bytes]]]:
    """The key info of a TBSCertificate (RFC 5280 §4.1) and what follows it."""
    fields = [item for item in items(to_be_signed) if item[0] != VERSION]
    return fields[5][1], fields[6:]


def rsa_numbers(key_info: bytes) -> tuple[int, int]:
    _, (_, bits) = items(key_info)
    ((_, numbers),) = items(bits[1:])
    modulus, exponent = (int.from_bytes(value, "big") for _, value in items(numbers))
    if not LEAST_BITS <= modulus.bit_length() <= MOST_BITS or not 1 < exponent < LARGEST_EXPONENT:
        raise ValueError("RSA key")
    return modulus, exponent
