"""Signing by redirect, the portal's side: every sentence of the protocol that refuses something, tried over HTTP."""

import base64
import json
from datetime import timedelta

import pytest

from blueprints.common import clock
from models.challenges import Challenge, LostCard, find_challenge
from models.database import session
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import BridgeDouble, check_number_of, confirm_by_card, errors_of, issue, the_challenge
from tests.conftest import log_in
from tests.gateways.card_authority import RsaPki

pytest_plugins = ["tests.card_fixtures"]


def later(**time):
    return clock.stopped_at(clock.now() + timedelta(**time))


def is_dead(key: str) -> bool:
    challenge = the_challenge()
    return challenge.state == "killed" and challenge.refusal["key"] == key and challenge.answer is None


def test_the_page_shows_what_is_asked_the_check_number_and_both_ways_to_the_bridge(asked):
    assert asked.number == "3004" and asked.h1 == "请用电子口岸卡确认"
    assert len(check_number_of(asked)) == 4
    links = [asked.soup.find(id=name)["href"] for name in ("new-tab", "same-tab")]
    assert links[0] == links[1] and links[0].startswith("http://127.0.0.1:61230/requests/")
    assert links[0].endswith("?portal=" + ORIGIN)
    assert asked.soup.find(id="new-tab")["target"] == "_blank" and asked.soup.find(href="eport-card-bridge:")
    assert "示例外贸（石家庄）有限公司" in asked.main and "把这张卡绑定到账号" in asked.main


def test_the_page_can_be_reloaded_and_shows_the_same_request(asked):
    number, link = check_number_of(asked), asked.soup.find(id="new-tab")["href"]
    asked.follow("我已完成")
    assert (check_number_of(asked), asked.soup.find(id="new-tab")["href"]) == (number, link)


def test_nothing_by_which_a_request_could_be_stolen_is_kept_readable(asked, bridge, card):
    code = bridge.confirm(card).partition("=")[2]
    row = the_challenge()
    secrets = [bridge.path.rpartition("/")[2], bridge.key, code, asked.client.get_cookie(
        f"eport-card-{row.id_hash.hex()[:12]}", domain="127.0.0.1").value]  # fmt: skip
    stored = repr([getattr(row, column.key) for column in Challenge.__table__.columns if hasattr(row, column.key)])
    assert not any(secret in stored for secret in secrets)


def test_the_claim_gives_nonce_payload_and_the_time_that_is_left(bridge):
    answer = bridge.claim().json
    assert answer["purpose"] == "bind" and len(base64.b64decode(answer["nonce"])) == 32
    assert json.loads(answer["payload"])["账号"] == "demo01"
    assert 290 < answer["seconds_left"] <= 300


def test_a_second_claim_ends_the_request(bridge):
    bridge.claim()
    assert bridge.call("POST", "claim", {"version": "1.0"}).status_code == 409
    assert is_dead("second-claim")
    answer = bridge.call("GET", "state")
    assert answer.status_code == 404 and answer.json["reason"] == "second-claim"


def test_a_get_does_not_claim(bridge):
    assert bridge.client.get(bridge.path + "/claim", base_url=ORIGIN).status_code == 405
    assert the_challenge().state == "new"


@pytest.mark.parametrize(("method", "path"), [("GET", "state"), ("GET", "messages/0"), ("POST", "answer"),
                                              ("POST", "signatures/0"), ("POST", "signatures"), ("POST", "reports")])  # fmt: skip
@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_wrong_post_key_ends_the_request(bridge, method, path, key):
    bridge.claim()
    answer = bridge.call(method, path, {"signature": "AAAA"} if method == "POST" else None, key=key)
    assert answer.status_code == 403
    assert is_dead("wrong-post-key")


@pytest.mark.parametrize("name", ["A" * 43, "A" * 42, "x", "A" * 44, "..", "%00" * 43])
def test_an_unknown_request_is_404_and_says_nothing(asked, bridge, name):
    bridge.path = f"/card/requests/{name}"
    assert bridge.claim().status_code == 404
    assert the_challenge().state == "new"


@pytest.mark.parametrize("version", ["0.9", "0.9.9", None, "", "newest", 1, "1.0; rm", "9" * 50])
def test_a_bridge_that_is_too_old_is_told_so_and_spoils_nothing(asked, bridge, version):
    answer = bridge.claim(version)
    assert answer.status_code == 426 and answer.json["reason"] == "too-old"
    assert "读卡程序的版本太旧" in asked.follow("我已完成").main
    assert bridge.claim("1.0").status_code == 200


def test_after_five_minutes_without_a_pin_the_request_is_over(asked, bridge, card):
    bridge.claim()
    with later(minutes=6, seconds=1):
        answer = bridge.answer(card)
        assert answer.status_code == 410 and answer.json["reason"] == "expired"
        asked.follow("我已完成")
    assert "过期" in asked.main and "90511" in asked.main
    asked.follow("重新开始")
    assert asked.h1 == "我的IC卡"


def test_a_request_that_nobody_claimed_is_over_after_five_minutes(bridge):
    with later(minutes=5, seconds=1):
        assert bridge.claim().status_code == 410


def test_a_pin_of_the_last_second_still_counts(asked, bridge, card):
    bridge.claim()
    with later(minutes=5, seconds=5):
        asked.open("/card/return?code=" + bridge.answer(card).json["code"])
    assert asked.h1 == "我的IC卡"


def test_a_code_that_comes_back_too_late_releases_nothing(asked, bridge, card):
    back = bridge.confirm(card)
    with later(minutes=7):
        asked.open(back)
    assert "90511" in asked.main and is_dead("expired")


def test_what_the_card_answered_stays_in_quarantine_until_the_browser_is_back(asked, bridge, card):
    bridge.confirm(card)
    assert the_challenge().state == "quarantined" and bridge.call("GET", "state").json["state"] == "quarantined"
    asked.follow("我已完成")
    assert the_challenge().state == "quarantined" and asked.h1 == "请用电子口岸卡确认"
    asked.open("/card/return")
    assert the_challenge().state == "quarantined"


def test_another_browser_releases_nothing_and_ends_the_request(asked, bridge, card, other_browser):
    back = bridge.confirm(card)
    other_browser.open(back)
    assert other_browser.status == 410 and "别人发来的" in other_browser.main
    assert is_dead("browser-differs")
    answer = bridge.call("GET", "state")
    assert answer.status_code == 404 and answer.json["reason"] == "browser-differs"
    asked.open(back)
    assert "卡8600000000101" not in asked.open("/account/cards").main


def test_another_browser_cannot_look_at_the_request(asked, other_browser):
    assert other_browser.open(asked.url).status == 410


def test_a_code_works_once(asked, bridge, card):
    back = bridge.confirm(card)
    assert asked.open(back).h1 == "我的IC卡"
    assert asked.open(back).status == 410
    assert the_challenge().state == "finished"


def test_a_look_ahead_does_not_use_the_code_up(asked, bridge, card):
    back = bridge.confirm(card)
    assert asked.client.head(back, base_url=ORIGIN).status_code == 405
    assert asked.client.get(back, base_url=ORIGIN, headers={"Sec-Purpose": "prefetch"}).status_code == 405
    assert asked.open(back).h1 == "我的IC卡"


@pytest.mark.parametrize("code", ["x", "A" * 43, "%E4%BD%A0"])
def test_a_made_up_code_releases_nothing(asked, bridge, card, code):
    bridge.confirm(card)
    assert asked.open(f"/card/return?code={code}").status == 410
    assert the_challenge().state == "quarantined"


def test_the_same_answer_again_gets_a_fresh_code_and_the_old_one_is_void(asked, bridge, card):
    bridge.claim()
    body = bridge.body(card)
    first, second = (bridge.call("POST", "answer", body).json["code"] for _ in range(2))
    assert first != second
    assert asked.open(f"/card/return?code={first}").status == 410
    assert asked.open(f"/card/return?code={second}").h1 == "我的IC卡"


def test_another_answer_ends_the_request(bridge, issuer, card):
    bridge.claim()
    bridge.answer(card)
    assert bridge.answer(issue(issuer, number="8600000000102")).status_code == 409
    assert is_dead("second-answer")


def test_an_answer_after_the_end_changes_nothing(asked, bridge, card):
    asked.open(bridge.confirm(card))
    assert bridge.answer(card).status_code == 409
    assert the_challenge().state == "finished"


@pytest.mark.parametrize("change", [
    {"signature": None}, {"signature": ""}, {"signature": "%%%"}, {"signature": "A" * 2000}, {"certificate": 1},
    {"certificate": "A" * 20000}, {"extra": "x"}, {"algorithm": ["rsa-sha256"]},
])  # fmt: skip
def test_an_answer_of_another_form_is_not_taken(bridge, card, change):
    bridge.claim()
    body = {name: value for name, value in (bridge.body(card) | change).items() if value is not None}
    assert bridge.call("POST", "answer", body).status_code == 400
    assert the_challenge().state == "claimed"


@pytest.mark.parametrize("path", ["claim", "answer", "signatures/0", "signatures", "reports"])
def test_a_body_over_64_kib_is_refused(bridge, path):
    bridge.claim() if path != "claim" else None
    assert bridge.call("POST", path, {"version": "1.0", "more": "x" * 70000}).status_code == 413


@pytest.mark.parametrize("body", [None, [], "text", 3])
def test_what_is_no_object_is_not_taken(bridge, body):
    bridge.claim()
    assert bridge.call("POST", "answer", body).status_code == 400


@pytest.mark.parametrize("change", [
    {"purpose": "login"}, {"origin": "https://evil.example"}, {"nonce": b"n" * 32}, {"payload": b"{}"},
])  # fmt: skip
def test_a_signature_over_anything_else_than_this_request_counts_for_nothing(asked, bridge, card, change):
    asked.open(bridge.confirm(card, **change))
    assert asked.h1 == "没有办成" and "90528" in asked.main
    assert is_dead("signature")


def test_a_card_of_an_unknown_authority_is_refused(asked):
    confirm_by_card(asked, issue(RsaPki("SOMEBODY ELSE")))
    assert "90522" in asked.main and is_dead("chain")


@pytest.mark.parametrize(("options", "number"), [
    ({"days": (-400, -1)}, "90524"), ({"days": (1, 400)}, "90523"), ({"signs": False}, "90525"),
])  # fmt: skip
def test_a_card_whose_certificate_does_not_hold_today_is_refused_with_its_own_words(asked, issuer, options, number):
    confirm_by_card(asked, issue(issuer, **options))
    assert asked.h1 == "没有办成" and number in asked.main


@pytest.mark.parametrize("by", ["number", "serial"])
def test_a_card_that_was_reported_lost_is_refused(app, asked, issuer, card, by):
    from gateways.card_answers import read_certificate

    mark = "8600000000101" if by == "number" else read_certificate(card.der).serial_hex
    assert app.test_cli_runner().invoke(args=["report-lost-card", mark]).exit_code == 0
    assert session.get(LostCard, mark)
    confirm_by_card(asked, card)
    assert "90526" in asked.main


def test_a_certificate_that_is_none_is_refused(asked, bridge, card):
    bridge.claim()
    body = bridge.body(card) | {"certificate": base64.b64encode(b"no certificate").decode()}
    asked.open("/card/return?code=" + bridge.call("POST", "answer", body).json["code"])
    assert "90521" in asked.main


def test_the_algorithm_must_be_that_of_the_cards_key(asked, bridge, card):
    bridge.claim()
    body = bridge.body(card) | {"algorithm": "sm2-sm3"}
    asked.open("/card/return?code=" + bridge.call("POST", "answer", body).json["code"])
    assert "90527" in asked.main


def test_who_logged_in_as_somebody_else_meanwhile_releases_nothing(asked, bridge, card, reviewer):
    back = bridge.confirm(card)
    log_in(asked, reviewer).open(back)
    assert "90516" in asked.main and is_dead("user-differs")


def test_the_last_report_of_the_bridge_is_said_in_words(asked, bridge):
    bridge.claim()
    assert bridge.call("POST", "reports", {"page": "pin", "outcome": 133}).status_code == 200
    assert "读卡程序：卡密码不对，PIN剩3次" in asked.follow("我已完成").main
    assert "9733" in asked.main


@pytest.mark.parametrize("body", [{}, {"page": "pin", "outcome": 999}, {"page": "pin", "outcome": "133"},
                                  {"page": "x", "outcome": 133}, {"page": "pin", "outcome": [133]}])  # fmt: skip
def test_a_report_of_another_form_is_not_taken(bridge, body):
    bridge.claim()
    assert bridge.call("POST", "reports", body).status_code == 400
    assert the_challenge().report_outcome is None


def test_two_requests_of_one_browser_do_not_end_each_other(asked, card):
    first = BridgeDouble.of(asked)
    asked.open("/account/cards").submit("绑定一张卡")
    assert asked.open(first.confirm(card)).h1 == "我的IC卡"
    assert asked.open("/card/return").h1 == "请用电子口岸卡确认"


def test_coming_back_without_any_request_says_so(other_browser):
    assert other_browser.open("/card/return").status == 410


def test_who_calls_it_off_ends_the_request(asked, bridge, card):
    back = bridge.confirm(card)
    asked.submit("不办了")
    assert asked.h1 == "我的IC卡" and is_dead("cancelled")
    assert asked.open(back).status == 410


def test_nobody_else_can_call_it_off(asked, other_browser):
    other_browser.open("/login")
    data = {"csrf_token": other_browser.value("csrf_token")}
    assert other_browser.client.post(asked.url + "/cancel", data=data, base_url=ORIGIN).status_code == 404
    assert the_challenge().state == "new"


def test_too_many_requests_in_a_row_must_wait(app, administrator, issuer):
    browser = log_in(Browser(app), administrator)
    for _ in range(30):
        browser.open("/account/cards").submit("绑定一张卡")
    browser.open("/account/cards").submit("绑定一张卡")
    assert errors_of(browser) == ["90518 开始的次数太多，请过10分钟再试"]


def test_a_request_is_made_by_a_post_with_its_token_only(app, administrator):
    browser = log_in(Browser(app, check=False), administrator)
    answer = browser.client.post("/account/cards/bind", base_url=ORIGIN)
    assert answer.status_code == 400 and the_challenge() is None


def test_a_challenge_of_an_unknown_purpose_is_not_made(context):
    from blueprints.common.challenges import create_challenge

    with pytest.raises(ValueError, match="unbind"):
        create_challenge("unbind", {}, next_path="/", again_path="/", user_id=None)


def test_old_requests_are_swept(asked):
    from models.challenges import sweep_challenges

    found = the_challenge()
    assert sweep_challenges(clock.now() + timedelta(days=29)) == 0
    assert sweep_challenges(clock.now() + timedelta(days=31)) == 1
    assert find_challenge(id=found.id) is None
