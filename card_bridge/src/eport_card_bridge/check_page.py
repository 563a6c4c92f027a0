"""Page 9609, 检查读卡程序: service, readers, cards and clock of this computer, each finding with its number and mend.

It contacts nothing, asks for no PIN and changes nothing on a card. What a portal may get is a link of numbers.
"""

import asyncio
import datetime
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from typing import Any

from aiohttp import web

from . import VERSION
from .bridge import LOOK_SECONDS, Bridge, take_result
from .guard import PAGES, html
from .origins import BadOrigin, parse_origin
from .outcomes import Outcome, Stop
from .pages import asking
from .readers import CardInReader, Reader, ReaderList, look_at

CHECK = "9609"
RELEASED = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)  # of this version: no right clock is before it
SOON = datetime.timedelta(60)
FEW = 2  # tries
ALGORITHMS = {"rsa": "RSA", "sm2": "SM2（国密）", "ec": "P-256"}
ADVICE = {Outcome.NO_PHRASE, Outcome.SEVERAL_SEEN, Outcome.NOT_CONSENTED}  # nothing is wrong with reader or card
THREADS = 8


@dataclass(frozen=True)
class Seen:
    """One reader: its card, or why there is none to be seen."""

    name: str
    card: CardInReader | None = None
    trouble: Outcome | None = None


class Checker:
    """Looks at all readers at once. A look that hangs is joined by the next one, so reloads take no more threads."""

    def __init__(self, source: ReaderList) -> None:
        self._source = source
        self._pool = ThreadPoolExecutor(THREADS)
        self._looks: dict[object, asyncio.Future] = {}  # by reader, and by the source for its list

    async def look(self) -> list[Seen]:
        """Raises Stop: no service, no reader."""
        readers = await self._joined(self._source, self._source.readers)
        return list(await asyncio.gather(*(self._look_at(reader) for reader in readers)))

    async def _look_at(self, reader: Reader) -> Seen:
        try:
            return await self._joined(reader, see, reader)
        except Stop as stop:
            return Seen(reader.name, trouble=stop.outcome)

    async def _joined(self, looked_at: object, function: Callable, *arguments: Any) -> Any:
        work = self._looks.get(looked_at)
        if work is None:
            work = asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)
            self._looks[looked_at] = work
            work.add_done_callback(lambda done: (self._looks.pop(looked_at), take_result(done)))
        await asyncio.wait([work], timeout=LOOK_SECONDS)
        if not work.done():  # another program holds the card for as long as it likes
            raise Stop(Outcome.HELD)
        return work.result()

    async def close(self, app: web.Application) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def see(reader: Reader) -> Seen:
    if not reader.presence()[0]:
        return Seen(reader.name, trouble=Outcome.NO_CARD)
    return Seen(reader.name, look_at(reader))


def judge(seen: list[Seen], now: datetime.datetime) -> list[Outcome]:
    """What is wrong with readers and cards; CHECK_OK alone if nothing is. An empty reader matters only if all are."""
    found = [each.trouble for each in seen if each.trouble not in (None, Outcome.NO_CARD)]
    cards = {each.card.serial: each.card for each in seen if each.card}
    if not found and not cards:
        found.append(Outcome.NO_CARD)
    for card in cards.values():
        found += judge_card(card, now)
    if now < RELEASED:
        found.append(Outcome.CLOCK_OFF)
    if not found:
        found.append(Outcome.CHECK_OK)
    return list(dict.fromkeys(found + [Outcome.SEVERAL_SEEN] * (len(cards) > 1)))


def judge_card(card: CardInReader, now: datetime.datetime) -> list[Outcome]:
    certificate, found = card.certificate, []
    if now > certificate.not_after:
        found.append(Outcome.CARD_EXPIRED)
    elif now < certificate.not_before:
        found.append(Outcome.CARD_NOT_YET_VALID)
    elif certificate.not_after - now < SOON:
        found.append(Outcome.ENDS_SOON)
    if card.tries_left == 0:
        found.append(Outcome.PIN_BLOCKED)
    elif card.tries_left is not None and card.tries_left <= FEW:
        found.append(Outcome.TRIES_FEW)
    return found


