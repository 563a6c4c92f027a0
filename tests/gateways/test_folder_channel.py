"""The folder channel: a file is whole or absent, whatever moment the program dies at, and sending again harms nothing."""

import os
import subprocess
import sys
import threading
import time

import pytest

from gateways.customs_dxp import folder_channel
from gateways.customs_dxp.folder_channel import FolderChannel
from gateways.customs_dxp.hardened_xml import MAX_BYTES
from gateways.customs_dxp.port import ContentDiffers

NAME = "CEB303Message_DXPENT0000000017_DXPEDCCEB0000003_A-1.xml"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "enterprise"


@pytest.fixture
def channel(root):
    return FolderChannel(root)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_sent_file_lies_in_out_box_under_its_own_name(channel, root):
    channel.send(NAME, b"<a/>")
    assert names(root / "OutBox") == [NAME]
    assert (root / "OutBox" / NAME).read_bytes() == b"<a/>"


def test_the_same_file_sent_again_changes_nothing(channel, root):
    channel.send(NAME, b"<a/>")
    channel.send(NAME, b"<a/>")
    assert names(root / "OutBox") == [NAME]


def test_a_file_that_customs_has_taken_can_be_sent_again(channel, root):
    channel.send(NAME, b"<a/>")
    (root / "OutBox" / NAME).rename(root / "SentBox" / NAME)
    channel.send(NAME, b"<a/>")
    assert names(root / "OutBox") == [NAME]


@pytest.mark.parametrize("place", ["OutBox", "SentBox", "FailBox"])
def test_one_name_never_gets_two_contents(channel, root, place):
    (root / place / NAME).write_bytes(b"<a/>")
    with pytest.raises(ContentDiffers):
        channel.send(NAME, b"<b/>")
    assert names(root / "OutBox") == ([NAME] if place == "OutBox" else [])


@pytest.mark.parametrize(
    "name", ["../x.xml", "/etc/x.xml", "a/b.xml", ".hidden.xml", "x.txt", "x.xml.tmp", "x\0.xml", ""]
)
def test_a_name_that_leaves_the_folder_is_refused(channel, root, name):
    with pytest.raises(ValueError, match="file name"):
        channel.send(name, b"<a/>")
    assert names(root / "OutBox") == []
    with pytest.raises((ValueError, FileNotFoundError)):
        channel.acknowledge(name)


CRASH = """
import os, sys
from pathlib import Path
from gateways.customs_dxp.folder_channel import FolderChannel
channel, point = FolderChannel(Path(sys.argv[1])), sys.argv[2]
calls = {"fsync": os.fsync, "replace": os.replace}
name, when = point.split("-")
def crash(*arguments):
    if when == "after":
        calls[name](*arguments)
    os._exit(9)
setattr(os, name, crash)
channel.send(sys.argv[3], b"<a/>" * 10_000)
"""


@pytest.mark.parametrize("point", ["fsync-before", "fsync-after", "replace-before", "replace-after"])
def test_killed_at_any_point_the_file_is_whole_or_absent_and_sending_again_mends_it(channel, root, point):
    done = subprocess.run([sys.executable, "-c", CRASH, str(root), point, NAME], check=False)
    assert done.returncode == 9
    visible = [path for path in (root / "OutBox").iterdir() if path.suffix == ".xml"]
    assert [path.read_bytes() for path in visible] == ([b"<a/>" * 10_000] if point == "replace-after" else [])
    channel.send(NAME, b"<a/>" * 10_000)
    assert (root / "OutBox" / NAME).read_bytes() == b"<a/>" * 10_000


def test_the_bytes_are_on_disk_before_the_name_and_the_folder_after(channel, monkeypatch):
    steps = []
    for name in ("fsync", "replace"):
        call = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, call=call: (steps.append(name), call(*a))[1])
    channel.send(NAME, b"<a/>")
    assert steps == ["fsync", "replace", "fsync"]


def test_a_full_disk_leaves_nothing_behind(channel, root, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_channel.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        channel.send(NAME, b"<a/>")
    assert names(root / "OutBox") == []


def test_two_workers_that_send_the_same_file_never_show_half_of_it(channel, root):
    data, half, stop = b"<a/>" * 50_000, [], threading.Event()

    def look():
        while not stop.is_set():
            try:
                half.extend(1 for path in (root / "OutBox").glob("*.xml") if path.read_bytes() != data)
            except FileNotFoundError:
                continue

    watcher = threading.Thread(target=look)
    watcher.start()
    workers = [threading.Thread(target=lambda: [channel.send(NAME, data) for _ in range(10)]) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    stop.set()
    watcher.join()
    assert not half
    assert names(root / "OutBox") == [NAME]


def test_what_a_crash_left_is_swept_after_an_hour_and_not_before(channel, root):
    old, young = root / "OutBox" / f"{NAME}.aa.tmp", root / "OutBox" / f"{NAME}.bb.tmp"
    old.write_bytes(b"<")
    young.write_bytes(b"<")
    os.utime(old, (time.time() - 7200,) * 2)
    assert channel.sweep() == 1
    assert names(root / "OutBox") == [young.name]


def test_answers_come_oldest_first_and_again_until_acknowledged(channel, root):
    for age, name in ((10, "b.xml"), (20, "a.xml"), (5, "c.xml.tmp")):
        (root / "InBox" / name).write_bytes(name.encode())
        os.utime(root / "InBox" / name, (time.time() - age,) * 2)
    (root / "InBox" / "folder.xml").mkdir()
    (root / "InBox" / "link.xml").symlink_to("/etc/hostname")
    assert list(channel.receive()) == [("a.xml", b"a.xml"), ("b.xml", b"b.xml")]
    channel.acknowledge("a.xml")
    channel.acknowledge("a.xml")
    assert [name for name, _ in channel.receive()] == ["b.xml"]
    assert (root / "ReadBox" / "a.xml").read_bytes() == b"a.xml"


def test_an_answer_that_another_worker_took_meanwhile_is_left_out(channel, root):
    for name in ("a.xml", "b.xml"):
        (root / "InBox" / name).write_bytes(b"x")
    answers = channel.receive()
    next(answers)
    channel.acknowledge("b.xml")
    assert list(answers) == []


def test_an_answer_that_never_came_cannot_be_acknowledged(channel):
    with pytest.raises(FileNotFoundError):
        channel.acknowledge("never.xml")


def test_of_an_answer_too_large_only_so_much_is_read_that_the_parser_refuses_it(channel, root):
    with open(root / "InBox" / "big.xml", "wb") as file:
        file.truncate(20 * MAX_BYTES)
    assert [len(data) for _, data in channel.receive()] == [MAX_BYTES + 1]
