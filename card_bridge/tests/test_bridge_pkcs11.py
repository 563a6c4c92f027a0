"""Tokens through PKCS#11, with SoftHSM2: one C_Login for one PIN entry, honest words where a token tells no tries."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from bridge_stage import PIN, Browser, free_port, wait_until
from card_authority import COMPANY, HOLDER, name
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from eport_card_bridge.outcomes import Outcome, Stop
from eport_card_bridge.readers import AllReaders, find_cards
from eport_card_bridge.tries import Insertion, PinTries

pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")

from eport_card_bridge.pkcs11 import BadModule, Pkcs11Card, Pkcs11Module  # noqa: E402
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters  # noqa: E402
from pkcs11.util.rsa import encode_rsa_public_key  # noqa: E402

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so")
MODULE = next((path for path in MODULES if Path(path).exists()), "")
pytestmark = [
    pytest.mark.skipif(not MODULE or not shutil.which("softhsm2-util"), reason="softhsm2 is not installed"),
    pytest.mark.xdist_group("softhsm"),
]
NEW = "271828"
NUMBERS = {"rsa": "8600000000055", "ec": "8600000000062"}


class Token:
    """A SoftHSM token with one key and its certificate."""

    def __init__(self, authority, algorithm: str, removable: bool = True) -> None:
        self.label, self.number = f"card-{algorithm}", NUMBERS[algorithm]
        self._util("--init-token", "--free", "--pin", PIN, "--so-pin", "87654321")
        library = pkcs11.lib(MODULE)
        library.reinitialize()
        with library.get_token(token_label=self.label).open(rw=True, user_pin=PIN) as session:
            public = self._make_key(session, algorithm)
            subject = name(country="CN", company=COMPANY, holder=HOLDER, number=self.number)
            der = authority.certificate(subject, public).public_bytes(Encoding.DER)
            session.create_object(
                {
                    pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                    pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    pkcs11.Attribute.TOKEN: True,
                    pkcs11.Attribute.ID: b"\1",
                    pkcs11.Attribute.SUBJECT: b"",
                    pkcs11.Attribute.VALUE: der,
                }
            )
        library.finalize()

    def _util(self, *options: str) -> None:
        subprocess.run(["softhsm2-util", "--label", self.label, *options], check=True, capture_output=True)

    def _make_key(self, session, algorithm: str):
        if algorithm == "rsa":
            public, _ = session.generate_keypair(pkcs11.KeyType.RSA, 2048, id=b"\1", store=True)
            return load_der_public_key(encode_rsa_public_key(public))
        curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        public, _ = parameters.generate_keypair(id=b"\1", store=True)
        return load_der_public_key(encode_ec_public_key(public))

    def delete(self) -> None:
        subprocess.run(["softhsm2-util", "--delete-token", "--token", self.label], check=True, capture_output=True)


@pytest.fixture
def hsm(tmp_path, monkeypatch):
    """A folder of tokens of its own; gives the function that says whether they can be taken out."""
    (tmp_path / "tokens").mkdir()
    configuration = tmp_path / "softhsm2.conf"
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))

    def configure(removable: bool = True) -> None:
        configuration.write_text(
            f"directories.tokendir = {tmp_path / 'tokens'}\nslots.removable = {str(removable).lower()}\nlog.level = ERROR\n"
        )

    configure()
    yield configure
    library = pkcs11.lib(MODULE)
    if library.initialized:
        library.finalize()


@pytest.fixture(params=["rsa", "ec"])
def algorithm(request):
    return request.param


@pytest.fixture
def token_stage(hsm, authority, new_stage):
    """Starts a stage whose one back end is the module, with one token."""
    modules = []

    def start(algorithm: str, removable: bool = True):
        hsm(removable)
        token = Token(authority, algorithm)
        modules.append(Pkcs11Module(MODULE))
        stage = new_stage(source=modules[-1])
        return stage, token, Browser(stage)

    yield start
    for module in modules:
        module.close()


def logged_in(stage) -> bool:
    """Whether the login is still there: then any session of this process could use the key."""
    (reader,) = (each for each in stage.reader.readers() if each.presence()[0])
    with reader.card() as card:
        session = card._sessions[0]
        return bool(list(session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY})))


def test_login_is_signed_and_logged_out(token_stage, algorithm):
    stage, token, anna = token_stage(algorithm)
    anna.open(anna.ask())
    assert f"卡号后四位{token.number[-4:]}" in anna.find("card")
    assert "None" not in anna.text
    assert "state=finished" in anna.enter_pin().text
    assert stage.row.answer["algorithm"] == {"rsa": "rsa-sha256", "ec": "ecdsa-sha256"}[algorithm]
    wait_until(lambda: stage.request.stage == "done")
    assert not logged_in(stage)


def test_a_batch_is_signed(token_stage):
    stage, _, anna = token_stage("rsa")
    anna.open(anna.ask("batch", 3)).enter_pin()
    wait_until(lambda: stage.row.state == "finished")


def test_a_batch_is_refused_with_a_p256_key_before_the_pin_is_tried(token_stage):
    _, _, anna = token_stage("ec")
    assert "9728" in anna.open(anna.ask("batch")).enter_pin("00000000").text


def test_a_wrong_pin_is_said_without_a_number_that_nobody_knows(token_stage, algorithm):
    stage, _, anna = token_stage(algorithm)
    anna.open(anna.ask()).enter_pin("00000000")
    assert "9760" in anna.text
    assert "None" not in anna.text
    assert "state=finished" in anna.enter_pin().text
    wait_until(lambda: [number for _, number in stage.row.reports] == [160, 100])


def test_after_two_wrong_pins_a_token_comes_out_and_goes_in(token_stage):
    stage, _, anna = token_stage("rsa")
    anna.open(anna.ask()).enter_pin("00000000").enter_pin("00000001")
    assert "9765" in anna.enter_pin().text
    (reader,) = (each for each in stage.reader.readers() if each.presence()[0])
    before = reader.presence()[1]
    reader.note(None)  # what the next look says of a token that is out
    reader._module.look()
    assert reader.presence() == (True, before + 2)
    assert "state=finished" in anna.enter_pin().text


def test_a_token_that_cannot_come_out_wants_the_bridge_started_again(token_stage):
    stage, _, anna = token_stage("rsa", removable=False)
    anna.open(anna.ask()).enter_pin("00000000").enter_pin("00000001")
    assert "9762" in anna.enter_pin().text
    stage.stop_bridge()
    stage.start_bridge()
    assert "state=finished" in anna.open(anna.ask()).enter_pin().text


def test_the_last_try_of_a_built_in_token_is_not_out_of_reach():
    tries, built_in = PinTries(), Insertion("slot", 1, removable=False)
    tries.check("1", built_in, 1)
    tries.wrong("1", built_in, 1)
    with pytest.raises(Stop) as stop:
        tries.check("1", built_in, 1)
    assert stop.value.outcome is Outcome.RESTART_NEEDED


def test_the_pin_is_changed(token_stage, algorithm):
    stage, _, anna = token_stage(algorithm)
    page = stage.bridge_origin + "/pin"
    anna.open(page).submit("/pin", pin="00000000", new_pin=NEW, new_pin_again=NEW)
    assert "9760" in anna.text
    anna.submit("/pin", pin=PIN, new_pin=NEW, new_pin_again=NEW)
    assert "9604" in anna.text
    assert "state=finished" in anna.open(anna.ask()).enter_pin(NEW).text


class Flags:
    """A token's flags, as a test wants them."""

    def __init__(self, token, flags) -> None:
        self._token, self.flags = token, token.flags | flags

    def __getattr__(self, attribute):
        return getattr(self._token, attribute)


