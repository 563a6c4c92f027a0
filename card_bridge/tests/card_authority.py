"""Makes what the tests trust: an RSA and an SM2 card CA, cards, and a TLS certificate. SM2 by the openssl command."""

import datetime
import ipaddress
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from sandbox.card.state import new_card, put_certificate

ID = "1234567812345678"
COMPANY, HOLDER = "东方物通科技(北京)有限公司", "李明"
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
    """`folder` then holds ca-rsa.der, ca-sm2.der, root.pem, cert.pem and key.pem; cards are made by `card`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._subject = name(holder="TEST RSA CA")
        ca = self.certificate(self._subject, self._key.public_key(), is_ca=True)
        (folder / "ca-rsa.der").write_bytes(ca.public_bytes(serialization.Encoding.DER))
        self.openssl("ecparam", "-name", "SM2", "-genkey", "-noout", "-out", "sm2ca.key")
        subject = ("-subj", "/C=CN/CN=TEST SM2 CA", "-days", "365", "-out", "sm2ca.crt")
        self.openssl("req", "-x509", "-new", "-key", "sm2ca.key", "-sm3", "-sigopt", f"distid:{ID}", *subject)
        self.openssl("x509", "-in", "sm2ca.crt", "-outform", "DER", "-out", "ca-sm2.der")
        (folder / "ext").write_text(
            "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature,nonRepudiation\n"
            "1.3.6.1.4.1.5315.100.5.3=ASN1:UTF8String:02\n"
        )
        self._tls()
        self.rsa_card = self.card("rsa", "8600000000017")
        self.sm2_card = self.card("sm2", "8600000000024")

    def openssl(self, *command: str) -> str:
        done = subprocess.run(["openssl", *command], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout

    def authorities(self) -> list[bytes]:
        return [(self.folder / part).read_bytes() for part in ("ca-rsa.der", "ca-sm2.der")]

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

    def card(self, algorithm: str, number: str, days=(-1, 365)) -> Path:
        """Makes a card and puts a certificate in."""
        path = self.folder / f"card-{number}.json"
        pem = new_card(path, algorithm, number)
        if algorithm == "rsa":
            subject = name(country="CN", company=COMPANY, holder=HOLDER, number=number)
            certificate = self.certificate(subject, serialization.load_pem_public_key(pem), days=days)
            put_certificate(path, certificate.public_bytes(serialization.Encoding.DER))
            return path
        (self.folder / f"{number}.pem").write_bytes(pem)
        # x509 -new reads a subject as Latin-1; req takes UTF-8, so the name travels in a request of the CA's own key.
        subject = f"/C=CN/O={COMPANY}/CN={HOLDER}/serialNumber={number}"
        sm3 = ("-sm3", "-sigopt", f"distid:{ID}")
        self.openssl("req", "-new", "-utf8", "-key", "sm2ca.key", *sm3, "-subj", subject, "-out", f"{number}.csr")
        issuer = ("-CA", "sm2ca.crt", "-CAkey", "sm2ca.key", "-set_serial", number, "-extfile", "ext", "-days", "365")
        key = ("-in", f"{number}.csr", "-vfyopt", f"distid:{ID}", "-force_pubkey", f"{number}.pem")
        self.openssl("x509", "-req", *key, *issuer, *sm3, "-outform", "DER", "-out", f"{number}.der")
        put_certificate(path, (self.folder / f"{number}.der").read_bytes())
        return path

    def _tls(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        names = [x509.DNSName(host) for host in ("portal.test", "evil.test")]
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        site = self.certificate(name(holder="portal.test"), key.public_key(), names=names)
        root = x509.load_der_x509_certificate((self.folder / "ca-rsa.der").read_bytes())
        (self.folder / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
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