def add_check_page(app: web.Application, bridge: Bridge) -> None:
    checker = Checker(bridge.options.source)

    async def show_check(http: web.Request) -> web.Response:
        """GET /check, or /check?portal=<origin> from that portal's page: then the numbers can go back to it."""
        origin = read_portal(http, bridge.options.allow_http_loopback)
        now = datetime.datetime.now(datetime.UTC)
        try:
            seen = await checker.look()
            found = judge(seen, now)
        except Stop as stop:
            seen, found = [], [stop.outcome]
        if not bridge.store.phrase:
            found.append(Outcome.NO_PHRASE)
        if origin and not bridge.store.is_consented(origin):
            found.append(Outcome.NOT_CONSENTED)
        return html(http.app[PAGES].page(CHECK, "检查读卡程序", body_of(seen, found, origin, now)), origin)

    app.router.add_get("/check", show_check, allow_head=False)
    app.on_cleanup.append(checker.close)


def read_portal(http: web.Request, allow_http_loopback: bool) -> str:
    """The origin in the address, "" where there is none; raises Stop for anything else in it."""
    origins = http.query.getall("portal", [])
    if set(http.query) - {"portal"} or len(origins) > 1:
        raise Stop(Outcome.FORM)
    try:
        return parse_origin(origins[0], allow_http_loopback) if origins else ""
    except BadOrigin as error:
        raise Stop(Outcome.ORIGIN) from error


def body_of(seen: list[Seen], found: list[Outcome], origin: str, now: datetime.datetime) -> str:
    parts = ["<p>不用输卡密码，也不连接任何网站。</p>", *map(show_finding, found), describe_computer(seen, found, now)]
    parts += [describe_reader(each) for each in seen]
    if origin:
        parts.append(names_and_values(asking(origin)))
    if origin and Outcome.NOT_CONSENTED not in found:
        numbers = ".".join(str(outcome.shown) for outcome in found)
        link = f"{origin}/device/result?version={VERSION}&found={numbers}"
        parts.append(
            f'<p><a id="back" href="{escape(link)}">把结果带回网站</a></p>'
            f'<p class="hint">只带这些编号：{numbers}。姓名、单位和卡号不带。</p>'
        )
    again = f"/check?portal={origin}" if origin else "/check"
    parts.append(f'<p><a href="{escape(again)}">再看一次</a>　<a href="/settings">设置</a></p>')
    return "".join(parts)


def show_finding(outcome: Outcome) -> str:
    look = "phrase" if outcome is Outcome.CHECK_OK else "warn" if outcome not in ADVICE else "hint"
    mend = "" if outcome is Outcome.CHECK_OK else f'<br><span class="hint">怎么办：{escape(outcome.mend)}</span>'
    return (
        f'<p class="{look}" id="found-{outcome.shown}">{escape(outcome.sentence)} 编号<b>{outcome.shown}</b>{mend}</p>'
    )


def describe_computer(seen: list[Seen], found: list[Outcome], now: datetime.datetime) -> str:
    lines = [
        ("智能卡服务", "没有运行" if Outcome.NO_SERVICE in found else "在运行"),
        ("读卡器", f"{len(seen)}个" if seen else "没有找到"),
        ("电脑的时间", f"{now.astimezone():%Y-%m-%d %H:%M}"),
    ]
    return names_and_values(lines)


def describe_reader(seen: Seen) -> str:
    """Everything stays on this page, which only the user sees."""
    lines = [("读卡器", escape(seen.name))]
    if seen.trouble:
        return names_and_values([*lines, ("卡", f"{escape(seen.trouble.sentence)} 编号{seen.trouble.shown}")])
    card, certificate = seen.card, seen.card.certificate
    dates = [f"{moment.astimezone():%Y-%m-%d}" for moment in (certificate.not_before, certificate.not_after)]
    left = "卡不说" if card.tries_left is None else f"{card.tries_left}次"
    return names_and_values(
        [
            *lines,
            ("卡", escape(f"{certificate.kind}，卡号{card.serial}")),
            ("持卡人", escape(certificate.holder)),
            ("卡是谁家的", escape(certificate.company)),
            ("证书编号", certificate.serial_number),
            ("证书有效期", f"{dates[0]}到{dates[1]}"),
            ("还可以试", left),
            ("算法", ALGORITHMS[certificate.algorithm]),
        ]
    )


def names_and_values(lines: list[tuple[str, str]]) -> str:
    """Both HTML already."""
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in lines) + "</dl>"
