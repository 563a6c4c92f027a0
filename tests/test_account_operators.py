"""我的操作员: added, activated by himself, given rights, disabled, reset; the administrator hands over; wishes to join."""

from datetime import timedelta
from uuid import uuid4

import pytest

from blueprints.common import clock
from models.accounts import JoinRequest, User, administrator_of, find_user, open_join_requests
from models.database import session
from models.documents import Claim, Document
from models.sessions import Login
from tests.card_bridge_double import errors_of
from tests.conftest import ID_NUMBER, log_in, make_enterprise, make_user

OPERATOR = {
    "user": "Caozuo_1", "name": "钱小满", "id_type": "id-card", "id_number": "130100189905050050",
    "email": "qian@example.com", "exports": "2", "trade": "1", "access": "0", "agreements": "0",
}  # fmt: skip


def add(browser, administrator, **typed):
    log_in(browser, administrator).open("/account/operators")
    browser.follow("新增操作员")
    return browser.submit("保存，生成初始密码", **(OPERATOR | typed))


def initial_password(browser) -> str:
    return browser.soup.select("b.hot")[1].get_text()


def first_login(browser, password: str):
    browser.open("/login")
    return browser.submit("登 录", user="caozuo_1", password=password, captcha="XXXXX")


@pytest.mark.item("M88")
def test_the_administrator_adds_an_operator_and_sees_the_first_password_once(browser, administrator, run_jobs, outbox):
    add(browser, administrator)
    password = initial_password(browser)
    assert browser.number == "4053" and "只显示这一次" in browser.main and len(password) == 14
    browser.follow("抄好了")
    assert password not in browser.main and "等本人第一次登录" in browser.main and "跨境出口申报：录入" in browser.main
    run_jobs()
    assert outbox.mails[-1].to == "qian@example.com" and password not in outbox.mails[-1].text


@pytest.mark.item("M88")
def test_the_operator_activates_the_account_by_his_own_first_login(browser, other_browser, administrator):
    add(browser, administrator)
    first_login(other_browser, initial_password(browser))
    assert other_browser.number == "3010"
    assert other_browser.open("/account/company").number == "3010", "nothing else is open to him"
    typed = {"password": "my own horse", "again": "my own horse"}
    for box in other_browser.soup.select("#main input[type=checkbox]"):
        typed[box["name"]] = box["value"]
    other_browser.submit("激活账号", **typed)
    assert other_browser.open("/account/company").number == "4001"
    session.expire_all()
    assert not find_user("caozuo_1").is_new


@pytest.mark.item("M81", "M209")
def test_one_person_has_one_account_in_a_company(browser, administrator):
    add(browser, administrator, id_number=ID_NUMBER)
    assert errors_of(browser)[0].startswith("90262")
    assert find_user("caozuo_1") is None
    elsewhere = make_enterprise("别家", "91130100PDY000028G", code="1301960002")
    make_user("other_1", enterprise=elsewhere, person=("钱小满", OPERATOR["id_number"], "q@example.com"))
    browser.submit("保存，生成初始密码", **OPERATOR)
    assert browser.number == "4053", "in another company he may have one too"


@pytest.mark.item("M41", "M80")
@pytest.mark.parametrize(("typed", "number"), [
    ({"user": "DEMO01"}, "90268"), ({"user": "a b"}, "90267"), ({"user": "张三张三张三"}, "90267"), ({"id_number": "1"}, "90206"),
    ({"id_type": "passport", "id_number": "C01X00T47"}, "90218"), ({"email": "x"}, "90202"), ({"mobile": "12"}, "90203"),
    ({"name": ""}, "90001"), ({"name": "长" * 300}, "90011"), ({"exports": "9"}, "90002"),
])  # fmt: skip
def test_each_rule_of_a_new_operator_has_its_number(browser, administrator, typed, number):
    add(browser, administrator, **typed)
    assert [line[:5] for line in errors_of(browser)] == [number]
    assert browser.value("name") == (OPERATOR | typed)["name"]


