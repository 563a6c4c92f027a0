"""The two tours of the demonstration, walked by any of the browsers. `docs/tours.md` tells them to people."""

import io
import time
from dataclasses import dataclass

import openpyxl
import requests

from stack.seed import PASSWORD

PIN = "88888888"
CAPTCHA = "XXXXX"


@dataclass
class World:
    """Addresses of the running programs, and what a person does at the sandbox's own pages."""

    portal: str
    sandbox: str
    bridge: str

    def insert_card(self, number: str) -> None:
        self._post(f"/cards/{number}/insert")
        time.sleep(1)  # pcscd looks for cards every 0.4 s; a hand is slower

    def eject_card(self) -> None:
        self._post("/cards/eject")
        time.sleep(1)

    def issue_card(self, **card) -> str:
        return self._post("/cards", card)["number"]

    def download(self, name: str) -> bytes:
        answer = requests.get(f"{self.sandbox}/downloads/{name}", timeout=20)
        answer.raise_for_status()
        return answer.content

    def workbook(self, name: str, mark: str = "") -> bytes:
        """A workbook of the sandbox; with `mark` its order numbers are new ones, for a tour that is walked again."""
        data = self.download(name)
        if not mark:
            return data
        book = openpyxl.load_workbook(io.BytesIO(data))
        for row in book.active.iter_rows(min_row=2, max_col=1):
            if row[0].value:
                row[0].value = f"{row[0].value}{mark}"
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    def mails_to(self, address: str) -> list[dict]:
        return requests.get(f"{self.sandbox}/mail/messages.json", params={"to": address}, timeout=20).json()

    def messages_to(self, number: str) -> list[dict]:
        return requests.get(f"{self.sandbox}/sms/messages.json", params={"to": number}, timeout=20).json()

    def statistics(self) -> dict:
        return requests.get(f"{self.sandbox}/customs/statistics", timeout=20).json()

    def mood(self, party: str, mood: str, **more) -> None:
        self._post(f"/moods/{party}", {"mood": mood, **more})

    def reset(self) -> None:
        self._post("/reset")

    def _post(self, path: str, data: dict | None = None):
        answer = requests.post(self.sandbox + path, json=data or {}, timeout=60)
        assert answer.ok, answer.text[:300]
        return answer.json()


def log_in(world: World, browser, user: str, password: str = PASSWORD):
    browser.open(f"{world.portal}/login")
    browser.submit("登 录", user=user, password=password, captcha=CAPTCHA)
    return browser


def log_out(browser):
    return browser.submit("退出")


def sign(browser, first_time: bool = False):
    """From the page with the check number through the bridge's PIN page and back."""
    browser.follow("在本页打开")
    if first_time and "允许" in browser.main:
        browser.submit("允许")
    return browser.submit("确认", pin=PIN)


def short_tour(world: World, browser, mark: str = "") -> None:
    """From a workbook with a wrong row to the customs' answer."""
    world.insert_card("8600000000101")
    browser.open(f"{world.portal}/")
    browser.follow("跨境电商")
    browser.submit("登 录", user="demo01", password=PASSWORD, captcha=CAPTCHA)
    browser.follow("创建申报任务")
    book = {"file": ("bad.xlsx", world.workbook("orders-bad.xlsx", mark))}
    browser.submit("导入", book, client_number=f"ceshi{mark or 111}", strategy="9710美金")
    browser.wait_for("行要改")
    browser.follow("补充导入")
    browser.submit("导入", {"file": ("good.xlsx", world.workbook("orders-good.xlsx", mark))})
    browser.wait_for("已经存好")
    push_all(browser)
    browser.follow("的经过")
    assert "海关入库" in browser.main, browser.main


NEWCOMER = "91130100PDY000116Y"


def long_tour(world: World, browser, official) -> None:
    """A company from nothing to its first declaration; `official` is the browser of the review desk."""
    register(world, browser)
    mend_what_is_returned(world, browser, official)
    log_in(world, browser, "newcomer")
    take_code_and_card(world, browser)
    get_transmission_id(world, browser, official)
    set_up_exports(browser)
    browser.follow("基础数据导入")
    browser.follow("创建申报任务")
    book = world.workbook("orders-good.xlsx", "L")
    browser.submit("导入", {"file": ("good.xlsx", book)}, client_number="xinlai1", strategy="9710美金")
    browser.wait_for("存好")
    push_all(browser)
    browser.follow("订单查询(未审结)")
    assert "TYDH005L" in browser.main


