"""What the pure parts of a push cost: build, digest, sign, assemble, verify and wrap 1000 messages of 100 orders.

`python benchmarks/gateways_messages.py [messages]`; one process, one core. Prints `FIGURE <name> <value> orders/min`.
"""

import datetime
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from gateways import sm2
from gateways.customs_dxp import envelope, signature
from gateways.customs_dxp.folder_channel import FolderChannel
from gateways.customs_dxp.messages import ceb303, ceb304

ORDERS = 100
GUID = "311AF125-6FED-4603-8C5D-{:012d}"


def orders(message: int) -> list[ceb303.Order]:
    def line(gnum: int) -> ceb303.OrderLine:
        price = Decimal("12.50")
        return ceb303.OrderLine(
            gnum, f"SKU-{gnum:05}", "无线蓝牙耳机 & 充电盒", "011", "502", Decimal(2), price, price * 2
        )

    return [
        ceb303.Order(
            guid=GUID.format(message * ORDERS + n),
            app_type="1",
            app_time="20260101120000",
            order_type="B",
            order_no=f"ORDER-2026-{message:06}-{n:03}",
            ebp_code="1301960001",
            ebp_name="梧桐跨境电子商务平台",
            ebc_code="1301960002",
            ebc_name="梧桐跨境电子商务有限公司",
            goods_value=Decimal("50.00"),
            freight=Decimal(0),
            currency="502",
            note="",
            lines=[line(1), line(2)],
        )
        for n in range(ORDERS)
    ]


def cards(folder: Path) -> dict[str, tuple[bytes, Callable[[bytes], bytes]]]:
    """profile → (certificate, signing function) of two throw-away cards."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(1))
    commands = "openssl ecparam -name SM2 -genkey -noout -out key && openssl req -x509 -new -key key -sm3 -sigopt "
    commands += "distid:1234567812345678 -subj /CN=x -days 9 -outform DER -out der"
    subprocess.run(["sh", "-c", commands], cwd=folder, check=True, capture_output=True)
    pem = (folder / "key").read_bytes()
    return {
        "rsa-sha1": (
            builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER),
            lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA1()),
        ),
        "sm2-sm3": ((folder / "der").read_bytes(), lambda data: sm2.sign(pem, data)),
    }


def receipts(message: list[ceb303.Order]) -> bytes:
    rows = "".join(
        f"<ceb:OrderReturn><ceb:guid>{o.guid}</ceb:guid><ceb:ebpCode>{o.ebp_code}</ceb:ebpCode><ceb:ebcCode>{o.ebc_code}"
        f"</ceb:ebcCode><ceb:orderNo>{o.order_no}</ceb:orderNo><ceb:returnStatus>120</ceb:returnStatus><ceb:returnTime>"
        f"20260101120000123</ceb:returnTime><ceb:returnInfo>海关入库[{o.guid}]</ceb:returnInfo></ceb:OrderReturn>"
        for o in message
    )
    return f'<ceb:CEB304Message xmlns:ceb="{ceb303.NAMESPACE}" guid="{GUID}" version="1.0">{rows}</ceb:CEB304Message>'.encode()


class Stopwatch:
    """Runs a stage over all messages and prints its figure; `spent` is the sum of the stages of the portal."""

    def __init__(self, count: int) -> None:
        self.orders, self.spent = count * ORDERS, 0.0

    def run(self, name: str, work: Callable, *columns: Iterable, counts: bool = True) -> list:
        begin = time.perf_counter()
        result = [work(*row) for row in zip(*columns, strict=True)]
        seconds = time.perf_counter() - begin
        self.spent += seconds if counts else 0.0
        self.say(name, seconds)
        return result

    def say(self, name: str, seconds: float) -> None:
        print(f"FIGURE {name} {self.orders / seconds * 60:.0f} orders/min")


def measure(profile: str, batches: list, card: tuple[bytes, Callable], folder: Path) -> None:
    """Every stage of the profile, then all stages of the portal together (the card's own work and the disk apart)."""
    watch, (der, sign) = Stopwatch(len(batches)), card
    transfer = ceb303.Transfer("1301960002", "梧桐跨境电子商务有限公司", "DXPENT0000000017")
    tag = profile.partition("-")[0]
    guids = [GUID.format(n) for n in range(len(batches))]
    built = watch.run(f"{tag}_build", lambda batch, guid: ceb303.build(batch, transfer, guid), batches, guids)
    watch.run(f"{tag}_digest", lambda message: signature.digest(profile, message), built, counts=False)
    infos = watch.run(f"{tag}_signed_info", lambda message: signature.signed_info(profile, message), built)
    values = watch.run(f"{tag}_card_software", sign, infos, counts=False)
    signed = watch.run(f"{tag}_assemble_and_verify", lambda m, v: signature.assemble(m, profile, der, v), built, values)
    watch.run(f"{tag}_verify_as_a_stranger", signature.verify, signed, counts=False)
    created = datetime.datetime.now(datetime.UTC)

    def wrap(data: bytes, guid: str) -> tuple[str, bytes]:
        ids = (guid, "DXPENT0000000017", (envelope.CUSTOMS_EXPORT,))
        parcel = envelope.DxpMsg(*ids, created=created, msg_type="CEB303Message", data=data)
        return envelope.file_name(parcel), envelope.build(parcel)

    files = watch.run(f"{tag}_envelope", wrap, signed, guids)
    watch.say(f"{tag}_all_pure_parts", watch.spent)
    channel = FolderChannel(folder / tag)
    watch.run(f"{tag}_folder_send_all", channel.send_all, [files], counts=False)


def main(count: int = 1000) -> None:
    print(
        f"{platform.machine()}, Python {platform.python_version()}, {count} messages of {ORDERS} orders, 2 lines each"
    )
    batches = [orders(n) for n in range(count)]
    with tempfile.TemporaryDirectory() as name:
        for profile, card in cards(Path(name)).items():
            measure(profile, batches, card, Path(name))
    watch = Stopwatch(count)
    answers = [receipts(batch) for batch in batches]
    watch.run("receipts_parse", ceb304.parse_receipts, answers)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