@pytest.fixture
def card(hsm, authority):
    Token(authority, "rsa")
    module = Pkcs11Module(MODULE)
    (reader,) = (each for each in module.readers() if each.presence()[0])
    with reader.card() as opened:
        yield opened
    module.close()


class Slot:
    """A slot whose module says `error` at the login, and whose token then has `flags` more than before."""

    def __init__(self, slot, error=None, flags=0, before=0) -> None:
        self._slot, self._error, self._flags, self._before = slot, error, flags, before
        self.logins = 0

    def get_token(self):
        token = Flags(self._slot.get_token(), self._flags if self.logins else self._before)
        token.open = self._open
        return token

    def _open(self, **options):
        if "user_pin" in options:
            self.logins += 1
            raise self._error
        return self._slot.get_token().open(**options)


FLAG = pkcs11.TokenFlag


@pytest.mark.parametrize(
    "error,before,after,outcome",
    [
        ("GeneralError", 0, 0, Outcome.PIN_UNCLEAR),
        ("GeneralError", FLAG.USER_PIN_COUNT_LOW, FLAG.USER_PIN_COUNT_LOW, Outcome.PIN_UNCLEAR),
        ("GeneralError", 0, FLAG.USER_PIN_COUNT_LOW, Outcome.PIN_WRONG_UNTOLD),
        ("GeneralError", 0, FLAG.USER_PIN_FINAL_TRY, Outcome.PIN_WRONG_1),
        ("GeneralError", 0, FLAG.USER_PIN_LOCKED, Outcome.PIN_BLOCKED),
        ("PinIncorrect", 0, FLAG.USER_PIN_FINAL_TRY, Outcome.PIN_WRONG_1),
        ("PinLocked", 0, 0, Outcome.PIN_BLOCKED),
        ("FunctionFailed", 0, 0, Outcome.PIN_UNCLEAR),
        ("DeviceRemoved", 0, 0, Outcome.REMOVED),
    ],
)
def test_what_a_module_says_at_the_login_is_not_taken_for_more_than_it_says(error, before, after, outcome, card):
    card._slot = Slot(card._slot, getattr(pkcs11.exceptions, error)(), after, before)
    with pytest.raises(Stop) as stop:
        card.verify_pin(PIN)
    assert stop.value.outcome is outcome
    assert card._slot.logins == 1, "never repeated"