def register(world: World, browser) -> None:
    browser.open(f"{world.portal}/")
    browser.follow("注册")
    browser.submit("开始填写")
    browser.submit("填入示例")
    browser.submit("填入示例")
    browser.submit("保存，去下一步")  # contacts, all optional
    browser.submit("填入示例")
    browser.submit("保存，去下一步", {"licence": ("执照.png", world.download("uscc-certificate.png"))})
    browser.submit("提交")
    assert "受理编号" in browser.main


def mend_what_is_returned(world: World, browser, official) -> None:
    receipt = browser.url
    log_in(world, official, "shenhe1")
    official.follow("审核新来工贸")
    official.submit("退回写了原因的项", **{"why:company/address": "单位地址没有写到门牌号"})
    wait_for_mail(world, "newcomer@example.com", "退回")
    browser.open(receipt)
    browser.follow("去修改")
    browser.submit("保存，去下一步", address="河北省石家庄市示例区样张路11号2层")
    browser.submit("提交")
    official.open(f"{world.portal}/reviews/")
    official.follow("审核新来工贸")
    assert "改了的1项" in official.main
    official.submit("全部通过")
    wait_for_mail(world, "newcomer@example.com", "通过")


def wait_for_mail(world: World, address: str, words: str, seconds: float = 20) -> dict:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = [mail for mail in world.mails_to(address) if words in mail["subject"]]
        if found:
            return found[-1]
        time.sleep(0.3)
    raise AssertionError(f"no mail 「{words}」 to {address}")


def take_code_and_card(world: World, browser) -> None:
    """The customs code came from the register by itself; the card is issued by the sandbox and bound by its own PIN."""
    browser.follow("单位管理员信息")
    browser.wait_for("1301960011")
    if browser.can_press("重新登录"):  # the register answered after the login
        browser.submit("重新登录")
    number = world.issue_card(uscc=NEWCOMER, kind="01", algorithm="sm2")
    world.insert_card(number)
    browser.open(f"{world.portal}/member")
    browser.follow("我的IC卡")
    browser.submit("绑定")
    sign(browser, first_time=True)
    assert number[-4:] in browser.main, browser.main[:600]


def get_transmission_id(world: World, browser, official) -> None:
    browser.open(f"{world.portal}/member")
    browser.follow("传输ID申请")
    browser.submit("开始填写")
    browser.submit("填入示例")
    browser.submit("填入示例")
    browser.submit("填入示例")
    browser.submit("保存，去下一步", {"licence": ("执照.png", world.download("uscc-certificate.png"))})
    browser.submit("提交")
    log_out(official)
    log_in(world, official, "fenzhongxin")
    official.follow("审核新来工贸")
    official.submit("全部通过")
    official.follow("审核新来工贸")
    official.submit("全部通过", transmission_id="DXPENT0000000011")
    assert "已通过" in official.main


def set_up_exports(browser) -> None:
    browser.follow("会员首页")
    browser.follow("企业资料维护")
    browser.follow("创建境内企业资料")
    browser.submit("保存", types=["declarant", "platform", "seller"])
    browser.follow("业务策略维护")
    browser.follow("创建策略")
    browser.submit("保存", number="9710-1", name="9710美金", mode="9710-declaration", platform="新来工贸", seller="新来工贸",
                   currency="502")  # fmt: skip
    browser.follow("会员首页")


def push_all(browser) -> None:
    ask_for_the_card(browser)
    sign(browser)
    browser.wait_for("推送完了", 60)


def ask_for_the_card(browser) -> None:
    """From a finished import to the page with the check number."""
    browser.wait_for("生成申报数据")
    browser.submit("生成申报数据")
    browser.wait_for("推送这个任务的")
    browser.submit("推送这个任务的")


def verify_migrated_company(world: World, browser) -> None:
    """② proves who it is by its IC card (M96)."""
    world.insert_card("8600000000201")
    log_in(world, browser, "demo02")
    browser.follow("单位实名认证")
    browser.submit("去认证")
    sign(browser)
    assert "IC认证成功" in browser.main
    browser.submit("重新登录")
    browser.open(f"{world.portal}/realname/")
    assert "通过" in browser.main and "未通过 IC卡" not in browser.main, browser.main
