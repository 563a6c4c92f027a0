"""What an operator may do, module by module (M211): pages, buttons, menu entries, and rights that were taken away."""

import re

import pytest

from blueprints.common.access import EDIT, SEE, SUBMIT
from models.accounts import find_user
from models.database import session
from models.orders import Order
from stack.seed import RIGHTS, seed_demonstration
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import confirm_by_card
from tests.conftest import log_in, make_user
from tests.exports_world import workbook

pytest_plugins = ["tests.card_fixtures", "tests.exports_fixtures"]
NOBODY = "00000000-0000-4000-8000-000000000000"
LISTS = ("/exports/tasks", "/exports/orders", "/exports/profiles", "/exports/strategies", "/exports/odd-receipts",
         "/exports/template")  # fmt: skip
FORMS = ("/exports/tasks/new", "/exports/profiles/new", "/exports/warehouses/new", "/exports/strategies/new")
ONES = (
    f"/exports/tasks/{NOBODY}/more", f"/exports/tasks/{NOBODY}/generate", f"/exports/tasks/{NOBODY}/delete",
    f"/exports/imports/{NOBODY}/cancel", f"/exports/profiles/{NOBODY}", f"/exports/warehouses/{NOBODY}",
    f"/exports/strategies/{NOBODY}", f"/exports/strategies/{NOBODY}/switch", "/exports/orders/delete",
)  # fmt: skip
SIGN = f"/exports/pushes/{NOBODY}/sign"


def operator(company, name="demo01a", **rights):
    return make_user(name, role="operator", enterprise=company, person=("钱小满", None, f"{name}@b.cn"), rights=rights)


@pytest.fixture
def enter(browser, company, strategy):
    """Logs an operator of these rights in; strategy and profile are there."""
    return lambda **rights: log_in(browser, operator(company, **rights))


def status_of_post(browser, path, **data) -> int:
    data["csrf_token"] = browser.open("/account/cards").value("csrf_token")
    return browser.client.post(path, data=data, base_url=ORIGIN).status_code


@pytest.mark.item("M211")
@pytest.mark.parametrize(("right", "lists", "forms", "posts", "push"), [
    (0, 403, 403, 403, 403), (SEE, 200, 403, 403, 403), (EDIT, 200, 200, 404, 403), (SUBMIT, 200, 200, 404, 404),
])  # fmt: skip
def test_export_pages_open_by_right(enter, right, lists, forms, posts, push):
    browser = enter(exports=right)
    assert {path: browser.client.get(path, base_url=ORIGIN).status_code for path in LISTS} == dict.fromkeys(
        LISTS, lists
    )
    assert {path: browser.client.get(path, base_url=ORIGIN).status_code for path in FORMS} == dict.fromkeys(
        FORMS, forms
    )
    assert {path: status_of_post(browser, path) for path in ONES} == dict.fromkeys(ONES, posts)
    assert status_of_post(browser, SIGN) == push
    assert status_of_post(browser, "/exports/orders", go=f"push:{NOBODY}") == push


@pytest.mark.item("M211")
@pytest.mark.parametrize(("path", "module", "least", "words"), [
    ("/exports/tasks", "exports", SEE, "跨境出口申报"), ("/trade_queries/orders/open", "trade", SEE, "订单和回执查询"),
    ("/trade_queries/orders/concluded", "trade", SEE, "订单和回执查询"),
    ("/access/transmission-id", "access", SUBMIT, "传输ID申请"), ("/agreements/", "agreements", SEE, "签约和委托"),
    ("/agreements/entrustments", "agreements", SEE, "签约和委托"), ("/account/qualifications/signing", "agreements", SEE, "签约和委托"),
])  # fmt: skip
def test_a_page_without_its_right_says_which_and_who_gives_it(
    browser, other_browser, company, path, module, least, words
):
    everything = {"exports": 3, "trade": 3, "access": 3, "agreements": 3}
    log_in(browser, operator(company, **{**everything, module: least - 1})).open(path)
    assert browser.status == 403 and "90109" in browser.main
    assert f"没有「{words}」" in browser.main and "请本单位的管理员在“我的操作员”里给您开通" in browser.main
    log_in(other_browser, operator(company, "demo01b", **{module: least})).open(path)
    assert other_browser.status == 200


def test_menu_entries_without_their_right_are_grey_and_say_why(enter):
    browser = enter(exports=SEE).open("/member")
    lines = {line.get_text("|", strip=True).split("|")[0]: line for line in browser.soup.select(".menu li")}
    assert lines["基础数据导入"].a["href"] == "/exports/tasks"
    for title in ("订单查询(未审结)", "传输ID申请", "通关无纸化三方协议", "报关代理委托"):
        assert lines[title].find(class_="grey") and "请本单位的管理员" in lines[title].get_text()


