"""What the device doctor can find of browser, clock and way to the card bridge; which step needs which medium."""

import re
from dataclasses import dataclass

from flask import current_app, request

from blueprints.common.access import CARDS, MODULES, SUBMIT, Needs, Principal
from blueprints.common.bridge_words import WORDS, CardWords
from blueprints.common.census import NOBODY
from blueprints.common.devices import words_of
from blueprints.common.numbers import Sentence
from blueprints.common.pages import is_old_explorer
from blueprints.common.proofs import can_sms

OK, TODO, BAD = ("tick", "ok"), ("pencil", "todo"), ("warn", "bad")
VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,3}")
NUMBER = re.compile(r"97[0-9]{2}|907[78][0-9]")
MOST, LONGEST = 20, 200  # numbers of one result; characters of the list that comes by address
GOOD = {"9700", "9741", "9750", "9780"}
ENGINES = ((r"Edge/(\d+)", 79), (r"Firefox/(\d+)", 78), (r"Chrome/(\d+)", 64))  # content/common/browsers.md
PHONES = re.compile(r"Android|iPhone|iPad|Mobile")


@dataclass(frozen=True)
class Finding:
    """One line of a result: what was found, what the helpdesk asks, how it is mended. `look`: icon and tone."""

    number: str
    sentence: str
    question: str
    mend: str
    look: tuple[str, str]

    @property
    def is_well(self) -> bool:
        return self.look == OK


FINE = "不用管，接着看下一项。"
_ROWS = (
    (Sentence("90770", "浏览器合用。"), "用的是哪一种浏览器？", FINE, OK),
    (Sentence("90771", "浏览器太旧，有的页面会打不开。"), "浏览器“关于”里写的是多少版？",
     "升级到新版，或换用“使用前准备”里列的浏览器。", BAD),
    (Sentence("90772", "浏览器在兼容模式。"), "地址栏右边的图标是闪电还是“e”？", "点地址栏右侧的闪电图标，切换到极速模式，再检查一次。", BAD),
    (Sentence("90773", "认不出是哪一种浏览器，没有试过。"), "浏览器叫什么名字？", "能用就接着用；有的页面不对，换用“使用前准备”里列的浏览器。", TODO),
    (Sentence("90774", "这是手机或平板。卡和读卡器要插在电脑上用。"), "手边有装了读卡程序的电脑吗？",
     "查询和填写手机上可以办；要用卡的，请到电脑上打开这一页。", TODO),
    (Sentence("90775", "和网站的连接是加密的。"), "地址栏里的网址和单一窗口的一样吗？", FINE, OK),
    (Sentence("90776", "和网站的连接没有加密。"), "网址开头是https吗？", "自己输入单一窗口的网址重新打开；演示用的网站不加密，可以不管。", TODO),
    (Sentence("90777", "浏览器不收Cookie，登录不了，用卡也回不来。"), "装过清理或隐私软件吗？",
     "在浏览器设置里允许本网站的Cookie，再检查一次。", BAD),
    (Sentence("90778", "电脑的时间是准的。"), "电脑右下角是几点？", FINE, OK),
    (Sentence("90779", "电脑的时间和网站差了两分钟以上，证书会被看成过期。"), "电脑右下角的日期和时间对吗？",
     "在系统的“日期和时间”里打开“自动设置时间”，再检查一次。", BAD),
    (Sentence("90780", "读卡程序开着，网页找得到它。"), "页面上写的是哪一版？", FINE, OK),
    (Sentence("90781", "读卡程序的版本太旧，网站不收。"), "写的是哪一版？", "从“下载”页装新版，重新启动电脑。", BAD),
    (Sentence("90782", "浏览器不许网页找读卡程序。"), "浏览器问过“本地网络”或“此设备上的应用”，点了“禁止”吗？",
     "点地址栏左边的图标，打开网站设置，把“本地网络”或“此设备上的应用”改成“允许”。不改也能用卡：登录和签名走链接，不要这一项。", TODO),
    (Sentence("90783", "读卡程序没有回答：没有装，没有启动，或者还没有允许过这个网站。"), "点“打开读卡程序检查”，打开的是什么页面？",
     "先点“启动读卡程序”；没有反应就到“下载”页安装。链接打得开，就是已经装好了。", TODO),
    (Sentence("90784", "看不出读卡程序在不在：浏览器还没有得到您的答复。"), "浏览器左上角有没有弹出一个小窗，问您允许不允许？",
     "再点一次，在小窗里点“允许”；没有小窗的，直接点“打开读卡程序检查”。", TODO),
)  # fmt: skip
FINDINGS = {row[0].number: Finding(row[0].number, *row) for row in _ROWS}
"""By spoken number. 90777 to 90784 are seen by the browser's script, the others by the server."""
BY_SCRIPT = ("90777", "90778", "90779")
BY_CLICK = ("90780", "90781", "90782", "90783", "90784")
UNKNOWN = Sentence("90789", "读卡程序报的编号比网站新，这里还没有写。")


