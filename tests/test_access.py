"""Who may open what (M211): every route × every kind of principal, as declared, as written down, and as HTTP answers.

`tests/access_table.txt` is the table that people read. After a wanted change: `EPORT_WRITE_TABLE=1 pytest tests/test_access.py`.
"""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest

from blueprints.common import clock
from blueprints.common.access import MODULES, Principal
from blueprints.common.logins import principal_of
from models.accounts import User
from models.database import session
from models.sessions import Login
from tests.browsing import ORIGIN, Browser
from tests.conftest import log_in, make_enterprise, make_user

FILE = Path(__file__).with_name("access_table.txt")
LATER = timedelta(hours=72)


def make_people() -> dict[str, User | None]:
    """One user of each kind; None is a stranger."""
    ready = make_enterprise()
    migrated = make_enterprise("迁移贸易", "91130100PDY000028G", code="1301960002", origin="migrated")
    codeless = make_enterprise("无号贸易", "91130100PDY000036B", code=None)
    people = {"stranger": None, "administrator": make_user(enterprise=ready)}
    people["operator without rights"] = operator(ready, "op_none", {})
    people["operator who looks"] = operator(ready, "op_see", dict.fromkeys(MODULES, 1))
    people["operator who edits"] = operator(ready, "op_edit", dict.fromkeys(MODULES, 2))
    people["operator who submits"] = operator(ready, "op_all", dict.fromkeys(MODULES, 3))
    people["operator not activated"] = operator(ready, "op_new", dict.fromkeys(MODULES, 3))
    people["operator not activated"].initial_until = clock.now() + LATER
    people["recovered lately"] = make_user(
        "recovered", enterprise=make_enterprise("找回贸易", "91130100PDY0000446", code="1301960004")
    )
    people["recovered lately"].guarded_until = clock.now() + LATER
    people["migrated, not verified"] = make_user("migrated", enterprise=migrated)
    people["no customs code"] = make_user("codeless", enterprise=codeless)
    for desk in ("registration", "data-centre", "helpdesk"):
        people[f"desk {desk}"] = make_user(f"desk_{desk}", role="staff", desks=[desk])
    session.commit()
    return people


def operator(company, name: str, rights: dict) -> User:
    return make_user(
        name, role="operator", enterprise=company, person=(name, None, f"{name}@example.com"), rights=rights
    )


@pytest.fixture
def people(app):
    return make_people()


def principals(people) -> dict[str, Principal | None]:
    found = {}
    for name, user in people.items():
        login = user and Login(
            token_hash=b"", user_id=user.id, medium="password", level=0, at=clock.now(), seen_at=clock.now(), tabs=[]
        )
        if login:
            login.user = user
            company = user.enterprise
            login.level, login.code = (company.level, company.active_code) if company else (0, None)
            session.expunge(login) if login in session else None
        found[name] = login and principal_of(login)
    return found


def routes(app):
    """(methods, rule, endpoint, page) of every declared view, in the order of the endpoints."""
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint, rule.rule))
    for rule in rules:
        info = getattr(app.view_functions[rule.endpoint], "page", None)
        if info:
            yield "/".join(sorted(rule.methods & {"GET", "POST"})), rule.rule, rule.endpoint, info


def verdict(info, principal: Principal | None) -> str:
    reasons = info.needs.unmet(principal)
    return "+".join(reason.number for reason in reasons) if reasons else "ok"


def table(app, found) -> str:
    lines = ["# route: open to whom; else the numbers of the reasons. 90101 is the login page."]
    for methods, _, endpoint, info in routes(app):
        said: dict[str, list[str]] = {}
        for name, principal in found.items():
            said.setdefault(verdict(info, principal), []).append(name)
        words = "; ".join(
            f"{answer}: {', '.join(names) if len(names) < len(found) else 'all'}" for answer, names in said.items()
        )
        lines.append(f"{methods} {endpoint}　{words}")
    return "\n".join(lines) + "\n"


@pytest.mark.item("M211")
def test_the_access_table_is_as_written_down(app, people):
    with app.test_request_context(base_url=ORIGIN), session.no_autoflush:
        now = table(app, principals(people))
    if os.environ.get("EPORT_WRITE_TABLE"):
        FILE.write_text(now, "utf-8")
    then = FILE.read_text("utf-8").splitlines()
    changed = [line for line in now.splitlines() if line not in then] + [
        f"- {line}" for line in then if line not in now.splitlines()
    ]
    assert not changed


