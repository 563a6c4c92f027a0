"""Throw-away card CAs and cards, orders, and the files of the facts folder."""

import datetime
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from card_authority import COMPANY, HOLDER, TEXTS, Card, RsaPki
from cryptography.hazmat.primitives import serialization
from lxml import etree

from gateways.certificates import read_authorities
from gateways.customs_dxp.messages.ceb303 import Order, OrderLine, Transfer

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts"


@pytest.fixture(scope="session")
def pki() -> RsaPki:
    return RsaPki()


@pytest.fixture(scope="session")
def folder(tmp_path_factory, pki):
    """authorities/ with both CAs, and the SM2 card made by the openssl command line."""
    path = tmp_path_factory.mktemp("pki")
    (path / "authorities").mkdir()
    (path / "authorities" / "rsa.pem").write_bytes(pki.ca.public_bytes(serialization.Encoding.PEM))
    lines = ["basicConstraints=critical,CA:false", "keyUsage=critical,digitalSignature,nonRepudiation"]
    lines += [f"{oid}=ASN1:FORMAT:UTF8,UTF8String:{text}" for oid, text in TEXTS.items()]
    (path / "ext").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = path / "run.sh"
    run.write_text(
        f"""set -e
openssl ecparam -name SM2 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -sm3 -sigopt distid:1234567812345678 -subj "/C=CN/CN=TEST SM2 CA" -days 365 -out authorities/sm2.crt
openssl ecparam -name SM2 -genkey -noout -out card.key
openssl req -new -key card.key -sm3 -sigopt distid:1234567812345678 -utf8 -subj "/C=CN/O={COMPANY}/CN={HOLDER}/serialNumber=8600000000017" -out card.csr
openssl x509 -req -in card.csr -vfyopt distid:1234567812345678 -CA authorities/sm2.crt -CAkey ca.key -set_serial 0x03000000000cde6f -sm3 -sigopt distid:1234567812345678 -days 365 -extfile ext -outform DER -out card.der
openssl pkey -in card.key -pubout -out card.pub
""",
        encoding="utf-8",
    )
    subprocess.run(["sh", "run.sh"], cwd=path, check=True, capture_output=True)
    return path


@pytest.fixture(scope="session")
def sm2_card(folder) -> Card:
    return Card("sm2", "sm2-sm3", (folder / "card.der").read_bytes(), (folder / "card.key").read_bytes())


@pytest.fixture(scope="session")
def rsa_card(pki) -> Card:
    return pki.card()


@pytest.fixture(scope="session", params=["rsa", "sm2"])
def card(request, rsa_card, sm2_card) -> Card:
    return {"rsa": rsa_card, "sm2": sm2_card}[request.param]


@pytest.fixture(scope="session")
def authorities(folder):
    return read_authorities(folder / "authorities")


@pytest.fixture
def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="session")
def make_order():
    """make_order(7, item_name="…", note="…"): one order, the text arguments go where they are named."""

    def make(number: int = 1, lines: int = 1, item_name: str = "小米盒子", note: str = "", **head) -> Order:
        line = {"unit": "011", "currency": "502", "qty": Decimal("2"), "price": Decimal("12.5")}
        goods = [
            OrderLine(g, f"SKU-{g:03}", item_name, total_price=Decimal("25.00"), note=note, **line)
            for g in range(1, lines + 1)
        ]
        values = {
            "guid": f"704EA0F1-B229-4E89-9F2F-{number:012d}",
            "app_type": "1",
            "app_time": "20260101120000",
            "order_type": "B",
            "order_no": f"order-{number}",
            "ebp_code": "1301960001",
            "ebp_name": "梧桐平台",
            "ebc_code": "1301960002",
            "ebc_name": COMPANY,
            "goods_value": Decimal("25.00") * lines,
            "freight": Decimal(0),
            "currency": "502",
            "note": note,
        }
        return Order(**{**values, **head}, lines=goods)

    return make


@pytest.fixture(scope="session")
def transfer() -> Transfer:
    return Transfer("1301960002", COMPANY, "DXPENT0000000017")


@pytest.fixture(scope="session")
def facts():
    """facts("samples/x.xml"): a path of the facts folder beside the repository; skips where there is none."""

    def path(relative: str) -> Path:
        if not (FACTS / relative).exists():
            pytest.skip(f"no facts folder beside the repository ({relative})")
        return FACTS / relative

    return path


@pytest.fixture(scope="session")
def schema(facts):
    """schema("ceb_export_202205"): the official XML schema."""
    return lambda name: etree.XMLSchema(file=str(facts(f"xsd/{name}.xsd")))
