"""HTML of the bridge: no script, nothing loaded; everything that came from a portal is escaped."""

import base64
import hashlib
import math
import time
from html import escape
from pathlib import Path

from . import VERSION
from .origins import has_punycode
from .outcomes import Outcome, Stop
from .readers import CardInReader
from .requests import Request
from .statement import check_number

CONSENT, PIN, PROGRESS, DONE, SETTINGS, START, PIN_CHANGE = "9601", "9602", "9603", "9604", "9605", "9606", "9607"
STYLE = Path(__file__).with_name("pin.css").read_text("utf-8")
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
UNLOCK_PATH = "/unlock"
UPDATES = {Outcome.TOO_OLD, Outcome.PORTAL_TOO_OLD}
SPOKEN = str.maketrans("0123456789", "零幺二三四五六七八九")
PURPOSES = {"login": "登录", "bind": "绑定这张卡", "real-name": "单位实名认证", "batch": "推送订单"}
BUTTONS = {"login": "确认，登录", "bind": "确认，绑定", "real-name": "确认，认证", "batch": "确认，开始推送"}


class Pages:
    """All pages; `hotline` is what the foot tells the user to call."""

    def __init__(self, hotline: str) -> None:
        self._hotline = hotline

    def page(self, number: str, title: str, body: str, refresh: int = 0) -> str:
        again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
        return (
            '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
            f"{again}<title>{escape(title)} - 读卡程序</title>"
            '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
            f'<style>{STYLE}</style></head><body><main><p class="who">这是您电脑上的读卡程序，不是网页</p>'
            f"<h1>{escape(title)}</h1>{body}</main><footer>打不通、看不懂，请打{escape(self._hotline)}，"
            f"报<b>{number}</b>（念作“{number.translate(SPOKEN)}”）。读卡程序{VERSION}版</footer></body></html>"
        )

    def consent(self, origin: str, request_id: str, token: str, has_phrase: bool) -> str:
        phrase = "" if has_phrase else phrase_field("")
        return self.page(
            CONSENT,
            "允许这个网站使用您的卡吗",
            listing([*asking(origin), *check(request_id)])
            + "<p>允许以后，它可以请您用卡登录、绑定和实名认证，每次都要输卡密码。现在还没有和它连接。</p>"
            + form(
                f"/requests/{request_id}/consent",
                {"portal": origin, "token": token},
                phrase + buttons("允许", "不允许"),
            ),
        )

    def pin(self, request: Request, token: str, phrase: str, cards: list[CardInReader], trouble: Stop | None) -> str:
        said = request.stop or trouble
        left = max(0, math.ceil((request.ends if request.code_sent else request.deadline) - time.monotonic()))
        lines = [
            *asking(request.origin),
            *check(request.request_id),
            ("要做什么", words(PURPOSES[request.purpose], "purpose")),
        ]
        lines += [(escape(name), escape(value)) for name, value in request.lines]
        if request.signed:
            lines.append(("签到哪里", f"已经签好{request.signed}份，从第{request.signed + 1}份继续"))
        if len(cards) == 1:
            lines += [
                ("用哪张卡", words(describe(cards[0]), "card")),
                ("卡是谁家的", escape(cards[0].certificate.company)),
            ]
        doing = f"推送{request.documents}单" if request.messages else PURPOSES[request.purpose]
        return self.page(
            PIN,
            f"输入卡密码，{doing}",
            phrase_box(phrase)
            + listing(lines)
            + (warning(said) if said else "")
            + form(
                f"/requests/{request.request_id}/pin",
                {"portal": request.origin, "token": token},
                choice(cards, request.card)
                + pin_field(not request.messages)
                + buttons(BUTTONS[request.purpose], "取消"),
            )
            + f'<p class="hint">请在{duration(left)}内输入。{"推送时不要拔卡。" if request.messages else ""}</p>',
        )

    def reading(self, request: Request) -> str:
        count = f"{len(request.messages)} / {request.to_read}" if request.to_read else "正在连接"
        body = f'<p id="progress">{count}</p><p>正在读取要签的内容，读完请您输卡密码。</p>'
        return self.page(PROGRESS, "正在读取", body, refresh=1)

    def progress(self, request: Request, token: str) -> str:
        total = len(request.messages)
        bar = f'<progress max="{total}" value="{request.signed}"></progress>' if total else ""
        stop = form(
            f"/requests/{request.request_id}/stop",
            {"portal": request.origin, "token": token},
            '<p><button class="plain" id="stop">停下</button></p><p class="hint">签好的都留着，输密码再接着签。</p>',
        )
        going_on = f"{remaining(request)}请不要拔卡。关掉这一页也会接着签。"
        said = "正在停下，签完手上这一份就停。" if request.is_to_pause else going_on
        return self.page(
            PROGRESS,
            "正在签名",
            f'<p><b id="progress">{request.signed} / {total}</b></p>{bar}<p>{said}</p>'
            f"{stop if total and not request.is_to_pause else ''}{way_back(request.origin)}",
            refresh=2,
        )

    def done(self, stop: Stop, origin: str = "") -> str:
        good = stop.outcome is Outcome.OK
        body = f'<p id="outcome">{escape(stop.sentence)}</p>' if good else warning(stop, "outcome")
        links = (way_to_update(origin) if stop.outcome in UPDATES else "") + way_back(origin) if origin else ""
        return self.page(DONE, "办好了" if good else "没有办成", body + links)

    def start(self, requests: list[Request]) -> str:
        items = "".join(
            f'<li><a href="{escape(r.here)}">{escape(r.origin)}：{PURPOSES.get(r.purpose, "正在读取")}'
            f"，已签{r.signed} / {len(r.messages)}</a></li>"
            for r in requests
        )
        body = f"<ul>{items}</ul>" if items else "<p>没有没办完的事。请从网站开始。</p>"
        return self.page(
            START,
            "读卡程序",
            body + '<p><a href="/check">检查读卡程序</a></p><p><a href="/pin">修改卡密码</a></p>'
            '<p><a href="/unlock">用解锁码解锁</a></p><p><a href="/settings">设置</a></p>',
        )

    def pin_change(self, token: str, phrase: str, cards: list[CardInReader], said: list[Stop]) -> str:
        """Without a card it asks for no PIN: the user must see first whose card it is."""
        notices = "".join(warning(stop, identity) for stop, identity in zip(said, ("notice", "trouble"), strict=False))
        if not cards:
            return self.page(PIN_CHANGE, "修改卡密码", notices + '<p>卡插好以后，<a href="/pin">再看一次</a>。</p>')
        fields = (
            choice(cards, None)
            + pin_field(False, "pin", "旧密码")
            + pin_field(False, "new_pin", "新密码", "6到8位数字。不要用生日、电话，也不要用出厂的88888888。")
            + pin_field(False, "new_pin_again", "再输一次新密码", "两次要一样。")
            + buttons("确认，修改密码", "取消")
        )
        shown = listing(whole_card(cards[0])) if len(cards) == 1 else ""
        body = shown + notices + form("/pin", {"token": token}, fields) + '<p class="hint">改的时候不要拔卡。</p>'
        return self.page(PIN_CHANGE, "修改卡密码", phrase_box(phrase) + body)

    def pin_changed(self, stop: Stop) -> str:
        """The end of a PIN change, 9604 like every other end; with a way on if the new PIN is one that all know."""
        more = '<p><a href="/pin">再改一次</a></p>' if stop.outcome is Outcome.PIN_CHANGED_TO_KNOWN else ""
        title = "没有改" if stop.outcome is Outcome.PIN_KEPT else "卡密码改好了"
        return self.page(DONE, title, f'<p id="outcome">{escape(stop.sentence)}</p>{more}')

    def settings(self, token: str, phrase: str, origins: tuple[list[str], list[str]], said: str) -> str:
        consented, signing = ("\n".join(known) for known in origins)
        notice = f'<p class="phrase" id="notice">{escape(said)}</p>' if said else ""
        fields = (
            phrase_field(phrase)
            + area(
                "signing",
                "可以请您签报文的网址",
                signing,
                "一行一个，照抄浏览器里的网址，比如https://www.example.com。",
            )
            + area("consented", "可以请您登录、绑定、实名认证的网址", consented, "不想再允许的，删去那一行。")
        )
        body = notice + form("/settings", {"token": token}, fields + buttons("保存"))
        return self.page(SETTINGS, "读卡程序的设置", body + '<p><a href="/">没办完的事</a></p>')


def pin_field(
    focus: bool, name: str = "pin", label: str = "卡密码", hint: str = "只送进卡里，不上网，也不保存。"
) -> str:
    """Not type=password: the browser would offer to keep the PIN. On a long page the field takes no focus, for that
    would scroll the phrase and the words out of sight."""
    return (
        f'<label for="{name}">{label}</label><p class="hint" id="{name}-hint">{hint}</p>'
        f'<p><input id="{name}" name="{name}" class="pin" type="text" inputmode="numeric" maxlength="16" '
        'autocomplete="off" autocapitalize="off" spellcheck="false" '
        f'aria-describedby="{name}-hint"{" autofocus" if focus else ""}></p>'
    )


def words(text: str, identity: str) -> str:
    return f'<span id="{identity}">{escape(text)}</span>'


def asking(origin: str) -> list[tuple[str, str]]:
    odd = '<br><b class="warn">网址里有特殊字符（xn--），可能冒充别的网站。</b>' if has_punycode(origin) else ""
    return [("谁在请求", f"{words(origin, 'origin')}{odd}")]


def check(request_id: str) -> list[tuple[str, str]]:
    return [("核对号", f'<b class="check" id="check">{check_number(request_id)}</b> 要和网页上的一样')]


def listing(lines: list[tuple[str, str]]) -> str:
    """Names and values, both HTML already."""
    return (
        '<dl id="payload">' + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in lines) + "</dl>"
    )