def address(rule: str) -> str:
    url = re.sub(r"<uuid:\w+>", "00000000-0000-4000-8000-000000000000", rule)
    return re.sub(r"<int:\w+>", "1", re.sub(r"<[\w:]+>", "x", url))


@pytest.mark.item("M211")
def test_each_route_answers_each_principal_as_the_table_says(app, people):
    """Closed pages and actions are closed on the server: 303 to the login, 403 with the reasons; open ones are not."""
    with app.test_request_context(base_url=ORIGIN), session.no_autoflush:
        found = principals(people)
    wrong = []
    for name, principal in found.items():
        client = Browser(app).client
        if principal:
            browser = log_in(Browser(app, check=False), people[name])
            client, token = browser.client, browser.open("/frame/language/zh?next=/help").soup
            token = csrf_of(client)
        for methods, rule, endpoint, info in routes(app):
            closed = verdict(info, principal) != "ok"
            if principal and principal.is_new and info.needs.login:
                continue  # sent to the activation page, which has tests of its own
            for method in methods.split("/"):
                if method == "POST" and (
                    not closed or not principal or rule.startswith(("/card/requests/", "/client/"))
                ):
                    continue
                data = {"csrf_token": token} if method == "POST" else None
                answer = client.open(address(rule), method=method, base_url=ORIGIN, data=data)
                expected = 303 if closed and not principal else 403
                if (answer.status_code == expected) is not closed and not (expected == 303 and not closed):
                    wrong.append(f"{name}: {method} {endpoint} gave {answer.status_code}")
    assert not wrong


def csrf_of(client) -> str:
    from bs4 import BeautifulSoup

    page = client.get("/login", base_url=ORIGIN).text
    return BeautifulSoup(page, "html.parser").find(attrs={"name": "csrf_token"})["value"]


@pytest.mark.item("M211")
def test_a_missing_right_is_said_where_it_is_missing_with_the_way_to_mend_it(browser, people):
    log_in(browser, people["migrated, not verified"]).open("/member")
    line = next(node for node in browser.soup.select(".menu li") if "基础数据导入" in node.get_text())
    assert "请先完成单位实名认证" in line.get_text() and line.a["href"].startswith("/realname/")
    log_in(browser, people["operator without rights"]).open("/exports/tasks")
    assert browser.status == 403 and "90109" in browser.main and "我的操作员" in browser.main


@pytest.mark.item("M211")
@pytest.mark.parametrize(("asked", "number", "words"), [
    ("4002", "90104", "要由本单位的管理员账号来办"), ("推送", "90109", "录入并提交"), ("审核工作台", "90102", "审核人员使用"),
])  # fmt: skip
def test_why_can_i_not_see_it_answers_for_any_function(browser, people, asked, number, words):
    log_in(browser, people["operator without rights"]).open("/why")
    browser.submit("查询", q=asked)
    assert number in browser.main and words in browser.main


def test_why_says_where_an_open_function_is(browser, people):
    log_in(browser, people["administrator"]).open("/why?q=我的IC卡")
    assert browser.soup.find("a", href="/account/cards", string="我的IC卡")
    browser.open("/why?q=没有这种功能")
    assert "没有这个功能" in browser.main


# -- tabs


@pytest.mark.item("M20", "M22")
def test_opened_pages_stand_in_a_row_of_tabs_that_the_server_keeps(browser, people):
    log_in(browser, people["administrator"])
    for path in ("/member", "/account/company", "/account/cards"):
        browser.open(path)
    tabs = [a.get_text() for a in browser.soup.select("#tabs a")]
    assert tabs == ["首页", "单位管理员信息", "我的IC卡"] and "关闭操作" in browser.soup.find(id="tabs").get_text()
    assert "欢迎您, 示例外贸（石家庄）有限公司 demo01" in browser.text
    close = browser.soup.find("button", attrs={"aria-label": "关闭单位管理员信息"})
    browser.send(
        close.find_parent("form"), [("csrf_token", browser.value("csrf_token")), ("next", browser.url)], {}, {}
    )
    assert [a.get_text() for a in browser.soup.select("#tabs a")] == ["首页", "我的IC卡"]
    browser.submit("关闭操作")
    assert browser.url == "/member" and [a.get_text() for a in browser.soup.select("#tabs a")] == ["首页"]


@pytest.mark.item("M13", "M6")
def test_the_home_page_greets_who_is_logged_in(browser, people):
    log_in(browser, people["administrator"]).open("/")
    for words in ("欢迎您: demo01", "会员首页", "退出", "点击右上角【会员首页】"):
        assert words in browser.text, words