def of_bridge(words: CardWords) -> Finding:
    return Finding(words.number, words.sentence, words.question, words.mend, OK if words.number in GOOD else BAD)


BRIDGE_FINDINGS = {words.number: of_bridge(words) for words in WORDS.values()}


def finding_of(number: str) -> Finding:
    """A number of a bridge newer than the portal is kept: the helpdesk may know it."""
    newer = Finding(number, UNKNOWN, "读卡程序的页面上写了什么？", "记下编号和页面上的话，报技术组。", TODO)
    return FINDINGS.get(number) or BRIDGE_FINDINGS.get(number) or newer


def read_numbers(text: str) -> list[str]:
    """`9703.90779`, as it comes by an address: each number once, what is none is left out."""
    parts = text[:LONGEST].split(".")
    known = [part for part in parts if NUMBER.fullmatch(part) and (part in FINDINGS or part.startswith("97"))]
    return list(dict.fromkeys(known))[:MOST]


def read_version(text: str) -> str:
    return text if VERSION.fullmatch(text) else ""


def is_too_old(version: str) -> bool:
    least = current_app.config["SETTINGS"].bridge_minimum
    return [int(part) for part in version.split(".")] < [int(part) for part in least.split(".")]


def seen_by_server(version: str = "") -> list[str]:
    """Numbers of what this request shows: browser, kind of device, encryption, the bridge's version if it was told."""
    agent = request.headers.get("User-Agent", "")
    found = [browser_number(agent)]
    if PHONES.search(agent):
        found.append("90774")
    found.append("90775" if request.is_secure else "90776")
    if version and is_too_old(version):
        found.append("90781")
    return found


def browser_number(agent: str) -> str:
    if is_old_explorer():
        return "90772"
    for pattern, least in ENGINES:
        if match := re.search(pattern, agent):
            return "90770" if int(match[1]) >= least else "90771"
    return "90773"


def browser_words(agent: str) -> str:
    """「Chrome 109，Windows 7」: the version is that of the engine, which decides what works."""
    match = next((match for pattern, _ in ENGINES if (match := re.search(pattern, agent))), None)
    name, comma, system = words_of(agent).partition("，")
    return f"{name}{' ' + match[1] if match else ''}{comma}{system}"


# -- which step needs which medium

STEPS = (
    ("绑定卡", "account.start_binding", "要绑定的那张卡"),
    ("单位实名认证", "realname.start_card", "本单位的卡，或者银行Ukey"),
    ("推送订单", "exports.sign_again", "本单位的法人卡或操作员卡"),
    ("换海关编码", "account.save_qualifications", ""),
)
"""(step, the view that does it, what is put in while it is done). The rest follows from the view's needs."""


def mediums() -> dict[str, str]:
    """Ways to log in, in words."""
    return {"password": "账号密码"} | ({"sms": "手机号"} if can_sms() else {}) | {card: card for card in CARDS}


def media_table() -> list[tuple[str, list[str], str]]:
    """[(step, what is said of each way to log in, what is put in)]."""
    rows = [("登录", ["可以" if medium not in CARDS else "可以，插这张卡" for medium in mediums()], "")]
    for step, endpoint, put_in in STEPS:
        needs = current_app.view_functions[endpoint].page.needs
        rows.append((step, [who_may(needs, medium) for medium in mediums()], put_in))
    rows.append(("修改卡密码", ["不用登录"] * len(mediums()), "要改密码的那张卡"))
    return rows


def who_may(needs: Needs, medium: str) -> str:
    """With this way to log in: 可以 for everybody who has the rights, 管理员可以, or 不能."""
    for role, words in (("operator", "可以"), ("administrator", "管理员可以")):
        if not needs.unmet(_somebody(role, medium)):
            return words
    return "不能"


def _somebody(role: str, medium: str) -> Principal:
    """One to whom nothing is missing but what the way to log in may lack."""
    return Principal(user_id=NOBODY, name="", role=role, enterprise_id=NOBODY, code="0", level=3, medium=medium,
                     rights=dict.fromkeys(MODULES, SUBMIT))  # fmt: skip
