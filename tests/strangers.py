"""Programs that are not ours look at what was pushed: the official schema, xmlsec1, the OpenSSL command line."""

import base64
import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

DS = "{http://www.w3.org/2000/09/xmldsig#}"


def pushed_messages(customs_folder: Path) -> list[bytes]:
    """The signed CEB303 out of every envelope that customs took."""
    envelopes = [etree.parse(path) for path in sorted(customs_folder.glob("*/SentBox/*.xml"))]
    return [base64.b64decode(envelope.findtext(".//{*}Data")) for envelope in envelopes]


def verify(message: bytes, folder: Path) -> str:
    """Gives the algorithm that was verified. Raises AssertionError with what the program said."""
    root = etree.fromstring(message)
    certificate = folder / "card.der"
    certificate.write_bytes(base64.b64decode(root.findtext(f".//{DS}X509Certificate")))
    if "rsa-sha1" in root.find(f".//{DS}SignatureMethod").get("Algorithm"):
        (folder / "signed.xml").write_bytes(message)
        run("xmlsec1", "--verify", "--pubkey-cert-der", str(certificate), str(folder / "signed.xml"))
        return "rsa-sha1"
    info, raw = root.find(f".//{DS}SignedInfo"), base64.b64decode(root.findtext(f".//{DS}SignatureValue"))
    digest = base64.b64decode(root.findtext(f".//{DS}DigestValue"))
    top = etree.Element(info.tag, nsmap=info.nsmap)
    top.extend(info)
    (folder / "info").write_bytes(etree.tostring(top, method="c14n"))
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    (folder / "signature").write_bytes(der)
    public = run("openssl", "x509", "-inform", "DER", "-in", str(certificate), "-noout", "-pubkey")
    (folder / "public.pem").write_bytes(public)
    run("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(folder / "public.pem"), "-rawin", "-digest", "sm3", "-in",
        str(folder / "info"), "-sigfile", str(folder / "signature"), "-pkeyopt", "distid:1234567812345678")  # fmt: skip
    unsigned = etree.fromstring(message)
    unsigned.remove(unsigned.find(f"{DS}Signature"))
    (folder / "body").write_bytes(etree.tostring(unsigned, method="c14n"))
    assert run("openssl", "dgst", "-sm3", "-binary", str(folder / "body")) == digest
    return "sm2-sm3"


def run(*command: str) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout
