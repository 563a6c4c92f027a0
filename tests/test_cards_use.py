"""What a confirmed card does: binding it (我的IC卡), logging in by it, and signing a batch of messages."""

import base64
import hashlib
from datetime import timedelta
from decimal import Decimal

import pytest

from blueprints.common import challenges, clock
from gateways.customs_dxp.messages.ceb303 import Order, OrderLine, Transfer, build
from gateways.customs_dxp.signature import signed_info, verify
from models.accounts import cards_of, find_card, find_user
from models.challenges import challenges_of_task
from models.database import session
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import BridgeDouble, confirm_by_card, issue, the_challenge
from tests.conftest import USCC, log_in, make_enterprise, make_user

pytest_plugins = ["tests.card_fixtures"]
NUMBER = "8600000000101"
STRANGER = {"person": ("赵六", "130100189903030037", "zhao@example.com")}


@pytest.fixture
def bound(app, administrator, card):
    """The administrator has bound the card."""
    browser = log_in(Browser(app), administrator).open("/account/cards").submit("绑定一张卡")
    confirm_by_card(browser, card)
    return find_card(NUMBER)


@pytest.mark.item("M86")
def test_a_card_is_bound_and_stands_in_the_list_with_its_expiry(browser, administrator, card):
    log_in(browser, administrator).open("/account/company")
    browser.follow("我的IC卡")
    assert "还没有绑定卡" in browser.main
    browser.submit("绑定一张卡")
    confirm_by_card(browser, card)
    assert browser.h1 == "我的IC卡"
    expiry = clock.local(find_card(NUMBER).not_after).date()
    assert NUMBER in browser.main and str(expiry) in browser.main and "法人卡" in browser.main


def refused(browser, administrator, *cards) -> str:
    for each in cards:
        log_in(browser, administrator).open("/account/cards").submit("绑定一张卡")
        confirm_by_card(browser, each)
    assert browser.h1 == "没有办成"
    return browser.main


def test_another_companys_card_is_not_bound(browser, administrator, issuer):
    says = refused(browser, administrator, issue(issuer, uscc="91130100PDY000028G"))
    assert "90541" in says and "不是本单位的卡" in says and "请换本单位的卡" in says
    assert not cards_of(administrator.id)


def test_another_persons_card_is_not_bound(browser, administrator, issuer):
    says = refused(browser, administrator, issue(issuer, holder_id="130100189903030037"))
    assert "90542" in says and "不是同一个人" in says
    assert not cards_of(administrator.id)


def test_an_id_number_that_is_not_known_does_not_stand_in_the_way(browser, administrator, card):
    administrator.keep_person("李明", "", "")
    session.commit()
    confirm_by_card(log_in(browser, administrator).open("/account/cards").submit("绑定一张卡"), card)
    assert len(cards_of(administrator.id)) == 1


def test_a_card_of_another_account_is_not_taken_away_from_it(browser, bound, company, card):
    other = make_user("demo01b", role="operator", enterprise=company, person=("李明", "", ""))
    says = refused(browser, other, card)
    assert "90543" in says and find_card(NUMBER).user_id == bound.user_id


def test_binding_again_takes_the_renewed_certificate_over(browser, administrator, bound, issuer):
    confirm_by_card(
        log_in(browser, administrator).open("/account/cards").submit("绑定一张卡"), issue(issuer, days=(-1, 900))
    )
    session.expire_all()
    (only,) = cards_of(administrator.id)
    assert only.not_after > clock.now() + timedelta(days=800)


@pytest.mark.parametrize(("days", "says"), [((-300, 20), "天到期，请早点更新"), ((-300, 100), "可以用")])
def test_a_card_that_ends_soon_is_said_in_the_list_and_on_the_members_home(browser, administrator, issuer, days, says):
    confirm_by_card(
        log_in(browser, administrator).open("/account/cards").submit("绑定一张卡"), issue(issuer, days=days)
    )
    assert says in browser.main
    assert (f"卡{NUMBER}快到期" in browser.open("/member").main) == (days[1] == 20)


@pytest.mark.item("M60")
@pytest.mark.parametrize(("kind", "medium"), [("01", "法人卡"), ("02", "操作员卡")])
def test_a_bound_card_logs_in_and_the_header_shows_until_when_it_is_valid(browser, administrator, issuer, kind, medium):
    own = issue(issuer, kind=kind)
    confirm_by_card(log_in(browser, administrator).open("/account/cards").submit("绑定一张卡"), own)
    browser.submit("退出")
    browser.open("/login").follow("卡介质登录")
    assert browser.h1 == "卡介质方式登录" and "Ikey" in browser.main
    browser.submit("开始读卡")
    confirm_by_card(browser, own)
    assert browser.url == "/member"
    assert f"卡介质有效期截至：{clock.local(find_card(NUMBER).not_after).date()}" in browser.text.replace("： ", "：")
    assert newest_login().medium == medium and newest_login().card_number == NUMBER


def newest_login():
    from models.sessions import Login

    return session.query(Login).order_by(Login.at.desc()).first()


def test_a_login_by_card_makes_a_new_session_and_goes_on_where_one_was(browser, bound, card):
    browser.open("/account/cards")
    browser.follow("卡介质登录")
    with browser.client.session_transaction(base_url=ORIGIN) as cookie:
        cookie["planted"] = "by somebody else"
    browser.submit("开始读卡")
    confirm_by_card(browser, card)
    assert browser.url == "/account/cards"
    with browser.client.session_transaction(base_url=ORIGIN) as cookie:
        assert "planted" not in cookie


def card_login(browser, own) -> str:
    browser.open("/login/card").submit("开始读卡")
    confirm_by_card(browser, own)
    return browser.main


def test_a_card_without_account_is_told_the_way(browser, administrator, card):
    """Its company is registered, so it is bound by who has the account; another company's begins a registration."""
    says = card_login(browser, card)
    assert "90531" in says and NUMBER in says and "我的IC卡" in says and "请先注册" in says
    assert browser.open("/member").h1 == "用户登录"


def test_the_card_of_a_stopped_account_opens_nothing(browser, bound, card):
    bound.user.is_active = False
    session.commit()
    assert "90507" in card_login(browser, card)


def test_a_bound_card_that_went_to_another_company_opens_nothing(browser, bound, issuer):
    assert "90532" in card_login(browser, issue(issuer, uscc="91130100PDY000028G"))


def test_a_strangers_login_link_logs_nobody_in(app, bound, card, other_browser):
    attacker = Browser(app).open("/login/card").submit("开始读卡")
    other_browser.open(BridgeDouble.of(attacker).confirm(card))
    assert other_browser.status == 410 and other_browser.open("/member").h1 == "用户登录"
    assert attacker.open("/member").h1 == "用户登录"


def test_renewing_a_login_by_card_asks_for_the_card_when_it_is_bound_no_more(browser, bound, administrator):
    log_in(browser, administrator, "法人卡", card_number=NUMBER, card_until=bound.not_after).open("/member")
    find_user("demo01").enterprise.level = 3
    session.delete(find_card(NUMBER))
    session.commit()
    browser.open("/member").submit("重新登录")
    assert browser.h1 == "卡介质方式登录"


# -- batch: the area that asks is played here


def make_messages(count: int) -> list[bytes]:
    return [build([make_order(number)], Transfer("1301960001", "示例外贸", "DXPENT0000000017"), guid(number))
            for number in range(1, count + 1)]  # fmt: skip


def guid(number: int) -> str:
    return f"704EA0F1-B229-4E89-9F2F-{number:012d}"


def make_order(number: int) -> Order:
    line = OrderLine(1, "SKU-1", "小米盒子", unit="011", currency="502", qty=Decimal(2), price=Decimal("12.5"),
                     total_price=Decimal(25))  # fmt: skip
    return Order(
        guid=guid(number), app_type="1", app_time="20260101120000", order_type="B", order_no=f"order-{number}",
        ebp_code="1301960001", ebp_name="平台", ebc_code="1301960002", ebc_name="企业", goods_value=Decimal(25),
        freight=Decimal(0), currency="502", note="", lines=[line],
    )  # fmt: skip