@pytest.mark.parametrize(
    "flags,left", [(0, None), (FLAG.USER_PIN_COUNT_LOW, None), (FLAG.USER_PIN_FINAL_TRY, 1), (FLAG.USER_PIN_LOCKED, 0)]
)
def test_the_tries_are_read_from_the_flags(flags, left, card):
    card._slot = Slot(card._slot, before=flags)
    assert card.tries_left() == left


def test_an_unclear_login_counts_as_a_wrong_pin(token_stage, monkeypatch):
    _, _, anna = token_stage("rsa")
    real = Pkcs11Card.verify_pin

    def unclear(self, pin):
        self._slot = Slot(self._slot, pkcs11.exceptions.GeneralError())
        return real(self, pin)

    monkeypatch.setattr(Pkcs11Card, "verify_pin", unclear)
    anna.open(anna.ask()).enter_pin()
    assert "9761" in anna.text
    assert "9765" in anna.enter_pin().enter_pin().text


def test_a_refused_login_leaves_no_session_behind(token_stage):
    """python-pkcs11 gives no handle of the session in which C_Login failed; the module starts afresh instead."""
    stage, _, anna = token_stage("rsa")
    anna.open(anna.ask()).enter_pin("00000000")
    (reader,) = (each for each in stage.reader.readers() if each.presence()[0])
    with reader.card() as card:
        first = card._sessions[0].handle
    assert first < 5


