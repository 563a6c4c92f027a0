"""The single window's import client and 货物申报: takes zips with a DecMessage from folders, answers in words (import-client-folder.md).

Its reading of the message is its own. A taken declaration is 暂存 there; the sandbox then plays the person who declares it.
"""

import hashlib
import io
import logging
import os
import re
import threading
import time
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from flask import Blueprint, render_template

from sandbox.customs.envelope import SHANGHAI
from sandbox.customs.ledger import Ledger
from sandbox.moods import Mood, get_mood
from sandbox.store import Store
from sandbox.web import done, given, refused, world

PARTY, KIND = "single-window", "declaration"
PAUSE = 0.5  # seconds between two looks into the folders
LARGEST = 4 << 20  # bytes of a message
ORDER_PAPER = "10000004"
SORTS = {"9710": "B", "9810": "W"}
CHANNELS = {"7": "申报成功", "L": "海关已接收", "P": "放行", "R": "已结关", "Z": "退回修改", "D": "删单"}
DEC = "{http://www.chinaport.gov.cn/dec}"
NEEDED = ("TradeMode", "TradeCode", "TradeName", "CustomMaster", "IEPort", "AgentCode", "OwnerName", "TrafMode", "PackNo",
          "GrossWet", "NetWt", "WrapType", "TradeCountry", "TradeAreaCode", "DistinatePort", "EntyPortCode")  # fmt: skip
SHAPES = {"CodeTS": r"\d{10}", "GQty": r"\d+(\.\d{1,5})?", "DeclTotal": r"\d+(\.\d{1,5})?", "GUnit": r"\d{3}",
          "TradeCurr": "[A-Z]{3}", "OriginCountry": "[A-Z]{3}", "GModel": r"(?s:.+)", "GName": r"(?s:.+)"}  # fmt: skip
bp = Blueprint(PARTY, __name__, url_prefix=f"/{PARTY}")
log = logging.getLogger(__name__)


class NotTaken(Exception):
    """The client does not take the file; the text says why, in Chinese."""


@dataclass
class Paper:
    """A declaration that was taken, or not (`why`)."""

    number: str
    folder: str
    digest: str
    taken: float
    manner: str
    due: float
    seq_no: str
    why: str = ""
    channel: str = ""
    is_answered: bool = False