class Batch:
    """An area that wants messages signed: keeps what it is handed."""

    def __init__(self, app, user):
        self.app, self.user, self.messages, self.kept = app, user, make_messages(3), {}
        self.task_id = user.id

    def message_of(self, challenge, index):
        return self.messages[int(challenge.items[index])]

    def keep(self, challenge, index, signature, signed):
        self.kept[index] = (signed, challenge.is_complete)

    def begin(self, challenge, card):
        if card.uscc != USCC:
            raise challenges.NotAccepted(challenges.Sentence("90999", "不是本单位的卡"))
        return "/account/company"

    def ask(self, browser, only=(0, 1, 2)):
        """As the area's own route would."""
        chosen = [self.messages[index] for index in only]
        payload = {
            "task": "T-1", "enterprise": "示例外贸（石家庄）有限公司", "uscc": USCC, "customs_code": "1301960001",
            "dxp_id": "DXPENT0000000017", "profiles": ["rsa-sha1", "sm2-sm3"], "count": len(chosen),
            "orders": len(chosen), "sums": {"502": f"{25 * len(chosen)}.00"},
            "sha256": [hashlib.sha256(message).hexdigest() for message in chosen],
        }  # fmt: skip
        with self.app.test_request_context(base_url=ORIGIN):
            challenge, cookie = challenges.create_challenge(
                "batch", payload, user_id=self.user.id, enterprise_id=self.user.enterprise_id, task_id=self.task_id,
                items=[str(index) for index in only], next_path="/account/company", again_path="/account/cards",
            )  # fmt: skip
            session.commit()
            answer = challenges.open_challenge(challenge, cookie)
            name, path = challenges.cookie_name(challenge), answer.headers["Location"]
        browser.client.set_cookie(name, cookie, domain="127.0.0.1")
        browser.open(path)
        return BridgeDouble.of(browser)

    def sign(self, bridge, index: int, own, message=None):
        message = message or self.messages[index]
        signature = base64.b64encode(own.sign(signed_info("rsa-sha1", message), "sha1")).decode()
        return bridge.call("POST", f"signatures/{index}", {"signature": signature})


def install(area: Batch, monkeypatch) -> None:
    hooks = {"release batch": area.begin, "message": area.message_of, "signature": area.keep}
    for name, hook in hooks.items():
        monkeypatch.setitem(challenges._HOOKS, name, hook)


@pytest.fixture
def batch(app, administrator, monkeypatch):
    area = Batch(app, administrator)
    install(area, monkeypatch)
    return area


@pytest.fixture
def signer(app, administrator):
    return log_in(Browser(app), administrator)


def test_a_batch_is_served_released_and_signed_message_by_message(batch, signer, card, issuer):
    bridge = batch.ask(signer)
    assert "3单，签3次" in signer.main
    back = bridge.confirm(card)
    assert [bridge.call("GET", f"messages/{index}").data for index in range(3)] == batch.messages
    signer.open(back)
    assert signer.url == "/account/company" and bridge.call("GET", "state").json["state"] == "released"
    for index in range(3):
        assert batch.sign(bridge, index, card).json == {"stored": index}
    assert [complete for _, complete in batch.kept.values()] == [False, False, True]
    assert all(verify(signed).card_number == NUMBER for signed, _ in batch.kept.values())
    assert the_challenge().state == "finished" and bridge.call("GET", "state").json["state"] == "finished"


def test_nothing_is_signed_before_the_right_browser_is_back(batch, signer, card):
    bridge = batch.ask(signer)
    bridge.claim()
    assert batch.sign(bridge, 0, card).status_code == 409
    bridge.answer(card)
    assert batch.sign(bridge, 0, card).status_code == 409
    assert not batch.kept


def test_a_strangers_link_yields_no_signature(batch, signer, card, other_browser):
    bridge = batch.ask(signer)
    other_browser.open(bridge.confirm(card))
    assert batch.sign(bridge, 0, card).json["reason"] == "browser-differs" and not batch.kept


def test_a_signature_sent_again_is_stored_already_and_counts_once(batch, signer, card):
    bridge = batch.ask(signer)
    signer.open(bridge.confirm(card))
    for index in (0, 0, 1, 2, 2):
        assert batch.sign(bridge, index, card).status_code == 200
    assert the_challenge().signed_count == 3 and the_challenge().state == "finished"


def test_a_signature_over_another_message_is_refused(batch, signer, card):
    bridge = batch.ask(signer)
    signer.open(bridge.confirm(card))
    assert batch.sign(bridge, 0, card, batch.messages[1]).status_code == 422
    assert not batch.kept and the_challenge().signed_count == 0


def test_a_message_that_changed_after_the_pin_is_not_taken_as_signed(batch, signer, card):
    bridge = batch.ask(signer)
    signer.open(bridge.confirm(card))
    read, batch.messages[0] = batch.messages[0], batch.messages[0].replace(b"order-1", b"order-9")
    assert batch.sign(bridge, 0, card, read).status_code == 422 and not batch.kept


def signatures(batch, card, *indexes) -> list[str]:
    infos = [signed_info("rsa-sha1", batch.messages[index]) for index in indexes]
    return [base64.b64encode(card.sign(info, "sha1")).decode() for info in infos]


