"""The device doctor (1016–1019) and the helpdesk's table of numbers (1020)."""

import ast
import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from blueprints.common import clock
from blueprints.common.bridge_words import FILE, OUTCOMES, WORDS
from blueprints.common.numbers import spoken
from blueprints.portal.card_words import ADVICE, SAID
from blueprints.portal.device_findings import FINDINGS, read_numbers
from blueprints.portal.devices import BY_ADDRESS
from blueprints.portal.jobs import keep_house
from models.database import session
from models.device_reports import DeviceReport
from tests.browsing import ORIGIN, Browser
from tests.conftest import log_in, make_user

ROOT = Path(__file__).parents[1]
BRIDGE = "http://127.0.0.1:61230"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36"
PHONE = "0311-88886666"


@pytest.fixture
def helpdesk(app):
    return make_user("kefu1", role="staff", desks=["helpdesk"])


def send(browser, found="9703", story="卡插了没有反应", phone=PHONE, version="1.0"):
    browser.open(f"/device/result?version={version}&found={found}")
    return browser.submit("发给客服", story=story, phone=phone)


def the_report() -> DeviceReport:
    return session.query(DeviceReport).one()


# -- 1016


def test_the_doctor_is_whole_without_script(browser):
    browser.open("/device", **{"User-Agent": CHROME.format("109.0.0.0")})
    assert browser.number == "1016" and "Chrome 109，Windows 10或11" in browser.main
    assert browser.soup.find(id="bridge-check")["href"] == f"{BRIDGE}/check?portal={ORIGIN}"
    assert browser.soup.find(href="eport-card-bridge:") and browser.soup.find("a", href="/downloads")
    for id in ("by-click", "found-90779", "found-90783"):  # only the script shows what only the browser knows
        assert browser.soup.find(id=id).has_attr("hidden")
    browser.follow("看结果，发给客服")
    assert browser.number == "1017" and "90770" in browser.main


@pytest.mark.parametrize(("agent", "number"), [
    (CHROME.format("64.0.3282.140"), "90770"), (CHROME.format("63.0.3239.132"), "90771"),
    (CHROME.format("64.0.3282.140") + " Edge/18.17763", "90771"),
    (CHROME.format("120.0.0.0") + " Edg/120.0.0.0", "90770"),
    ("Mozilla/5.0 (Windows NT 6.1; rv:77.0) Gecko/20100101 Firefox/77.0", "90771"),
    ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0)", "90772"), ("curl/8", "90773"), ("", "90773"),
])  # fmt: skip
def test_each_browser_is_told_what_to_do(app, agent, number):
    browser = Browser(app).open("/device", **{"User-Agent": agent})
    assert f"编号 {number}" in re.sub(r"编号\s*", "编号 ", browser.main)
    shown = [n for n in ("90770", "90771", "90772", "90773") if n in browser.main]
    assert shown == [number]


def test_a_phone_is_told_that_cards_need_a_computer(app):
    agent = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36"
    assert "卡和读卡器要插在电脑上用" in Browser(app).open("/device", **{"User-Agent": agent}).main


def test_encryption_is_what_the_request_shows(app):
    client = app.test_client()
    assert "90776" in client.get("/device", base_url=ORIGIN).text
    assert "90775" in client.get("/device", base_url=ORIGIN.replace("http:", "https:")).text


def test_only_the_doctors_page_may_ask_the_bridge_by_script(app):
    client = app.test_client()
    policies = {
        path: client.get(path, base_url=ORIGIN).headers["Content-Security-Policy"]
        for path in ("/device", "/device/result", "/help", "/card-words")
    }
    assert f"connect-src 'self' {BRIDGE};" in policies.pop("/device")
    assert not any(BRIDGE in policy for policy in policies.values())


