"""An encryption machine of the tests' own (SoftHSM2), a token for each company; a pytest plugin with the fixture `machine`."""

import shutil
import subprocess
from pathlib import Path

import pkcs11
import pytest
from pkcs11.util.rsa import decode_rsa_private_key

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so")
MODULE = next((path for path in MODULES if Path(path).exists()), "")
PIN = "314159"


class Machine:
    """`add` makes a token with the key and the certificate of a card of the tests, or an empty one."""

    module, pin = MODULE, PIN

    def add(self, label: str, card) -> None:
        self._util("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "87654321")
        library = pkcs11.lib(MODULE)
        library.reinitialize()
        if card:
            with library.get_token(token_label=label).open(rw=True, user_pin=PIN) as session:
                self._fill(session, card)

    def _fill(self, session, card) -> None:
        der = subprocess.run(
            ["openssl", "rsa", "-traditional", "-outform", "DER"], input=card.pem, check=True, capture_output=True
        ).stdout
        attributes = {pkcs11.Attribute.TOKEN: True, pkcs11.Attribute.ID: b"\7", pkcs11.Attribute.SIGN: True}
        session.create_object({**decode_rsa_private_key(der), **attributes})
        session.create_object(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE, pkcs11.Attribute.TOKEN: True,
                pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509, pkcs11.Attribute.ID: b"\7",
                pkcs11.Attribute.SUBJECT: b"", pkcs11.Attribute.VALUE: card.der,
            }
        )  # fmt: skip

    def _util(self, *options: str) -> None:
        subprocess.run(["softhsm2-util", *options], check=True, capture_output=True)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    if not MODULE or not shutil.which("softhsm2-util"):
        pytest.skip("softhsm2 is not installed")
    (tmp_path / "tokens").mkdir()
    configuration = tmp_path / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    yield Machine()
    library = pkcs11.lib(MODULE)
    if library.initialized:
        library.finalize()