class SingleWindow:
    """`look()` does one round; `start()` does rounds in a thread of its own until `stop()`."""

    def __init__(self, root: Path, store: Store, ledger: Ledger):
        self.root, self.store, self.ledger = root, store, ledger
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=PARTY, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(PAUSE):
            try:
                self.look()
            except OSError:
                log.exception("single window")

    def look(self) -> None:
        """One round through all folders, then the answers that are due."""
        mood = get_mood(self.store, PARTY)
        if mood.name == "down":
            return
        for path in sorted(self.root.glob("declarations-*/OutBox/*.zip")):
            self._take(path, mood)
        for paper in self.papers():
            if not paper.is_answered and paper.due <= time.time():
                self.answer(paper)

    def papers(self) -> list[Paper]:
        rows = [{key: value for key, value in row.items() if key != "revision"} for row in self.store.all(KIND)]
        return sorted((Paper(**row) for row in rows), key=lambda paper: -paper.taken)

    def keep(self, paper: Paper) -> None:
        self.store.put(KIND, paper.number, vars(paper))

    def _take(self, path: Path, mood: Mood) -> None:
        """Decided and stored before the file moves: after a crash it is still in OutBox and is known."""
        data, folder, now = path.read_bytes(), path.parents[1], time.time()
        digest = hashlib.sha256(data).hexdigest()
        known = next((paper for paper in self.papers() if paper.number == path.stem), None)
        due, is_silent = now + (mood.seconds if mood.name == "late" else 0), mood.name == "silent"
        if known and known.digest == digest:
            known.is_answered, known.manner, known.due = is_silent, mood.name, due
            self.keep(known)
        elif known:
            self._reject(folder, path.stem, "同一编号已用于另一份内容")
        else:
            seq_no = f"E{datetime.now(SHANGHAI):%Y}{self.ledger.next_serial():013d}"
            why = mood.reason if mood.name == "refuse" else self._judge(path.stem, data)
            self.keep(Paper(path.stem, folder.name, digest, now, mood.name, due, seq_no, why, is_answered=is_silent))
        is_bad = bool(known and known.digest != digest)
        box = folder / ("FailBox" if is_bad else "SentBox") / (f"{datetime.now(SHANGHAI):%Y-%m-%d}" if is_bad else "")
        box.mkdir(parents=True, exist_ok=True)
        os.replace(path, box / path.name)

    def _judge(self, number: str, data: bytes) -> str:
        """Why it is not taken, "" if it is."""
        try:
            self._check(number, read(number, data))
        except NotTaken as refusal:
            return str(refusal)
        return ""

    def _check(self, number: str, root: ElementTree.Element) -> None:
        head = {node.tag.removeprefix(DEC): node.text or "" for node in root.iterfind(f"{DEC}DecHead/*")}
        if root.findtext(f"{DEC}DecSign/{DEC}ClientSeqNo") != number:
            raise NotTaken("文件名和ClientSeqNo不一样")
        if missing := [name for name in NEEDED if not head.get(name)]:
            raise NotTaken(f"表头没有填：{'、'.join(missing)}")
        if head["TradeMode"] not in SORTS or head.get("IEFlag") != "E":
            raise NotTaken("这里只收9710、9810的出口报关单")
        lines = root.findall(f"{DEC}DecLists/{DEC}DecList")
        if not lines:
            raise NotTaken("没有商品")
        for place, line in enumerate(lines, 1):
            for name, shape in SHAPES.items():
                if not re.fullmatch(shape, line.findtext(DEC + name) or ""):
                    raise NotTaken(f"第{place}项商品的{name}不对")
        self._check_orders(head, root)

    def _check_orders(self, head: dict, root: ElementTree.Element) -> None:
        papers = [
            node for node in root.findall(f"{DEC}EdocRealation") if node.findtext(f"{DEC}EdocCode") == ORDER_PAPER
        ]
        if not papers:
            raise NotTaken(f"没有跨境电商B2B出口单证（{ORDER_PAPER}）")
        for paper in papers:
            number = paper.findtext(f"{DEC}EdocID") or ""
            found = [
                one for one in self.ledger.find_all("303", number) if number and one.sort == SORTS[head["TradeMode"]]
            ]
            if not any(head["TradeCode"] in one.said for one in found):
                raise NotTaken(f"海关没有这家企业的订单或订仓单{number}")

    # answers

    def _reject(self, folder: Path, number: str, why: str) -> None:
        drop(folder / "InBox", f"Failed_{number}", response(number, "", why))

    def answer(self, paper: Paper) -> None:
        """What was decided, in the manner of its day."""
        box, made = self.root / paper.folder / "InBox", []
        made.append(
            (
                f"{'Failed' if paper.why else 'Successed'}_{paper.number}",
                response(paper.number, paper.seq_no, paper.why),
            )
        )
        if not paper.why:
            made += [(f"Receipt_{paper.number}", self.receipt(paper, channel, paper.taken + place))
                     for place, channel in enumerate("7L", 1)]  # fmt: skip
            paper.channel = "L"
        if paper.manner == "garbled":
            made = [(made[0][0], made[0][1][: len(made[0][1]) // 2])]
        if paper.manner == "reversed":
            made.reverse()
        for name, content in made * (2 if paper.manner == "twice" else 1):
            drop(box, name, content)
        paper.is_answered = True
        self.keep(paper)

    def move_on(self, paper: Paper, channel: str, words: str) -> None:
        """A receipt of a later state."""
        paper.channel = channel
        drop(
            self.root / paper.folder / "InBox",
            f"Receipt_{paper.number}",
            self.receipt(paper, channel, time.time(), words),
        )
        self.keep(paper)

    def receipt(self, paper: Paper, channel: str, moment: float, words: str = "") -> bytes:
        at = datetime.fromtimestamp(moment, SHANGHAI)
        entry = f"0401{at:%Y}0{paper.seq_no[-9:]}" if channel not in "7" else ""
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><DEC_DATA><DEC_RESULT><CUS_CIQ_NO>{paper.seq_no}</CUS_CIQ_NO><ENTRY_ID>{entry}'
            f"</ENTRY_ID><NOTICE_DATE>{at:%Y-%m-%dT%H:%M:%S}</NOTICE_DATE><CHANNEL>{channel}</CHANNEL>"
            f"<NOTE>{escape(words or CHANNELS[channel])}</NOTE></DEC_RESULT></DEC_DATA>"
        ).encode()


def read(number: str, data: bytes) -> ElementTree.Element:
    """The DecMessage in a zip. Raises NotTaken."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if names != [f"{number}.xml"] or archive.getinfo(names[0]).file_size > LARGEST:
                raise NotTaken("压缩包里要正好有一份同名的XML，最大4M")
            content = archive.read(names[0])
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        raise NotTaken("压缩包打不开") from error
    if b"<!DOCTYPE" in content:
        raise NotTaken("XML里不能有DOCTYPE")
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise NotTaken("XML读不懂") from error
    if root.tag != f"{DEC}DecMessage":
        raise NotTaken("不是报关单（DecMessage）")
    return root


def response(number: str, seq_no: str, why: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><DecImportResponse xmlns="{DEC[1:-1]}"><ResponseCode>{-1 if why else 0}'
        f"</ResponseCode><ErrorMessage>{escape(why or '导入成功')}</ErrorMessage><ClientSeqNo>{escape(number)}</ClientSeqNo>"
        f"<SeqNo>{'' if why else seq_no}</SeqNo><TrnPreId/></DecImportResponse>"
    ).encode()


def drop(folder: Path, name: str, content: bytes) -> None:
    """Puts a file into a box so that nobody ever sees half of it."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}_{datetime.now(SHANGHAI):%Y%m%d%H%M%S%f}.xml"
    part = target.with_suffix(".xml.tmp")
    part.write_bytes(content)
    part.rename(target)


# -- pages


@bp.get("/")
def show_window():
    return render_template("declarations.html", papers=world().single_window.papers()[:50], channels=CHANNELS)


@bp.post("/advance")
def advance():
    """number, channel, words: the receipt of a later state."""
    fields, window = given(), world().single_window
    number, channel = str(fields.get("number", "")), str(fields.get("channel", ""))
    paper = next((one for one in window.papers() if one.number == number and not one.why), None)
    if paper is None or channel not in CHANNELS:
        return refused("没有收过这份报关单，或没有这种状态", f"/{PARTY}/")
    window.move_on(paper, channel, str(fields.get("words", "")).strip())
    return done(f"报关单{number}：{CHANNELS[channel]}。", f"/{PARTY}/", {"number": number, "channel": channel})