def test_the_table_of_media_follows_from_what_the_pages_need(browser):
    browser.open("/device")
    rows = {
        row.td.get_text(): [cell.get_text() for cell in row.find_all("td")[1:]]
        for row in browser.soup.select("tbody tr")
    }
    assert rows["换海关编码"] == ["管理员可以", "可以", "管理员可以", "—"]
    assert rows["推送订单"] == ["可以", "可以", "可以", "本单位的法人卡或操作员卡"]
    assert rows["单位实名认证"][0] == "管理员可以" and "银行Ukey" in rows["单位实名认证"][-1]
    assert rows["修改卡密码"] == ["不用登录"] * 3 + ["要改密码的那张卡"]


def test_where_short_messages_run_their_logins_have_a_column(browser, phone):
    browser.open("/device")
    heads = [head.get_text() for head in browser.soup.select("thead th")]
    row = next(row for row in browser.soup.select("tbody tr") if row.td.get_text() == "绑定卡")
    assert row.find_all("td")[heads.index("用手机号登录")].get_text() == "不能"


def test_help_and_the_card_page_lead_to_the_doctor(browser, administrator):
    assert browser.open("/help").follow("检查电脑和卡").number == "1016"
    browser.open("/login/card").submit("读卡程序" if browser.can_press("读卡程序") else "卡")
    assert browser.number == "3004" and browser.follow("检查电脑和卡").number == "1016"


# -- 1017


def test_a_result_is_shown_in_words_with_question_and_mend(browser):
    browser.open("/device/result?version=1.0&found=9703.9719")
    for words in ("1.0版", "读卡器里没有卡", "编号9703", "芯片朝哪一面", "证书已经过期", "编号9719"):
        assert words in browser.main.replace("编号 ", "编号"), words


def test_a_version_that_the_portal_does_not_take_is_said(browser):
    assert "版本太旧，网站不收" in browser.open("/device/result?version=0.9&found=9780").main
    assert "版本太旧，网站不收" not in browser.open("/device/result?version=1.0&found=9780").main


def test_a_number_of_a_newer_bridge_is_kept(browser):
    browser.open("/device/result?found=9799")
    assert "9799" in browser.main and "编号比网站新" in browser.main


@pytest.mark.parametrize(
    "found", ["<script>alert(1)</script>", "9999", "张三.8600000000017", "9703;DROP", "97\u0660\u0663"]
)
def test_nothing_but_numbers_is_taken_from_the_address(browser, found):
    browser.open("/device/result?" + urlencode({"found": found, "version": "v" + found}))
    assert browser.number == "1017" and "90785" in browser.main and "没有回答" in browser.main
    assert found not in browser.main and found not in browser.value("found") + browser.value("version")


def test_a_result_is_bounded():
    assert len(read_numbers(".".join(str(9700 + n % 100) for n in range(10_000)))) <= 20
    assert read_numbers("9703.9703.90779.90785") == ["9703", "90779"]


# -- reports


def test_a_report_is_kept_told_to_the_helpdesk_and_shown_with_its_number(
    browser, outbox, run_jobs, clock_at, administrator
):
    log_in(browser, administrator)
    with clock_at(2026, 4, 23, 10):
        send(browser)
    assert browser.number == "1018" and browser.h1.replace(" ", "") == "检查报告JC-0423-01"
    for words in ("卡插了没有反应", PHONE, "读卡器里没有卡", "已经发给客服"):
        assert words in browser.main, words
    run_jobs()
    mail = outbox.mails[-1]
    assert mail.to == "baozhang@hebei.eport.example" and "JC-0423-01" in mail.subject and "9703" in mail.text
    assert PHONE not in mail.text and "卡插了没有反应" not in mail.text
    assert browser.open("/account/activity?group=cards").main.count("发送检查结果") == 1


def test_a_posted_result_is_numbers_too(app):
    browser = Browser(app).open("/device/result?found=9703")
    form = browser.soup.find("input", attrs={"name": "found"}).find_parent("form")
    token = form.find(attrs={"name": "csrf_token"})["value"]
    data = [("csrf_token", token), ("found", "李明.9703.<b>"), ("version", "1.0<b>"), ("phone", PHONE), ("story", "")]
    browser.send(form, data, {}, {})
    assert browser.number == "1018" and "李明" not in browser.main and "<b>" not in browser.main
    assert the_report().found[0] == "9703" and the_report().version == ""