@pytest.fixture
def declared(trade):
    trade.read(workbook())
    return trade.generate().task


@pytest.mark.parametrize(("right", "said"), [
    (SEE, "只能看，不能录入和推送"), (EDIT, "可以录入，不能推送"), (SUBMIT, None),
])  # fmt: skip
def test_a_button_that_may_not_be_used_is_not_shown_and_the_reason_is_said_once(
    browser, declared, company, profile, strategy, right, said
):
    task, profile, strategy = declared.id, profile.id, strategy.id
    log_in(browser, operator(company, exports=right))
    shown = set()
    for path in (
        "tasks",
        f"tasks/{task}",
        "orders",
        "profiles",
        f"profiles/{profile}",
        "strategies",
        f"strategies/{strategy}",
    ):
        browser.open(f"/exports/{path}")
        assert browser.status == 200
        shown |= {button.get_text(strip=True) for button in browser.soup.select("#main button")}
        shown |= {link.get_text(strip=True) for link in browser.soup.select("#main a.govuk-button")}
        assert len(re.findall("您的账号在“跨境出口申报”里", browser.main)) == (1 if said else 0)
        assert not said or said in browser.main
    may_push, may_edit = right >= SUBMIT, right >= EDIT
    assert any(words.startswith("推送") for words in shown) == may_push
    for words in ("创建申报任务", "创建境内企业资料", "创建策略", "补充导入", "生成申报数据", "保存", "删除勾选的"):
        assert (words in shown) == may_edit, words


def test_an_editor_deletes_and_does_not_push(browser, declared, company):
    log_in(browser, operator(company, exports=EDIT)).open("/exports/orders")
    one = str(session.query(Order).first().id)
    for go in ("push", "all", f"push:{one}"):
        browser._request("POST", "/exports/orders", data={"csrf_token": token(browser), "order": one, "go": go})
        assert browser.status == 403 and "“录入并提交”权限" in browser.main
        browser.open("/exports/orders")
    browser.submit("删除勾选的", order=one)
    assert browser.number == "8022"
    browser.submit("删除")
    assert "已删除1单" in browser.main and session.query(Order).count() == 2


def token(browser) -> str:
    return browser.soup.find("input", attrs={"name": "csrf_token"})["value"]


def test_the_number_of_an_order_leads_to_its_time_line_only_with_the_right_to_look_there(
    browser, other_browser, declared, company
):
    log_in(browser, operator(company, exports=SEE)).open("/exports/orders")
    assert "TYDH005" in browser.main and not browser.soup.find("a", string="TYDH005")
    log_in(other_browser, operator(company, "demo01b", exports=SEE, trade=SEE)).open("/exports/orders")
    other_browser.follow("TYDH005")
    assert other_browser.number == "8103" and "去数据申报管理" in other_browser.main


def test_a_right_that_is_taken_away_acts_at_the_next_request_and_one_that_is_given_too(enter):
    browser = enter(exports=EDIT)
    assert browser.open("/exports/tasks/new").status == 200
    give(exports=SEE)
    assert browser.open("/exports/tasks/new").status == 403
    give(exports=EDIT)
    assert browser.open("/exports/tasks/new").status == 200


def give(**rights):
    find_user("demo01a").rights = rights
    session.commit()


@pytest.mark.parametrize(("left", "number"), [(EDIT, "90127"), (SUBMIT, None)])
def test_who_lost_the_right_meanwhile_signs_nothing(browser, declared, company, card, left, number):
    log_in(browser, operator(company, exports=SUBMIT)).open("/exports/orders")
    browser.submit("推送查到的全部")
    give(exports=left)
    confirm_by_card(browser, card)
    assert (number in browser.main) if number else ("90127" not in browser.main and browser.number == "8024")


def test_an_administrator_needs_no_rights(browser, administrator, strategy):
    assert administrator.rights == {}
    for path in (*LISTS[:-1], *FORMS, "/trade_queries/orders/open", "/access/transmission-id", "/agreements/"):
        assert log_in(browser, administrator).open(path).status == 200


def test_the_operators_of_the_demonstration_show_both_cases(app, settings):
    with app.app_context():
        seed_demonstration(settings)
    one, other = (log_in(Browser(app), find_user(name)) for name in RIGHTS)
    assert one.open("/exports/orders").can_press("推送勾选的") and one.open("/agreements/").status == 200
    other.open("/exports/orders")
    assert other.can_press("删除勾选的") and not other.can_press("推送勾选的")
    assert "可以录入，不能推送" in other.main and other.open("/agreements/").status == 403
