"""Every errand with every kind of card, in every state it can be in, through the bridge's real back ends.

Errands: log in, bind, real-name verification, sign three messages, change the PIN. Cards: e-port applet with RSA and SM2,
PIV with P-256 and RSA, PKCS#11. States: all is well, wrong PIN, blocked, pulled, expired. Each cell looks at what the
person is told (sentence and number), at what the portal got (state, signature verified by `portal_checks`, number of the
outcome), at the tries of the card, and that no PIN is left on it.

The first four stand behind a real pcscd, each as the program that `python -m sandbox.card` is. PKCS#11 is two columns,
since SoftHSM2 can neither be pulled nor blocked: OpenSC's module over the virtual PIV card has all five states; SoftHSM2
has all is well, wrong PIN, expired, and for pulled a token whose files are deleted, which is gone for good.
"""

import pytest
from bridge_stage import PIN, Browser, Stage, free_port, wait_until
from eport_card_bridge.outcomes import Outcome
from matrix_media import BehindOpenSc, InReader, InSoftHsm

from sandbox.card import stack

pytestmark = pytest.mark.xdist_group("pcsc")
WRONG_PIN, NEW_PIN = "11111111", "271828"
PIN_CHANGE = "pin-change"
PURPOSES = {"login": "登录", "bind": "绑定这张卡", "real-name": "单位实名认证", "batch": "推送订单"}
IN_READER = {
    "eport RSA": InReader("eport", "rsa", "8600000000031", "eport-auth-rsa-sha256"),
    "eport SM2": InReader("eport", "sm2", "8600000000048", "eport-auth-sm2-sm3"),
    "PIV P-256": InReader("piv", "ec", "8600000000055", "ecdsa-sha256"),
    "PIV RSA": InReader("piv", "rsa", "8600000000062", "rsa-sha256"),
    "PKCS#11 OpenSC": BehindOpenSc("piv", "rsa", "8600000000079", "rsa-sha256"),
}
MEDIA = IN_READER | {"PKCS#11 SoftHSM2": InSoftHsm("8600000000086", "rsa-sha256")}
every_errand = pytest.mark.parametrize("errand", [*PURPOSES, PIN_CHANGE])
in_reader = pytest.mark.parametrize("medium", IN_READER, indirect=True, scope="module")


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


@pytest.fixture(scope="module", params=MEDIA)
def medium(request, authority, tmp_path_factory, pcscd):
    """A card of each kind."""
    card = MEDIA[request.param]
    card.make(authority, tmp_path_factory.mktemp("card"), pcscd)
    yield card
    card.close()


@pytest.fixture
def anna(medium, authority, tmp_path):
    """Somebody at a PC with portal, bridge and a card that is as new."""
    medium.renew()
    stage = Stage(authority, tmp_path / "stage", source=medium)
    yield Person(stage, medium)
    stage.close()


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
        assert self.medium.number[-4:] in self.find("card")

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
            assert self.medium.holds(PIN)
        else:
            assert (self.stage.row.state, self.stage.row.answer) == ("claimed", None)

    def is_done(self) -> None:
        if self.errand == PIN_CHANGE:
            assert Outcome.PIN_CHANGED.sentence in self.text
            assert self.medium.holds(NEW_PIN)
            assert not self.medium.has_pin_left()
            return
        wait_until(lambda: self.stage.row.state == "finished")
        assert self.stage.row.answer["algorithm"] == self.medium.statement
        assert len(self.stage.row.signed) == (3 if self.errand == "batch" else 0)
        page = "signing" if self.errand == "batch" else "pin"
        wait_until(lambda: self.stage.row.reports[-1:] == [(page, Outcome.OK.number)])
        assert not self.medium.has_pin_left()

    def is_not_taken(self) -> bool:
        """The one errand that a kind of card cannot do: no customs profile has ECDSA. Refused before a try is spent."""
        if self.medium.signs_messages or self.errand != "batch":
            return False
        self.is_told(Outcome.ALGORITHM)
        self.has_nothing()
        assert self.stage.row.signed == {}
        assert self.medium.has_tries(6)
        return True


@every_errand
def test_all_is_well(errand, anna, medium):
    anna.begin(errand)
    anna.type_in(PIN)
    if not anna.is_not_taken():
        anna.is_done()
        assert medium.has_tries(6)


@every_errand
def test_a_wrong_pin_costs_one_try_and_the_right_one_goes_on(errand, anna, medium):
    anna.begin(errand)
    anna.type_in(WRONG_PIN)
    if not anna.is_not_taken():
        anna.is_told(medium.wrong, medium.left)
        assert medium.has_tries(5)
        assert not medium.has_pin_left()
        anna.has_nothing()
        anna.type_in(PIN)
        anna.is_done()
        assert medium.has_tries(6)


@every_errand
@in_reader
def test_a_blocked_card_does_nothing_even_with_the_right_pin(errand, anna, medium):
    medium.block()
    anna.begin(errand)
    anna.type_in(PIN)
    if medium.signs_messages or errand != "batch":
        anna.is_told(Outcome.PIN_BLOCKED)
        anna.has_nothing()
        assert medium.has_tries(0)


@every_errand
@in_reader
def test_a_card_pulled_before_the_pin_is_missed_and_the_errand_goes_on_when_it_is_back(errand, anna, medium):
    anna.begin(errand)
    medium.pull()
    anna.type_in(PIN)
    anna.is_told(medium.gone)
    anna.has_nothing()
    medium.insert()
    anna.open(anna.url)
    anna.type_in(PIN)
    if not anna.is_not_taken():
        anna.is_done()


@in_reader
def test_a_card_pulled_in_the_middle_of_a_batch_goes_on_at_the_first_unsigned_message(anna, medium):
    medium.slow_down()
    anna.begin("batch")
    anna.type_in(PIN)
    if anna.is_not_taken():
        return
    wait_until(lambda: anna.stage.row.signed)
    medium.pull()
    wait_until(lambda: anna.stage.request.stage == "stopped")
    kept = dict(anna.stage.row.signed)
    anna.open(anna.stage.bridge_origin + anna.stage.request.here)
    anna.is_told(medium.torn)
    medium.insert()
    anna.open(anna.url)
    anna.type_in(PIN)
    anna.is_done()
    assert 1 <= len(kept) < 3
    assert kept.items() <= anna.stage.row.signed.items()


@every_errand
@pytest.mark.parametrize("medium", ["PKCS#11 SoftHSM2"], indirect=True, scope="module")
def test_a_token_whose_files_are_deleted_is_gone(errand, anna, medium):
    anna.begin(errand)
    medium.pull()
    anna.type_in(PIN)
    assert not anna.stage.portal.rows or anna.stage.row.answer is None
    anna.is_told(medium.gone)


@every_errand
def test_an_expired_card_changes_its_pin_and_does_nothing_else(errand, anna, medium):
    """The renewed certificate comes onto the same card, so its holder may still choose a PIN."""
    medium.expire()
    anna.begin(errand)
    anna.type_in(PIN)
    if errand == PIN_CHANGE:
        anna.is_done()
    else:
        anna.is_told(Outcome.CARD_EXPIRED)
        anna.has_nothing()
        assert medium.has_tries(6)
