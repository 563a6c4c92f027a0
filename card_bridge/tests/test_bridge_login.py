"""Login, bind, real-name and batch as people do them, over real HTTP."""

import pytest
from bridge_stage import PHRASE, Browser, wait_until


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("algorithm", ["rsa", "sm2"])
def test_login_with_either_card(scheme, algorithm, new_stage):
    stage = new_stage(scheme, algorithm)
    anna = Browser(stage)
    anna.open(anna.ask())
    assert anna.find("check") == stage.row.check_number
    assert anna.find("purpose") == "登录"
    assert anna.find("origin") == stage.origin
    assert PHRASE in anna.text
    anna.enter_pin()
    assert "state=finished" in anna.text
    wait_until(lambda: stage.row.reports == [("pin", 100)])


@pytest.mark.parametrize("purpose,words", [("bind", "绑定这张卡"), ("real-name", "单位实名认证")])
def test_other_purposes_say_what_they_are_for(purpose, words, stage, anna):
    anna.open(anna.ask(purpose))
    assert anna.find("purpose") == words
    assert "示例外贸（唐山）有限公司" in anna.text
    assert "state=finished" in anna.enter_pin().text


@pytest.mark.parametrize("algorithm", ["rsa", "sm2"])
def test_a_batch_is_signed_by_the_algorithm_of_the_card(algorithm, new_stage):
    stage = new_stage(algorithm=algorithm)
    anna = Browser(stage)
    anna.open(anna.ask("batch", count=2, orders=3))
    assert "出口订单6单，合计606.00人民币，签2次" in anna.text
    assert "从order-0到order-5" in anna.text
    anna.enter_pin()
    wait_until(lambda: stage.row.state == "finished")
    assert sorted(stage.row.signed) == [0, 1]
    wait_until(lambda: stage.row.reports == [("signing", 100)])


def test_the_page_names_the_card_and_its_holder(new_stage):
    stage = new_stage(algorithm="sm2")
    anna = Browser(stage)
    anna.open(anna.ask())
    assert anna.find("card") == "操作员卡，李明，卡号后四位0024，密码还可以试6次"
    assert "东方物通科技(北京)有限公司" in anna.text


def test_the_pin_field_is_masked_and_never_offered_for_saving(stage, anna):
    anna.open(anna.ask())
    assert 'type="password"' not in anna.text
    assert ".pin{-webkit-text-security:disc}" in anna.text
    assert 'class="pin" type="text"' in anna.text


def test_every_page_tells_its_number_as_it_is_spoken(stage, anna):
    for url, number in (("/", "9606"), ("/settings", "9605")):
        anna.open(stage.bridge_origin + url)
        assert f"报<b>{number}</b>（念作“九六零" in anna.text
    anna.open(anna.ask())
    assert "报<b>9602</b>（念作“九六零二”）" in anna.text


def test_page_headers(stage, anna):
    anna.open(anna.ask())
    assert anna.headers["Referrer-Policy"] == "same-origin"
    assert anna.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert anna.headers["Cache-Control"] == "no-store"
    policy = anna.headers["Content-Security-Policy"]
    assert f"form-action 'self' {stage.origin}" in policy
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy


def test_double_click_and_reload_do_not_claim_twice(stage, anna):
    link = anna.ask()
    for _ in range(3):
        anna.open(link)
    assert "state=finished" in anna.enter_pin().text


def test_no_connection_before_consent(new_stage):
    stage = new_stage("https", signing=False)
    anna = Browser(stage)
    link = anna.ask()
    anna.open(link)
    assert "允许这个网站使用您的卡吗" in anna.text
    assert anna.find("check") == stage.row.check_number
    anna.submit("/consent", answer="no")
    assert stage.resolver.asked == []
    assert stage.row.state == "new"
    anna.open(link).submit("/consent")
    assert anna.find("purpose") == "登录"
    assert stage.resolver.asked == ["portal.test"]
    assert "state=finished" in anna.enter_pin().text


def test_consent_does_not_allow_signing_messages(new_stage):
    stage = new_stage(signing=False)
    anna = Browser(stage)
    anna.open(anna.ask("batch")).submit("/consent")
    assert "没有得到允许" in anna.text
    assert "9710" in anna.text
    assert stage.row.reports == [("entry", 110)]


def test_cancel_signs_nothing_and_says_so(stage, anna):
    anna.open(anna.ask()).submit("/pin", pin="", answer="no")
    assert "您已经取消" in anna.text
    assert stage.row.state == "claimed"
    assert stage.row.reports == [("pin", 117)]


def test_the_claim_tells_the_version(stage, anna):
    anna.open(anna.ask())
    assert stage.portal.claim_bodies == [{"version": "1.0"}]


def test_a_bridge_older_than_the_portal_wants_says_where_to_get_a_new_one(stage, anna):
    stage.portal.minimum_version = "1.10"
    anna.open(anna.ask())
    assert "版本太旧" in anna.text
    assert stage.row.reports == [("entry", 123)]
    stage.portal.minimum_version = "1.0"
    assert anna.open(anna.ask()).find("purpose") == "登录"
    stage.portal.claim_status = 426
    assert "版本太旧" in anna.open(anna.ask()).text


def test_the_start_page_lists_what_can_go_on(stage, anna):
    link = anna.ask()
    anna.open(link)
    anna.open(stage.bridge_origin + "/")
    assert stage.row.id in anna.text
    anna.open(link).enter_pin()
    wait_until(lambda: stage.request.stage == "done")
    assert stage.row.id not in anna.open(stage.bridge_origin + "/").text