def test_rights_taken_away_act_at_the_next_click(browser, other_browser, administrator):
    user = make_user(
        "caozuo_1", role="operator", enterprise=administrator.enterprise, person=("钱", None, "q@example.com")
    )
    log_in(other_browser, user).open("/exports/tasks")
    assert other_browser.status == 200
    log_in(browser, administrator).open(f"/account/operators/{user.id}")
    browser.submit("保存权限", exports="0", trade="0", access="0", agreements="0")
    other_browser.open("/exports/tasks")
    assert other_browser.status == 403 and "90109" in other_browser.main


def test_a_disabled_operator_is_out_at_once_and_comes_back_as_he_was(browser, other_browser, administrator):
    user = make_user(
        "caozuo_1", role="operator", enterprise=administrator.enterprise, person=("钱", None, "q@example.com")
    )
    log_in(other_browser, user).open("/member")
    log_in(browser, administrator).open(f"/account/operators/{user.id}")
    browser.submit("停用")
    assert "已停用" in browser.main
    assert other_browser.open("/member").h1 == "用户登录"
    browser.open(f"/account/operators/{user.id}")
    browser.submit("启用")
    assert "在用" in browser.main


def test_a_new_initial_password_ends_the_old_one_and_every_login(browser, other_browser, administrator):
    user = make_user(
        "caozuo_1", role="operator", enterprise=administrator.enterprise, person=("钱", None, "q@example.com")
    )
    log_in(other_browser, user).open("/member")
    log_in(browser, administrator).open(f"/account/operators/{user.id}")
    browser.submit("重发初始密码")
    password = initial_password(browser)
    assert other_browser.open("/member").h1 == "用户登录"
    first_login(other_browser, "correct horse")
    assert other_browser.errors
    first_login(other_browser, password)
    assert other_browser.number == "3010"


def test_an_initial_password_ends_after_seven_days(browser, other_browser, administrator):
    add(browser, administrator)
    password = initial_password(browser)
    with clock.stopped_at(clock.now() + timedelta(days=8)):
        first_login(other_browser, password)
        assert errors_of(other_browser)[0].startswith("90571")


# -- handing over


def hand_over(browser, administrator, user, password="correct horse"):
    log_in(browser, administrator).open(f"/account/operators/{user.id}")
    browser.follow("移交管理员")
    return browser.submit("移交", password=password)


@pytest.mark.item("M55")
def test_the_administrator_hands_over_and_there_is_one_at_any_time(browser, administrator, run_jobs, outbox):
    user = make_user(
        "caozuo_1", role="operator", enterprise=administrator.enterprise, person=("钱", None, "q@example.com")
    )
    hand_over(browser, administrator, user)
    session.expire_all()
    assert administrator_of(administrator.enterprise_id).name == "caozuo_1"
    assert find_user("demo01").role == "operator"
    assert browser.open("/account/operators").status == 403
    run_jobs()
    assert {mail.to for mail in outbox.mails} == {"demo01@example.com", "q@example.com"}


def test_handing_over_needs_the_password_and_an_activated_account(browser, administrator):
    user = make_user(
        "caozuo_1", role="operator", enterprise=administrator.enterprise, person=("钱", None, "q@example.com")
    )
    hand_over(browser, administrator, user, password="wrong")
    assert errors_of(browser)[0].startswith("90264")
    find_user("caozuo_1").initial_until = clock.now() + timedelta(days=1)
    session.commit()
    hand_over(browser, administrator, user)
    assert errors_of(browser)[0].startswith("90269")
    session.expire_all()
    assert find_user("demo01").role == "administrator"


def test_handing_over_of_a_migrated_company_asks_for_a_new_verification(browser, app):
    company = make_enterprise(origin="migrated", level=3)
    boss = make_user(enterprise=company)
    user = make_user("caozuo_1", role="operator", enterprise=company, person=("钱", None, "q@example.com"))
    hand_over(browser, boss, user)
    session.expire_all()
    company = find_user("demo01").enterprise
    assert company.level == 0 and company.renew_why == "单位管理员" and company.renew_since is not None


# -- doors


@pytest.mark.parametrize("path", ["/account/operators", "/account/operators/new"])
def test_an_operator_does_not_open_the_administrators_pages(browser, administrator, path):
    user = make_user(
        "caozuo_1", role="operator", enterprise=administrator.enterprise, person=("钱", None, "q@example.com")
    )
    log_in(browser, user).open(path)
    assert browser.status == 403 and "要由本单位的管理员账号来办" in browser.main


