"""The same work through pcscd and the virtual reader: reset at the end, pulled card, a second process after the PIN."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from bridge_stage import PIN, Browser, free_port, wait_until
from eport_card_bridge.outcomes import Stop
from eport_card_bridge.pcsc import PcscReaders

from sandbox.card import stack
from sandbox.card.state import change_state, read_state

pytestmark = pytest.mark.xdist_group("pcsc")
ROOT = Path(__file__).parents[2]

SECOND = textwrap.dedent("""
    import sys
    from smartcard import scard as s
    rc, c = s.SCardEstablishContext(s.SCARD_SCOPE_USER)
    rc, names = s.SCardListReaders(c, [])
    both = s.SCARD_PROTOCOL_T0 | s.SCARD_PROTOCOL_T1
    rc, h, p = s.SCardConnect(c, [n for n in names if "00 00" in n][0], s.SCARD_SHARE_SHARED, both)
    print("connected", flush=True)
    pci = s.SCARD_PCI_T1 if p == s.SCARD_PROTOCOL_T1 else s.SCARD_PCI_T0
    if "--select" in sys.argv:
        s.SCardTransmit(h, pci, list(bytes.fromhex("00A404000AF045503143415244000100")))
    sign = list(bytes.fromhex("0088000020" + "00" * 32 + "00"))
    rc, r = s.SCardTransmit(h, pci, sign)
    if rc == s.SCARD_W_RESET_CARD:
        s.SCardReconnect(h, s.SCARD_SHARE_SHARED, both, s.SCARD_LEAVE_CARD)
        rc, r = s.SCardTransmit(h, pci, sign)
    print("status", bytes(r or [])[-2:].hex())
    s.SCardDisconnect(h, s.SCARD_LEAVE_CARD)
""")


@pytest.fixture(scope="module")
def pcscd(tmp_path_factory):
    """A private pcscd with two virtual slots; gives the port of the first."""
    folder, port = tmp_path_factory.mktemp("pcscd"), free_port()
    try:
        stack.start(folder, port)
    except stack.StackError as error:
        pytest.skip(str(error))
    yield port
    stack.stop(folder)


class Program:
    """The card as a process of its own, put into a slot of pcscd."""

    def __init__(self, stage, port: int, delay_ms: int = 0) -> None:
        self.stage, self.port, self.process = stage, port, None
        self.state = stage.folder / "card.json"
        self.state.write_bytes(stage.authority.sm2_card.read_bytes())
        change_state(self.state, delay_ms=delay_ms)
        self.insert()

    def insert(self) -> None:
        command = [sys.executable, "-m", "sandbox.card", "--state", str(self.state), "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT)
        wait_until(lambda: self.reader.presence()[0])

    def pull(self) -> None:
        self.process.terminate()
        self.process.wait(5)
        time.sleep(0.5)  # pcscd looks every 0.4 s; a card that is back sooner is not seen as a new one
        wait_until(lambda: not self.reader.presence()[0])

    @property
    def reader(self):
        return next(reader for reader in self.stage.reader.readers() if "00 00" in reader.name)


@pytest.fixture
def put_in(pcscd, new_stage):
    cards = []

    def start(delay_ms=0):
        stage = new_stage(source=PcscReaders())
        cards.append(Program(stage, pcscd, delay_ms))
        return stage, cards[-1], Browser(stage)

    yield start
    for card in cards:
        card.pull()


def second_process(*options) -> str:
    command = [sys.executable, "-c", SECOND, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout


def test_without_the_service_the_page_says_so(new_stage):
    """Stands first: later tests of this file keep a pcscd running."""
    if os.path.exists("/run/pcscd/pcscd.comm"):
        pytest.skip("a pcscd is running")
    stage = new_stage(source=PcscReaders())
    anna = Browser(stage)
    assert "智能卡服务没有运行" in anna.open(anna.ask()).text
    assert "9701" in anna.text


def test_login_leaves_no_pin_on_the_card(put_in):
    _, _, anna = put_in()
    assert "state=finished" in anna.open(anna.ask()).enter_pin().text
    assert "status 6985" in second_process()
    assert "status 6982" in second_process("--select")


def test_control_without_reset_any_process_could_sign(put_in):
    """Why the reset is needed: the same work ended with LEAVE_CARD hands the PIN to the next process."""
    _, card, _ = put_in()
    with card.reader.card(reset=False) as opened:
        opened.verify_pin(PIN)
    assert "status 9000" in second_process()


def test_the_insertion_counter_changes_with_the_card_not_with_a_reset(put_in):
    _, card, _ = put_in()
    before = card.reader.presence()
    with card.reader.card():
        pass
    assert card.reader.presence() == before
    card.pull()
    assert card.reader.presence()[0] is False
    card.insert()
    assert card.reader.presence()[1] != before[1]


def test_two_wrong_pins_then_out_and_in(put_in):
    _, card, anna = put_in()
    anna.open(anna.ask()).enter_pin("11111111")
    assert "拔出" in anna.enter_pin("22222222").enter_pin(PIN).text
    card.pull()
    card.insert()
    assert "state=finished" in anna.enter_pin(PIN).text


def test_the_pin_is_changed_and_nothing_is_left_on_the_card(put_in):
    stage, card, anna = put_in()
    anna.open(stage.bridge_origin + "/pin").submit("/pin", pin=PIN, new_pin="271828", new_pin_again="271828")
    assert "卡密码已经改好" in anna.text
    assert read_state(card.state)["pin"] == "271828"
    assert "status 6985" in second_process()
    assert "state=finished" in anna.open(anna.ask()).enter_pin("271828").text


def test_a_second_process_waits_and_then_finds_no_pin(put_in):
    """Started in the middle of the batch, after the PIN: it gets nothing before the transaction ends."""
    stage, _, anna = put_in(delay_ms=150)
    anna.open(anna.ask("batch", 5)).enter_pin()
    wait_until(lambda: len(stage.row.signed) >= 1)
    said = second_process()
    assert len(stage.row.signed) == 5
    assert "status" in said
    assert "9000" not in said


def test_a_card_pulled_and_put_back_goes_on(put_in):
    stage, card, anna = put_in(delay_ms=150)
    anna.open(anna.ask("batch", 6)).enter_pin()
    wait_until(lambda: len(stage.row.signed) >= 2)
    card.pull()
    wait_until(lambda: stage.request.stage == "stopped")
    assert 2 <= stage.request.signed < 6
    card.insert()
    anna.open(stage.bridge_origin + stage.request.here).enter_pin()
    wait_until(lambda: stage.row.state == "finished")


def test_the_empty_slot_is_not_taken_for_the_reader_with_the_card(put_in):
    stage, _, anna = put_in()
    assert len(stage.reader.readers()) == 2
    assert 'type="radio"' not in anna.open(anna.ask()).text
    with pytest.raises(Stop):
        PcscReaders("no such reader").readers()
