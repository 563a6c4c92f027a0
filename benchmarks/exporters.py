"""What the benchmarks of export declarations share: an exporter of the demonstration, workbooks, and his card's key."""

import base64
import io
import json
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from openpyxl import Workbook
from werkzeug.datastructures import FileStorage

from app import create_app
from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.exports import importing, tasks
from blueprints.exports.reading import COLUMNS
from gateways import sm2
from models.accounts import find_user
from models.database import session
from models.exports import CompanyProfile, Strategy, Task
from models.transmission import transmission_ids_of
from settings import Settings

SM2_POINT = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")


def workbook(count: int, prefix: str) -> bytes:
    """`count` orders of one line, every cell text, as the template has it."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(COLUMNS)
    for number in range(count):
        sheet.append((f"{prefix}{number:07}", "8711100010", "微马力摩托车及脚踏两用车", "10", "25", "2.5", "011"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@contextmanager
def portal_of(environ: dict[str, str]):
    """The portal's code in this process, on the demonstration's database."""
    app = create_app(Settings.from_environment(environ))
    with app.app_context():
        yield app


def exporter() -> tuple[Principal, str]:
    """Company ① of the demonstration, and the id of a strategy of its own for the benchmark."""
    user = find_user("demo01")
    company = user.enterprise
    granted = transmission_ids_of(company.id)[0]
    now = clock.now()
    profile = CompanyProfile(
        enterprise_id=company.id, name=company.name, customs_code=granted.customs_code, dxp_id=granted.value,
        types=["declarant", "platform", "seller"], created_at=now, created_by="bench",
    )  # fmt: skip
    session.add(profile)
    session.flush()
    strategy = Strategy(
        enterprise_id=company.id, customs_code=granted.customs_code, number=f"bench {now:%H%M%S%f}", name="bench", currency="502",
        mode="9710-declaration", platform_id=profile.id, seller_id=profile.id, created_at=now, created_by="bench",
        changed_at=now, changed_by="bench",
    )  # fmt: skip
    session.add(strategy)
    session.commit()
    principal = Principal(
        user_id=user.id, name=user.shown_name, role=user.role, enterprise_id=company.id, code=granted.customs_code,
        enterprise_name=company.name, uscc=company.uscc,
    )  # fmt: skip
    return principal, str(strategy.id)


def upload(principal: Principal, strategy_id: str, data: bytes):
    """A new task with its import begun."""
    task = tasks.create_task("bench", strategy_id, principal)
    session.commit()
    started = importing.start_import(
        session.get(Task, task.id), FileStorage(io.BytesIO(data), "orders.xlsx"), principal
    )
    session.commit()
    return task, started


def wait_for(is_done: Callable[[], bool], seconds: float = 600, pause: float = 0.05) -> None:
    end = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > end:
            sys.exit("did not end in time")
        time.sleep(pause)
        session.rollback()
        session.expire_all()


def card_of(folder: Path, number: str) -> tuple[bytes, str, Callable[[bytes], bytes]]:
    """(certificate, profile, signing function) of a card of the sandbox, its key taken out of the card."""
    kept = json.loads((folder / "cards" / f"{number}.json").read_text())
    certificate = base64.b64decode(kept["certificate"])
    if kept["algorithm"] == "sm2":
        pem = _sm2_pem(bytes.fromhex(kept["key"]), certificate)
        return certificate, "sm2-sm3", lambda data: sm2.sign(pem, data)
    key = serialization.load_pem_private_key(kept["key"].encode(), None)
    return certificate, "rsa-sha1", lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA1())


def _sm2_pem(scalar: bytes, certificate: bytes) -> bytes:
    """RFC 5915, with the public key of the certificate."""
    start = certificate.index(SM2_POINT) + len(SM2_POINT) + 3
    curve = bytes.fromhex("06082a811ccf5501822d")
    body = (
        b"\x02\x01\x01\x04\x20"
        + scalar
        + b"\xa0\x0a"
        + curve
        + b"\xa1\x44\x03\x42\x00"
        + certificate[start : start + 65]
    )
    der = b"\x30" + bytes([len(body)]) + body
    return b"-----BEGIN EC PRIVATE KEY-----\n" + base64.encodebytes(der) + b"-----END EC PRIVATE KEY-----\n"