def test_another_companys_operator_is_not_found(browser, administrator):
    other = make_enterprise("别家", "91130100PDY000028G", code="1301960002")
    boss = make_user("other_1", enterprise=other)
    user = make_user("other_2", role="operator", enterprise=other, person=("钱", None, "q@example.com"))
    log_in(browser, administrator)
    token = browser.open("/account/company").value("csrf_token")
    for who in (user, boss):
        assert browser.open(f"/account/operators/{who.id}").status == 404
        for act in ("rights", "switch", "password", "administrator"):
            answer = browser.client.post(
                f"/account/operators/{who.id}/{act}", data={"csrf_token": token}, base_url="http://127.0.0.1:8080"
            )
            assert answer.status_code == 404, act


def test_the_administrator_cannot_disable_himself_here(browser, administrator):
    log_in(browser, administrator)
    assert browser.open(f"/account/operators/{administrator.id}").status == 404


def test_after_a_recovery_operators_and_administrator_wait(browser, administrator):
    administrator.guarded_until = clock.now() + timedelta(hours=72)
    session.commit()
    log_in(browser, administrator).open("/account/operators")
    assert browser.status == 200
    browser.follow("新增操作员")
    assert browser.status == 403 and "90110" in browser.main and "用卡登录" in browser.main


# -- wishes to join


def wish(administrator) -> JoinRequest:
    row = JoinRequest(enterprise_id=administrator.enterprise_id, at=clock.now(), state="open")
    row.person = {"name": "赵六", "email": "zhao@example.com", "mobile": "", "message": "报关员"}
    session.add(row)
    session.commit()
    return row


def test_a_wish_to_join_becomes_an_account_with_what_was_said(browser, administrator):
    wish(administrator)
    log_in(browser, administrator).open("/member")
    browser.follow("有人想加入本单位")
    browser.follow("开账号")
    assert browser.value("name") == "赵六" and browser.value("email") == "zhao@example.com"
    browser.submit("保存，生成初始密码", user="zhaoliu1", id_number="130100189906060066", id_type="id-card")
    assert browser.number == "4053" and not open_join_requests(administrator.enterprise_id)


def test_a_wish_can_be_declined_and_only_by_its_own_company(browser, administrator):
    row = wish(administrator)
    boss = make_user("other_1", enterprise=make_enterprise("别家", "91130100PDY000028G", code="1301960002"))
    log_in(browser, boss).open("/account/operators")
    answer = browser.client.post(f"/account/operators/wishes/{row.id}/decline", base_url="http://127.0.0.1:8080",
                                 data={"csrf_token": browser.value("csrf_token")})  # fmt: skip
    assert answer.status_code == 404
    log_in(browser, administrator).open("/account/operators")
    browser.submit("不是本单位的，回绝")
    assert not open_join_requests(administrator.enterprise_id) and "已经回绝" in browser.main


def test_the_list_says_when_each_was_seen_last(browser, administrator):
    log_in(browser, administrator).open("/account/operators")
    assert session.query(Login).count() >= 1
    assert (
        f"{clock.local(clock.now()):%Y-%m-%d}" in browser.main
        and "显示第 1 到第 1 条记录, 总共 1 条记录" in browser.main
    )


def test_a_second_click_adds_no_second_operator(browser, administrator):
    add(browser, administrator)
    log_in(browser, administrator).open("/account/operators/new")
    browser.submit("保存，生成初始密码", **(OPERATOR | {"user": "caozuo_1"}))
    assert errors_of(browser)[0].startswith("90268")
    assert session.query(User).filter(User.name == "caozuo_1").count() == 1


def test_a_name_that_a_waiting_registration_holds_is_taken(browser, administrator):
    session.add(Document(id=(holder := uuid4()), kind="registration", created_at=clock.now()))
    session.flush()
    session.add(Claim(scope="user-name", key="caozuo_1", seat=0, document_id=holder, stays=True))
    session.commit()
    add(browser, administrator)
    assert errors_of(browser)[0].startswith("90268")
