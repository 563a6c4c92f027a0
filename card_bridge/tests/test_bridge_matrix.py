"""Every errand with every kind of card, in every state it can be in: 5 × 5 × 5 cells through the real back ends.

Each cell looks at what the person is told (sentence and number), at what the portal got (state, signature verified by
`portal_checks`, number of the outcome), at the tries of the card, and that no PIN is left on it.

The cards stand behind a real pcscd, each as the program that `python -m sandbox.card` is; pulled = that program ended.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from bridge_stage import PIN, Browser, Stage, free_port, wait_until
from eport_card_bridge.outcomes import Outcome, wrong_pin
from eport_card_bridge.pcsc import PcscReaders
from smartcard import scard

from sandbox.card import stack
from sandbox.card.state import change_state, new_card, put_certificate, read_state

pytestmark = pytest.mark.xdist_group("pcsc")
ROOT = Path(__file__).parents[2]
WRONG_PIN, NEW_PIN = "11111111", "271828"
PIN_CHANGE = "pin-change"
SLOT = "Virtual PCD 00 00"
PURPOSES = {"login": "登录", "bind": "绑定这张卡", "real-name": "单位实名认证", "batch": "推送订单"}
NUMBERS = {
    "eport-rsa": "8600000000031",
    "eport-sm2": "8600000000048",
    "piv-ec": "8600000000055",
    "piv-rsa": "8600000000062",
}
STATEMENTS = {  # algorithm of the signature over M
    "eport-rsa": "eport-auth-rsa-sha256",
    "eport-sm2": "eport-auth-sm2-sm3",
    "piv-ec": "ecdsa-sha256",
    "piv-rsa": "rsa-sha256",
}
ASK_PIN = {"eport": "00200081", "piv": "00200080"}  # an empty VERIFY: 9000 if a PIN is there


class InReader:
    """A virtual card in slot 0 of pcscd; one card serves all its cells, only its state changes between them."""

    def __init__(self, kind: str, authority, folder: Path, port: int) -> None:
        self.kind, self.port = kind, port
        self.profile, algorithm = kind.split("-")
        self.state = folder / f"{kind}.json"
        key = new_card(self.state, algorithm, NUMBERS[kind], profile=self.profile)
        self.good, self.old = (authority.issue(algorithm, key, NUMBERS[kind], days) for days in ((-1, 365), (-9, -1)))
        self.program: subprocess.Popen | None = None
        self.source = PcscReaders(SLOT)

    def renew(self, **state) -> None:
        """As it came from the card centre, but for `state`."""
        put_certificate(self.state, self.good)
        change_state(self.state, **{"pin": PIN, "tries": 6, "delay_ms": 0, **state})
        if self.program is None:
            self.insert()

    def expire(self) -> None:
        put_certificate(self.state, self.old)

    def insert(self) -> None:
        command = [sys.executable, "-m", "sandbox.card", "--state", str(self.state), "--port", str(self.port)]
        self.program = subprocess.Popen(command, cwd=ROOT)
        wait_until(self.is_in)

    def pull(self) -> None:
        self.program.kill()
        self.program.wait(5)
        self.program = None
        wait_until(lambda: not self.is_in())
        time.sleep(0.5)  # vpcd looks every 0.4 s; a card that is back sooner than the next look may be thrown out again

    def is_in(self) -> bool:
        return self.source.readers()[0].presence()[0]

    @property
    def pin(self) -> str:
        return read_state(self.state)["pin"]

    @property
    def tries(self) -> int:
        return read_state(self.state)["tries"]

    def has_pin_left(self) -> bool:
        """Whether the next program that comes along finds the PIN verified: bare pyscard, as such a program would ask."""
        _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        _, card, _ = scard.SCardConnect(context, SLOT, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T1)
        _, answer = scard.SCardTransmit(card, scard.SCARD_PCI_T1, list(bytes.fromhex(ASK_PIN[self.profile])))
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        scard.SCardReleaseContext(context)
        assert bytes(answer).hex() in ("9000", "6985", "6983", *(f"63c{left}" for left in range(7)))
        return bytes(answer) == b"\x90\x00"


@pytest.fixture(scope="module")
def pcscd(tmp_path_factory):
    """A private pcscd; gives the port of its first slot."""
    folder, port = tmp_path_factory.mktemp("pcscd"), free_port()
    try:
        stack.start(folder, port)
    except stack.StackError as error:
        pytest.skip(str(error))
    yield port
    stack.stop(folder)


@pytest.fixture(scope="module", params=NUMBERS)
def medium(request, authority, tmp_path_factory, pcscd):
    """A card of each kind, in the reader."""
    card = InReader(request.param, authority, tmp_path_factory.mktemp("cards"), pcscd)
    yield card
    if card.program:
        card.pull()


@pytest.fixture
def anna(medium, authority, tmp_path):
    """Somebody at a PC with portal, bridge and a card that is as new."""
    medium.renew()
    stage = Stage(authority, tmp_path / "stage", source=medium.source)
    yield Person(stage, medium)
    stage.close()
    assert not medium.has_pin_left()


class Person(Browser):
    """Does errands."""

    def __init__(self, stage: Stage, medium) -> None:
        super().__init__(stage)
        self.medium, self.errand = medium, ""

    def begin(self, errand: str) -> None:
        """Opens the page of the bridge that asks for the PIN."""
        self.errand = errand
        if errand == PIN_CHANGE:
            self.open(self.stage.bridge_origin + "/pin")
        else:
            self.open(self.ask(errand, 3))
            assert PURPOSES[errand] in self.find("purpose")
        assert NUMBERS[self.medium.kind][-4:] in self.find("card")

    def type_in(self, pin: str) -> None:
        if self.errand == PIN_CHANGE:
            self.submit("/pin", pin=pin, new_pin=NEW_PIN, new_pin_again=NEW_PIN)
        else:
            self.enter_pin(pin)

    def is_told(self, outcome: Outcome, left: int | None = None) -> None:
        """On the page, and the portal (which hears nothing of PIN changes) by its number."""
        assert outcome.sentence.format(left=left) in self.text
        assert str(outcome.shown) in self.text
        if self.errand != PIN_CHANGE:
            wait_until(lambda: self.stage.row.reports[-1:] and self.stage.row.reports[-1][1] == outcome.number)

    def has_nothing(self) -> None:
        """Neither the portal nor the card has been changed."""
        if self.errand == PIN_CHANGE:
            assert self.medium.pin == PIN
        else:
            assert (self.stage.row.state, self.stage.row.answer) == ("claimed", None)

    def is_done(self) -> None:
        if self.errand == PIN_CHANGE:
            assert Outcome.PIN_CHANGED.sentence in self.text
            assert self.medium.pin == NEW_PIN
            return
        wait_until(lambda: self.stage.row.state == "finished")
        assert self.stage.row.answer["algorithm"] == STATEMENTS[self.medium.kind]
        assert len(self.stage.row.signed) == (3 if self.errand == "batch" else 0)
        page = "signing" if self.errand == "batch" else "pin"
        wait_until(lambda: self.stage.row.reports[-1:] == [(page, Outcome.OK.number)])


def customs_do_not_take(anna: Person) -> bool:
    """The one thing that a kind of card cannot do: no customs profile has ECDSA."""
    return anna.medium.kind == "piv-ec" and anna.errand == "batch"


def is_refused(anna: Person) -> None:
    """Before a try is spent, whatever is typed."""
    anna.is_told(Outcome.ALGORITHM)
    anna.has_nothing()
    assert anna.stage.row.signed == {}


every_errand = pytest.mark.parametrize("errand", [*PURPOSES, PIN_CHANGE])


@every_errand
def test_all_is_well(errand, anna, medium):
    anna.begin(errand)
    anna.type_in(PIN)
    if customs_do_not_take(anna):
        is_refused(anna)
        return
    anna.is_done()
    assert medium.tries == 6


@every_errand
def test_a_wrong_pin_costs_one_try_and_the_right_one_goes_on(errand, anna, medium):
    anna.begin(errand)
    anna.type_in(WRONG_PIN)
    if customs_do_not_take(anna):
        assert medium.tries == 6
        is_refused(anna)
        return
    anna.is_told(wrong_pin(5).outcome, 5)
    anna.has_nothing()
    assert medium.tries == 5
    anna.type_in(PIN)
    anna.is_done()
    assert medium.tries == 6


@every_errand
def test_a_blocked_card_does_nothing(errand, anna, medium):
    medium.renew(tries=0)
    anna.begin(errand)
    anna.type_in(PIN)
    if customs_do_not_take(anna):
        is_refused(anna)
        return
    anna.is_told(Outcome.PIN_BLOCKED)
    anna.has_nothing()
    assert medium.tries == 0


@every_errand
def test_a_pulled_card_is_missed_and_goes_on_when_it_is_back(errand, anna, medium):
    """Pulled while the page asks for the PIN; in a batch after the first signed message."""
    is_batch = errand == "batch" and medium.kind != "piv-ec"
    medium.renew(delay_ms=100 if is_batch else 0)
    anna.begin(errand)
    if is_batch:
        anna.type_in(PIN)
        wait_until(lambda: anna.stage.row.signed)
        medium.pull()
        wait_until(lambda: anna.stage.request.stage == "stopped")
        kept = dict(anna.stage.row.signed)
        anna.open(anna.stage.bridge_origin + anna.stage.request.here)
        anna.is_told(Outcome.REMOVED)
    else:
        medium.pull()
        anna.type_in(PIN)
        anna.is_told(Outcome.NO_CARD)
        anna.has_nothing()
    medium.insert()
    anna.open(anna.url)
    anna.type_in(PIN)
    if customs_do_not_take(anna):
        is_refused(anna)
        return
    anna.is_done()
    if is_batch:
        assert 1 <= len(kept) < 3
        assert kept.items() <= anna.stage.row.signed.items()


@every_errand
def test_an_expired_card_only_changes_its_pin(errand, anna, medium):
    """Who has an expired certificate may still change the PIN: the renewed certificate comes onto the same card."""
    medium.expire()
    anna.begin(errand)
    anna.type_in(PIN)
    if errand == PIN_CHANGE:
        anna.is_done()
        return
    anna.is_told(Outcome.CARD_EXPIRED)
    anna.has_nothing()
    assert medium.tries == 6