def test_reports_of_a_day_are_counted(app, clock_at):
    with clock_at(2026, 4, 23, 10):
        first, second = send(Browser(app)).h1, send(Browser(app)).h1
    with clock_at(2026, 4, 24, 0, 30):
        third = send(Browser(app)).h1
    assert [h1[-10:] for h1 in (first, second, third)] == ["JC-0423-01", "JC-0423-02", "JC-0424-01"]


def test_personal_data_of_a_report_are_not_readable_in_the_database(app):
    send(Browser(app), story="我是李明")
    stored = repr(the_report()._told)
    assert PHONE not in stored and "李明" not in stored and the_report().told["phone"] == PHONE


@pytest.mark.parametrize(("typed", "number"), [
    ({"phone": ""}, "90001"), ({"phone": "打我电话"}, "90786"), ({"story": "长" * 501}, "90011"),
    ({"story": "a\0b"}, "90014"),
])  # fmt: skip
def test_what_is_wrong_is_said_and_the_rest_kept(browser, typed, number):
    send(browser, **typed)
    assert browser.number == "1017" and number in browser.errors[0] + browser.main and "9703" in browser.main
    assert session.query(DeviceReport).count() == 0
    assert (
        browser.value("story") == typed.get("story", "卡插了没有反应").replace("\0", "\ufffd")[:501]
        or "\0" in typed["story"]
    )


def test_a_flood_from_one_address_ends(app):
    for _ in range(BY_ADDRESS.count):
        send(Browser(app))
    browser = send(Browser(app))
    assert "90787" in browser.main and "再发" in browser.main
    assert session.query(DeviceReport).count() == BY_ADDRESS.count
    assert browser.value("story") == "卡插了没有反应"


def test_a_report_is_another_browsers_404_and_its_senders_everywhere(app, administrator):
    url = send(log_in(Browser(app), administrator)).url
    assert Browser(app).open(url).status == 404
    assert (
        log_in(
            Browser(app),
            make_user(
                "other", enterprise=administrator.enterprise, role="operator", person=("王芳", None, "o@example.com")
            ),
        )
        .open(url)
        .status
        == 404
    )
    assert log_in(Browser(app), administrator).open(url).status == 200
    assert log_in(Browser(app), make_user("shenhe1", role="staff", desks=["registration"])).open(url).status == 404


def test_the_helpdesk_finds_a_report_by_its_number(browser, helpdesk, app, clock_at, administrator):
    with clock_at(2026, 4, 23, 10):
        send(log_in(Browser(app), administrator))
        send(Browser(app), found="9702", story="别的事")
        log_in(browser, helpdesk).open("/member").follow("检查报告")
        assert browser.number == "1019" and "别的事" in browser.main
        for asked in ("JC-0423-01", "jc 0423 01", "0423 1", "ＪＣ－０４２３－０１"):
            browser.open("/device/reports").submit("查询", q=asked.replace(" ", "%20"))
            assert "卡插了没有反应" in browser.main and "别的事" not in browser.main, asked
        browser.follow("JC-0423-01")
    for words in (PHONE, "demo01", "示例外贸", "已经发给客服"):
        assert (words in browser.main) is (words != "已经发给客服"), words


@pytest.mark.parametrize("asked", ["JC-0230-01", "JC-9999-99", "JC-0423-999999"])
def test_a_number_that_nobody_has_is_said_to_be_unknown(app, helpdesk, asked):
    assert "没有查到报告" in log_in(Browser(app), helpdesk).open(f"/device/reports?q={asked}").main


def test_a_number_that_is_none_is_said(app, helpdesk):
    browser = log_in(Browser(app), helpdesk).open("/device/reports?q=读卡器坏了")
    assert "90788" in browser.main and browser.value("q") == "读卡器坏了"
    for cursor in ("x", "2026-04-23|x", "2026-04-23|99999999999999999999", "\0"):
        assert browser.client.get("/device/reports", base_url=ORIGIN, query_string={"after": cursor}).status_code == 200