def test_several_signatures_come_in_one_call_and_those_before_a_bad_one_stay(batch, signer, card):
    bridge = batch.ask(signer)
    signer.open(bridge.confirm(card))
    assert bridge.claimed["signatures_at_once"] == 32
    first, second, third = signatures(batch, card, 0, 1, 2)
    assert bridge.call("POST", "signatures", {"first": 0, "signatures": [first, third]}).status_code == 422
    assert the_challenge().signed_count == 1
    assert bridge.call("POST", "signatures", {"first": 0, "signatures": [first, second, third]}).json == {"stored": 0}
    assert the_challenge().state == "finished" and len(batch.kept) == 3


@pytest.mark.parametrize(("first", "texts"), [(0, []), (0, "AAAA"), (-1, ["AAAA"]), ("0", ["AAAA"]), (0, ["AAAA"] * 33),
                                              (None, None), (3, ["AAAA"])])  # fmt: skip
def test_several_signatures_of_another_form_are_not_taken(batch, signer, card, first, texts):
    bridge = batch.ask(signer)
    signer.open(bridge.confirm(card))
    assert bridge.call("POST", "signatures", {"first": first, "signatures": texts}).status_code in (400, 409)
    assert not batch.kept


@pytest.mark.parametrize("index", [3, 10**12])
def test_a_message_outside_of_the_list_is_neither_served_nor_signed(batch, signer, card, index):
    bridge = batch.ask(signer)
    signer.open(bridge.confirm(card))
    assert bridge.call("GET", f"messages/{index}").status_code == 404
    assert bridge.call("POST", f"signatures/{index}", {"signature": "AAAA"}).status_code == 409


@pytest.mark.parametrize("signature", [None, "", "%", 5, "A" * 2000])
def test_a_signature_of_another_form_is_not_taken(batch, signer, card, signature):
    bridge = batch.ask(signer)
    signer.open(bridge.confirm(card))
    assert bridge.call("POST", "signatures/0", {"signature": signature}).status_code == 400


def test_the_area_may_refuse_the_card_in_its_own_words(batch, signer, issuer):
    bridge = batch.ask(signer)
    signer.open(bridge.confirm(issue(issuer, uscc="91130100PDY000028G")))
    assert "不是本单位的卡" in signer.main and "90999" in signer.main
    assert batch.sign(bridge, 0, issue(issuer)).status_code == 404


def test_a_batch_lives_while_it_progresses_and_ends_when_it_idles(batch, signer, card):
    bridge = batch.ask(signer)
    signer.open(bridge.confirm(card))
    start = clock.now()
    with clock.stopped_at(start + timedelta(minutes=14)):
        assert batch.sign(bridge, 0, card).status_code == 200
    with clock.stopped_at(start + timedelta(minutes=28)):
        assert batch.sign(bridge, 1, card).status_code == 200
    with clock.stopped_at(start + timedelta(minutes=44)):
        assert batch.sign(bridge, 2, card).json["reason"] == "expired"
    assert sorted(batch.kept) == [0, 1]


def test_a_batch_ends_after_two_hours_even_if_it_progresses(batch, signer, card):
    bridge = batch.ask(signer)
    signer.open(bridge.confirm(card))
    row = the_challenge()
    row.progress_at = row.created_at + timedelta(minutes=119)
    session.commit()
    with clock.stopped_at(row.created_at + timedelta(minutes=121)):
        assert batch.sign(bridge, 0, card).status_code == 410


def test_a_new_request_for_the_unsigned_messages_ends_the_one_before(batch, signer, card):
    first = batch.ask(signer)
    signer.open(first.confirm(card))
    batch.sign(first, 0, card)
    second = batch.ask(signer, only=(1, 2))
    assert batch.sign(first, 1, card).json["reason"] == "replaced"
    signer.open(second.confirm(card))
    for index in (0, 1):
        assert batch.sign(second, index, card, batch.messages[index + 1]).status_code == 200
    assert [each.state for each in challenges_of_task(batch.task_id)] == ["finished", "killed"]


def test_the_card_of_another_key_cannot_sign_in_the_middle(batch, signer, card, issuer):
    from cryptography.hazmat.primitives.asymmetric import rsa

    bridge = batch.ask(signer)
    signer.open(bridge.confirm(card))
    other = issue(issuer, key=rsa.generate_private_key(65537, 2048))
    assert batch.sign(bridge, 0, other).status_code == 422


def test_only_one_company_sees_its_cards(browser, bound, issuer):
    other = make_user("other1", enterprise=make_enterprise("别家有限公司", "91130100PDY000028G", code=None), **STRANGER)
    assert NUMBER not in log_in(browser, other).open("/account/cards").main