def test_a_token_that_goes_in_the_middle_of_a_batch_is_said_to_be_gone(token_stage, monkeypatch):
    stage, _, anna = token_stage("rsa")
    real, signed = Pkcs11Card.sign_message, []

    def gone(self, data):
        signed.append(1)
        if len(signed) == 2:
            self._sessions[1].close()  # what a module does by itself when the token goes
        return real(self, data)

    monkeypatch.setattr(Pkcs11Card, "sign_message", gone)
    anna.open(anna.ask("batch", 4)).enter_pin()
    wait_until(lambda: stage.request.stage == "stopped")
    assert "9722" in anna.open(stage.bridge_origin + stage.request.here).text
    anna.enter_pin()
    wait_until(lambda: stage.row.state == "finished")


def test_a_token_that_is_deleted_is_not_there(token_stage):
    _, token, anna = token_stage("rsa")
    anna.open(anna.ask())
    token.delete()
    anna.enter_pin()
    assert "state=finished" not in anna.text
    assert any(number in anna.text for number in ("9703", "9722", "9726"))


def test_a_token_without_initialisation_is_no_card(hsm, authority):
    module = Pkcs11Module(MODULE)
    try:
        with pytest.raises(Stop) as stop:
            find_cards(module)
        assert stop.value.outcome is Outcome.NO_CARD
    finally:
        module.close()


def test_a_file_that_is_no_module_is_refused(tmp_path):
    (tmp_path / "module.so").write_bytes(b"no module")
    for path in (tmp_path / "module.so", tmp_path / "nothing.so"):
        with pytest.raises(BadModule):
            Pkcs11Module(str(path))


class OneCard:
    """A reader of another back end that sees a card."""

    def __init__(self, place, card) -> None:
        self.name = self.place = place
        self.removable, self.lock, self._card = True, threading.Lock(), card

    def readers(self):
        return [self]

    def presence(self):
        return True, 1

    def card(self, reset=True):
        return self._card()

    def close(self) -> None:
        pass


def test_a_card_that_two_back_ends_see_is_shown_once_and_used_by_the_first(hsm, authority):
    Token(authority, "rsa")
    module = Pkcs11Module(MODULE)
    (reader,) = (each for each in module.readers() if each.presence()[0])
    for place in (reader.place, "another name for the same reader"):
        other = OneCard(place, reader.card)
        (found,) = find_cards(AllReaders(other, module))
        assert found.reader is other
    module.close()


def test_work_in_one_back_end_keeps_the_other_away_from_the_reader(hsm, authority, monkeypatch):
    monkeypatch.setattr("eport_card_bridge.readers.PATIENCE_SECONDS", 0.1)
    Token(authority, "rsa")
    module = Pkcs11Module(MODULE)
    (reader,) = (each for each in module.readers() if each.presence()[0])
    source = AllReaders(OneCard(reader.place, reader.card), module)
    first = source.readers()[0]
    with first.lock:
        began = time.monotonic()
        with pytest.raises(Stop) as stop:
            find_cards(source)
    assert stop.value.outcome is Outcome.HELD
    assert time.monotonic() - began < 1
    module.close()


def test_without_pcsc_the_modules_still_work(hsm, authority):
    Token(authority, "ec")

    class NoService:
        def readers(self):
            raise Stop(Outcome.NO_SERVICE)

        def close(self) -> None:
            pass

    source = AllReaders(NoService(), Pkcs11Module(MODULE))
    assert [card.serial for card in find_cards(source)] == [NUMBERS["ec"]]
    source.close()
    with pytest.raises(Stop) as stop:
        AllReaders(NoService()).readers()
    assert stop.value.outcome is Outcome.NO_SERVICE
    assert "SOFTHSM2_CONF" in os.environ


def test_a_module_that_cannot_be_opened_is_said_at_the_start(tmp_path):
    command = [sys.executable, "-m", "eport_card_bridge", "--data", str(tmp_path), "--pkcs11-module", "/no/module.so"]
    source = Path(__file__).parents[1] / "src"
    done = subprocess.run(
        [*command, "--port", str(free_port())], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "9764" in done.stderr
    assert "/no/module.so" in done.stderr