def test_the_list_pages_through_all_reports(app, helpdesk):
    for n in range(1, 23):
        report = DeviceReport(day=clock.today(), ordinal=n, found=["9703"], version="", at=clock.now())
        report.told = {"agent": "", "story": f"第{n}件", "phone": PHONE}
        session.add(report)
    session.commit()
    browser = log_in(Browser(app), helpdesk).open("/device/reports")
    assert "第22件" in browser.main and "第2件" not in browser.main
    assert "第2件" in browser.follow("下一页").main and "第22件" not in browser.main
    assert "第22件" in browser.follow("回第一页").main


def test_reports_are_forgotten_after_180_days(context, clock_at):
    for days in (179, 181):
        at = clock.now() - timedelta(days=days)
        report = DeviceReport(day=at.date(), ordinal=1, found=[], version="", at=at)
        report.told = {"agent": "", "story": "", "phone": PHONE}
        session.add(report)
    session.commit()
    keep_house()
    assert [(clock.now() - row.at).days for row in session.query(DeviceReport)] == [179]


# -- 1020


def test_the_list_of_the_bridge_is_up_to_date():
    """After a change of the bridge's outcomes: `eport-card-bridge --list-outcomes > data/card_outcomes.json`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "card_bridge" / "src")}
    command = [sys.executable, "-m", "eport_card_bridge", "--list-outcomes"]
    now = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
    assert json.loads(now) == json.loads(FILE.read_text("utf-8"))


def test_every_outcome_is_in_the_table_with_question_and_mend(browser):
    browser.open("/card-words")
    rows = {
        row.b.get_text(): [cell.get_text() for cell in row.find_all("td")[1:]]
        for row in browser.soup.select("tbody tr")
    }
    assert rows.keys() == {words.number for words in WORDS.values()} | SAID.keys() | FINDINGS.keys()
    assert all(all(cells) for cells in rows.values())
    assert not any("{" in cell for cells in rows.values() for cell in cells)
    assert rows["9703"][1:] == ["芯片朝哪一面，插到底了吗？", "把卡拔出擦净再插；换一台电脑试，还不行就换卡。"]


@pytest.mark.parametrize(("asked", "there", "gone"), [
    ("9703", "读卡器里没有卡", "没有找到读卡器"), ("９７０３", "读卡器里没有卡", "没有找到读卡器"),
    ("已经挂失", "90526", "9702"), ("97 03", "读卡器里没有卡", "没有找到读卡器"), ("4711", "没有这个编号", "9703"),
    ("<b>", "没有这个编号", "9703"),
])  # fmt: skip
def test_a_number_or_words_are_found_without_script(browser, asked, there, gone):
    browser.open("/card-words").submit("查询", q=asked)
    assert there in browser.main and gone not in browser.soup.select("#main section")[-1].get_text()


def test_what_the_portal_refuses_has_question_and_mend():
    assert ADVICE.keys() == SAID.keys()
    assert all(words.endswith(("。", "？")) for pair in ADVICE.values() for words in pair)


def test_the_table_says_what_the_areas_say_when_they_refuse_a_card():
    said = dict(refusals_in_the_source())
    assert said and {number: SAID.get(number) for number in said} == said


def refusals_in_the_source():
    """(number, template) of every `NotAccepted(Sentence(…))` in the blueprints, also by the name of a constant."""
    for path in sorted((ROOT / "blueprints").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        constants = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NotAccepted":
                sentence = node.args[0]
                sentence = constants.get(sentence.id) if isinstance(sentence, ast.Name) else sentence
                if isinstance(sentence, ast.Call) and all(isinstance(each, ast.Constant) for each in sentence.args):
                    yield tuple(each.value for each in sentence.args)


def test_every_number_of_the_bridge_is_known_to_the_card_page():
    assert OUTCOMES.keys() == WORDS.keys() and {100, 131, 141} <= OUTCOMES.keys()
    assert OUTCOMES[133] == "读卡程序：卡密码不对，PIN剩3次，用完卡会锁住。"
    assert spoken(OUTCOMES[103].number) == "九七零三"
