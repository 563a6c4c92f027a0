"""Which banks an installation may be connected to: production takes https and keys of its own only."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from blueprints.common.gateways import connect_gateways
from settings import Settings, SettingsError

GOOD = {
    "mode": "production", "public_origin": "https://eport.example", "database_url": "postgresql+psycopg://x",
    "secret_key": "s" * 40, "data_keys": "k1:" + base64.b64encode(b"k" * 32).decode(),
    "banks": "ccb=https://ccb.example/ukey,abc=https://abc.example",
}  # fmt: skip


def write_certificate(path, name: str) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(1)).sign(key, hashes.SHA256())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def folder(tmp_path):
    for name in ("signing.key", "opening.key"):
        (tmp_path / name).write_text("-----BEGIN PRIVATE KEY-----")
    for slug in ("ccb", "abc"):
        write_certificate(tmp_path / f"{slug}.pem", "a bank")
    return tmp_path


def check(folder, **change) -> None:
    Settings(**{**GOOD, **change}, card_authorities=folder / "none", bank_keys=folder).check()


def test_production_takes_banks_with_keys_of_their_own(folder):
    check(folder)
    check(folder / "absent", banks="")


@pytest.mark.parametrize(
    ("banks", "words"),
    [
        ("ccb=http://ccb.example", "must be https"), ("icbc=https://icbc.example", "slugs"), ("ccb", "slugs"),
        ("ccb=ftp://x", "slugs"), ("ccb=https://x?a=1", "slugs"), ("ccb=https://x,,abc=https://y", "slugs"),
    ],
)  # fmt: skip
def test_an_address_that_is_none_or_not_https_is_refused(folder, banks, words):
    with pytest.raises(SettingsError, match=words):
        check(folder, banks=banks)


@pytest.mark.parametrize("name", ["signing.key", "opening.key", "ccb.pem"])
def test_a_missing_key_or_certificate_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(SettingsError, match=f"lacks {name}"):
        check(folder)


@pytest.mark.parametrize("name", ["signing.key", "opening.key", "ccb.pem"])
def test_keys_of_the_sandbox_are_refused_by_production(folder, name):
    if name.endswith(".pem"):
        write_certificate(folder / name, "SANDBOX bank ccb")
    else:
        (folder / name).write_text("SANDBOX: not for production\n-----BEGIN PRIVATE KEY-----")
    with pytest.raises(SettingsError, match=f"{name} of EPORT_BANK_KEYS belongs to the sandbox"):
        check(folder)


def test_banks_are_connected_by_their_addresses(folder):
    settings = Settings(**GOOD, bank_keys=folder)
    assert connect_gateways(settings).banks.keys() == {"ccb", "abc"}
    assert connect_gateways(Settings(**{**GOOD, "banks": ""})).banks == {}
