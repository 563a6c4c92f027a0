"""Makes what the tests trust: card authorities, cards of every kind, and a TLS certificate."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from sandbox.card.state import new_card, put_certificate
from sandbox.panel.authority import CHINA, CardAuthority, Holder

COMPANY, HOLDER, USCC = "东方物通科技(北京)有限公司", "李明", "91110105MA00000000"
DAY = datetime.timedelta(1)


def name(**parts: str) -> x509.Name:
    oids = {
        "country": NameOID.COUNTRY_NAME,
        "company": NameOID.ORGANIZATION_NAME,
        "holder": NameOID.COMMON_NAME,
        "number": NameOID.SERIAL_NUMBER,
    }
    return x509.Name([x509.NameAttribute(oids[key], value) for key, value in parts.items()])


class Authority:
    """`folder` then holds root.pem, cert.pem and key.pem (TLS); cards are made by `card`.

    RSA cards are old ones, whose certificate does not name a type; all others are the sandbox's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._subject = name(holder="TEST RSA CA")
        self._root = self.certificate(self._subject, self._key.public_key(), is_ca=True)
        self._sandbox = CardAuthority(folder / "ca")
        self._sandbox.ensure()
        self._tls()
        self.rsa_card = self.card("rsa", "8600000000017")
        self.sm2_card = self.card("sm2", "8600000000024")

    def authorities(self) -> list[bytes]:
        """The certificates (DER) that a portal trusts."""
        own = [x509.load_pem_x509_certificate(path.read_bytes()) for path in self._sandbox.folder.glob("*.pem")]
        return [each.public_bytes(serialization.Encoding.DER) for each in (self._root, *own)]

    def certificate(self, subject: x509.Name, public, is_ca: bool = False, names=(), days=(-1, 365)):
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * DAY)
            .not_valid_after(now + days[1] * DAY)
            .add_extension(x509.BasicConstraints(is_ca, None), True)
            .add_extension(x509.KeyUsage(not is_ca, not is_ca, False, False, False, is_ca, is_ca, False, False), True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        return builder.sign(self._key, hashes.SHA256())

    def card(self, algorithm: str, number: str, days=(-1, 365), profile: str = "eport") -> Path:
        """Makes a card ("rsa", "sm2"; profile "piv": "rsa", "ec") and puts a certificate in; gives its state file."""
        path = self.folder / f"card-{number}.json"
        put_certificate(path, self.issue(algorithm, new_card(path, algorithm, number, profile=profile), number, days))
        return path

    def issue(self, algorithm: str, public_key: bytes, number: str, days=(-1, 365)) -> bytes:
        """A certificate (DER) for the key (PEM) of a card, valid from and until so many days from today."""
        if algorithm == "rsa":
            subject = name(country="CN", company=COMPANY, holder=HOLDER, number=number)
            certificate = self.certificate(subject, serialization.load_pem_public_key(public_key), days=days)
            return certificate.public_bytes(serialization.Encoding.DER)
        holder = Holder(number, "02", USCC, COMPANY, HOLDER, "130100189901010019")
        first, last = (datetime.datetime.now(CHINA).date() + day * DAY for day in days)
        return self._sandbox.issue(algorithm, public_key, holder, first, last)

    def _tls(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        names = [x509.DNSName(host) for host in ("portal.test", "evil.test")]
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        site = self.certificate(name(holder="portal.test"), key.public_key(), names=names)
        (self.folder / "root.pem").write_bytes(self._root.public_bytes(serialization.Encoding.PEM))
        (self.folder / "cert.pem").write_bytes(site.public_bytes(serialization.Encoding.PEM))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.folder / "key.pem").write_bytes(key.private_bytes(*form))


ORDER = (
    "<ceb:Order><ceb:OrderHead><ceb:guid>704ea0f1-b229-4e89-9f2f-{n:012d}</ceb:guid><ceb:appType>1</ceb:appType>"
    "<ceb:appTime>20260101120000</ceb:appTime><ceb:appStatus>2</ceb:appStatus><ceb:orderType>E</ceb:orderType>"
    "<ceb:orderNo>order-{n}</ceb:orderNo><ceb:ebpCode>1105910159</ceb:ebpCode><ceb:ebpName>物通 &amp; 科技</ceb:ebpName>"
    "<ceb:goodsValue>{value}</ceb:goodsValue><ceb:freight>0</ceb:freight><ceb:currency>142</ceb:currency>"
    "<ceb:note></ceb:note></ceb:OrderHead><ceb:OrderList><ceb:gnum>1</ceb:gnum><ceb:currency>142</ceb:currency>"
    "<ceb:totalPrice>{value}</ceb:totalPrice></ceb:OrderList></ceb:Order>"
)
MESSAGE = (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n<ceb:CEB303Message version="1.0" '
    'xmlns:ceb="http://www.chinaport.gov.cn/ceb"{xsi} guid="311af125-6fed-4603-8c5d-{n:012d}">\r\n{orders}'
    "<ceb:BaseTransfer><ceb:copCode>1105910159</ceb:copCode><ceb:dxpMode>DXP</ceb:dxpMode>"
    "<ceb:dxpId>DXPLGS0000000001</ceb:dxpId></ceb:BaseTransfer></ceb:CEB303Message>\n"
)
XSI = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def messages(count: int = 2, orders: int = 1) -> list[bytes]:
    """CEB303 messages; the odd ones have xmlns:xsi on the root (which then belongs to the signed bytes)."""
    return [
        MESSAGE.format(
            n=n,
            xsi=XSI if n % 2 else "",
            orders="".join(ORDER.format(n=n * orders + i, value=f"{100 + n}.50") for i in range(orders)),
        ).encode()
        for n in range(count)
    ]