def phrase_box(phrase: str) -> str:
    if not phrase:
        return (
            '<p class="phrase">您还没有写安全短语。<a href="/settings">现在写一句</a>，以后靠它认出真的读卡程序。</p>'
        )
    return (
        f'<p class="phrase">您自己的安全短语：<b id="phrase">{escape(phrase)}</b><br>'
        '<span class="hint">不是您写的那一句，请马上点“取消”。</span></p>'
    )


def phrase_field(phrase: str) -> str:
    return (
        '<label for="phrase-field">安全短语</label><p class="hint">写一句只有您知道的话。输密码的页面上有它，才是真的。</p>'
        f'<p><input class="text" id="phrase-field" name="phrase" maxlength="30" autocomplete="off" value="{escape(phrase)}"></p>'
    )


def area(name: str, label: str, text: str, hint: str) -> str:
    return (
        f'<label for="{name}">{label}</label><p class="hint">{hint}</p>'
        f'<p><textarea id="{name}" name="{name}" spellcheck="false">{escape(text)}</textarea></p>'
    )


def warning(stop: Stop, identity: str = "notice") -> str:
    """A blocked card's leads to where it is unlocked."""
    more = f'<p><a href="{UNLOCK_PATH}">有解锁码，自己解锁</a></p>' if stop.outcome is Outcome.PIN_BLOCKED else ""
    return (
        f'<p class="warn" role="alert"><span id="{identity}">{escape(stop.sentence)}</span> '
        f"编号<b>{stop.outcome.shown}</b></p>{more}"
    )


def form(action: str, hidden: dict[str, str], body: str) -> str:
    inputs = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items())
    return f'<form method="post" action="{action}" autocomplete="off">{inputs}{body}</form>'


def buttons(yes: str, no: str = "") -> str:
    second = f'<button class="plain" id="no" name="answer" value="no" formnovalidate>{no}</button>' if no else ""
    return f'<p><button id="yes" name="answer" value="yes">{yes}</button>{second}</p>'


def describe(card: CardInReader) -> str:
    certificate = card.certificate
    return "，".join(
        [certificate.kind, certificate.holder, f"卡号后四位{card.serial[-4:]}", *tries_words(card.tries_left)]
    )


def tries_words(left: int | None) -> list[str]:
    """Nothing of a card that does not tell its tries."""
    if left is None:
        return []
    return [f"密码还可以试{left}次" if left else "已经锁住"]


def whole_card(card: CardInReader) -> list[tuple[str, str]]:
    """Number in full, as it is printed on the card: the user compares."""
    certificate = card.certificate
    return [
        ("哪张卡", words(f"{certificate.kind}，卡号{card.serial}", "card")),
        ("持卡人", escape(certificate.holder)),
        ("卡是谁家的", escape(certificate.company)),
        *(("密码", f"{words}，用完卡会锁住" if card.tries_left else words) for words in tries_words(card.tries_left)),
    ]


def choice(cards: list[CardInReader], chosen: CardInReader | None) -> str:
    """One card is named above; of several the user chooses one, none is chosen beforehand."""
    if len(cards) < 2:
        return "".join(f'<input type="hidden" name="card" value="{escape(card.serial)}">' for card in cards)
    options = "".join(
        f'<label><input type="radio" name="card" value="{escape(card.serial)}"'
        f"{' checked' if chosen and chosen.serial == card.serial else ''}> "
        f"{escape(describe(card))}，{escape(card.certificate.company)}</label>"
        for card in cards
    )
    return f'<fieldset id="cards"><legend>用哪张卡</legend>{options}</fieldset>'


def duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    if minutes >= 10 or not rest:
        return f"{minutes}分钟"
    return f"{minutes}分{rest}秒" if minutes else f"{rest}秒"


def remaining(request: Request) -> str:
    begun, before = request.signing_since
    done = request.signed - before
    if done < 3:
        return ""
    seconds = (time.monotonic() - begun) / done * (len(request.messages) - request.signed)
    return f"大约还要{duration(max(1, math.ceil(seconds)))}。"


def way_to_update(origin: str) -> str:
    return f'<p><a id="update" href="{escape(origin)}/downloads">打开网站的下载中心</a></p>'


def way_back(origin: str) -> str:
    return f'<p><a href="{escape(origin)}/card/return">回到网站</a></p>'
