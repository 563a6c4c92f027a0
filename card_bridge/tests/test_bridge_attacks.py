"""Every attack of the threat list, over real HTTP."""

import re
import ssl
import subprocess
import sys
import time

import pytest
import requests
from bridge_stage import PIN, Browser, wait_until

UNWANTED_ORIGINS = ["https://evil.test", "null", "http://localhost:{port}", "http://127.0.0.1:{other}"]


def location_after_pin(browser: Browser) -> str:
    """Enters the PIN and gives the URL of the 303 without following it."""
    return browser.submit("/pin", hops=1, pin=PIN).headers["Location"]


def portal_path(stage) -> str:
    return f"{stage.origin}/card/requests/{stage.row.id}"


def test_a_strangers_link_kills_the_challenge(stage, anna, bert):
    bert.open(anna.ask()).enter_pin()
    assert "state=browser-differs" in bert.text
    assert stage.row.state == "killed"


def test_a_strangers_batch_link_signs_no_message(stage, anna, bert):
    bert.open(anna.ask("batch")).enter_pin()
    wait_until(lambda: stage.request.stage == "failed")
    assert stage.request.signed == 0
    assert stage.row.signed == {}
    assert "在另一个浏览器里开始" in bert.open(stage.bridge_origin + stage.request.here).text


def test_a_batch_that_nobody_releases_signs_no_message(stage, anna, monkeypatch):
    monkeypatch.setattr("eport_card_bridge.worker.RELEASE_SECONDS", 0.3)
    anna.open(anna.ask("batch"))
    location_after_pin(anna)
    wait_until(lambda: stage.row.reports == [("signing", 115)])
    assert stage.request.stage == "failed"
    assert stage.row.signed == {}


def test_the_code_works_once(stage, anna):
    anna.open(anna.ask())
    location = location_after_pin(anna)
    assert "state=finished" in anna.open(location).text
    assert anna.open(location).status == 410


def test_a_request_replayed_after_success_is_dead(stage, anna):
    link = anna.ask()
    anna.open(link).enter_pin()
    stage.stop_bridge()
    stage.start_bridge()
    assert "已经失效" in anna.open(link).text
    assert stage.row.state == "killed"


def test_a_second_claim_kills(stage, anna):
    anna.open(anna.ask())
    assert requests.post(portal_path(stage) + "/claim", timeout=5).status_code == 409
    assert "已经失效" in anna.enter_pin().text
    assert stage.row.reason == "second-claim"


def test_the_bridge_sends_its_post_key(stage, anna):
    anna.open(anna.ask())
    wrong = requests.post(portal_path(stage) + "/answer", json={}, headers={"Authorization": "Bearer x"}, timeout=5)
    assert wrong.status_code == 403
    assert "已经失效" in anna.enter_pin().text


@pytest.mark.parametrize("origin", UNWANTED_ORIGINS)
def test_a_post_from_elsewhere_is_refused_even_with_a_token(origin, stage, anna):
    origin = origin.format(port=stage.bridge_port, other=stage.bridge_port + 1)
    anna.open(anna.ask())
    assert post_pin(anna, {"Origin": origin}).status == 403
    assert stage.row.state == "claimed"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_post_that_the_browser_calls_foreign_is_refused(site, stage, anna):
    anna.open(anna.ask())
    assert post_pin(anna, {"Origin": stage.bridge_origin, "Sec-Fetch-Site": site}).status == 403


def test_a_post_without_origin_needs_the_bridges_referer(stage, anna):
    anna.open(anna.ask())
    assert post_pin(anna, {}).status == 403
    assert post_pin(anna, {"Referer": stage.bridge_origin + ".evil.test/"}).status == 403
    assert "state=finished" in post_pin(anna, {"Referer": stage.bridge_origin + "/requests/x"}).text


def post_pin(browser: Browser, headers: dict[str, str]) -> Browser:
    """Posts the PIN with a good token and these headers, wherever the browser stands."""
    stage = browser.stage
    token = stage.bridge.tokens.new("pin", stage.origin, stage.row.id)
    data = {"portal": stage.origin, "token": token, "pin": PIN, "answer": "yes"}
    return browser.open(pin_url(browser), "POST", data, headers)


def pin_url(browser: Browser) -> str:
    return f"{browser.stage.bridge_origin}/requests/{browser.stage.row.id}/pin"


def test_a_form_token_is_for_one_use(stage, anna):
    anna.open(anna.ask())
    url, data = (
        pin_url(anna),
        {"portal": stage.origin, "token": anna.field("token"), "pin": "00000000", "answer": "yes"},
    )
    own = {"Origin": stage.bridge_origin}
    assert "还可以试5次" in anna.open(url, "POST", data, own).text
    assert anna.open(url, "POST", {**data, "pin": PIN}, own).status == 403
    assert stage.card.tries == 5


def test_a_form_token_is_for_one_request(stage, anna, bert):
    anna.open(anna.ask())
    url = pin_url(anna)
    bert.open(bert.ask())
    data = {"portal": stage.origin, "token": bert.field("token"), "pin": PIN, "answer": "yes"}
    assert anna.open(url, "POST", data, {"Origin": stage.bridge_origin}).status == 403


@pytest.mark.parametrize(
    "headers,status",
    [
        ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
        ({"Sec-Purpose": "prefetch"}, 403),
        ({"Purpose": "prefetch"}, 403),
        ({"Sec-Fetch-Dest": "iframe"}, 403),
        ({"Host": "evil.test:61230"}, 421),
    ],
)
def test_subresource_prefetch_frame_and_rebinding_are_refused(headers, status, stage, anna):
    assert anna.open(anna.ask(), headers=headers).status == status
    assert stage.row.state == "new"


def test_unknown_paths_and_methods_are_refused(stage, anna):
    assert anna.open(stage.bridge_origin + "/health").status == 404
    assert anna.open(stage.bridge_origin + "/settings", "OPTIONS").status == 403
    assert anna.open(anna.ask().replace("/requests/", "/requests/x")).find("outcome")
    assert stage.row.state == "new"


@pytest.mark.parametrize(
    "origin",
    ["http://portal.test", "https://portal.test/x", "https://u@portal.test", "{own}&portal=https://evil.test", ""],
)
def test_an_origin_that_is_not_one_is_refused(origin, stage, anna):
    link = anna.ask().split("?portal=")[0]
    assert anna.open(f"{link}?portal={origin.format(own=stage.origin)}").find("outcome")
    assert stage.row.state == "new"


def test_a_punycode_origin_is_shown_with_a_warning(stage, anna):
    link = anna.ask().split("?portal=")[0]
    assert "可能冒充" in anna.open(f"{link}?portal=https://xn--fiq228c.test").text


def test_a_relaying_portal_gets_a_signature_over_its_own_origin(new_stage):
    """evil.test forwards everything to the honest portal; the user even consents to it. The origin inside M differs."""
    stage = new_stage("https")
    anna = Browser(stage)
    link = anna.ask().split("?portal=")[0] + f"?portal=https://evil.test:{stage.port}"
    anna.open(link).submit("/consent")
    location = location_after_pin(anna)
    assert location.startswith(f"https://evil.test:{stage.port}/card/return?code=")
    anna.open(location.replace("evil.test", "portal.test"))
    assert stage.row.state == "killed"
    assert stage.row.reason == "not verified: signature over M"


def test_a_redirecting_portal_is_not_followed(new_stage):
    stage = new_stage("https")
    anna = Browser(stage)
    stage.portal.redirect_claims_to = f"https://evil.test:{stage.port}/"
    assert "没有跟着去" in anna.open(anna.ask()).text
    assert stage.resolver.asked == ["portal.test"]


def test_a_portal_whose_certificate_is_not_trusted_gets_nothing(new_stage):
    stage = new_stage("https")
    stage.options.tls = ssl.create_default_context()
    anna = Browser(stage)
    assert "证书不可信" in anna.open(anna.ask()).text
    assert stage.row.state == "new"


def test_a_payload_changed_after_the_pin_does_not_fit_the_signature(stage, anna):
    anna.open(anna.ask())
    location = location_after_pin(anna)
    stage.row.payload += b" "
    assert "signature over M" in anna.open(location).text


def test_a_message_changed_after_the_challenge_ends_the_request(stage, anna):
    link = anna.ask("batch")
    stage.row.messages[1] = stage.row.messages[1].replace(b"101.50", b"999.50")
    assert "和清单不一样" in anna.open(link).text
    assert stage.row.reports == [("entry", 114)]


def test_a_message_changed_after_the_pin_page_does_not_fit_the_signature(stage, anna):
    """The bridge signs the bytes that it showed."""
    anna.open(anna.ask("batch"))
    stage.row.messages[1] = stage.row.messages[1].replace(b"101.50", b"999.50")
    anna.enter_pin()
    wait_until(lambda: stage.request.stage == "failed")
    assert list(stage.row.signed) == [0]


def test_an_appended_message_is_neither_fetched_nor_signed(stage, anna):
    anna.open(anna.ask("batch"))
    stage.row.messages.append(stage.row.messages[0])
    anna.enter_pin()
    wait_until(lambda: stage.request.stage == "done")
    assert sorted(stage.row.signed) == [0, 1]


@pytest.mark.parametrize(
    "told,instead",
    [
        (b'"202.00"', b'"101.00"'),
        (b'"count": 2', b'"count": 1'),
        (b'"orders": 2', b'"orders": 3'),
        (b'"142"', b'"502"'),
        (b'"task": "T-0001"', b'"task": "T\\u202e01"'),
        (b'"task"', b'"tusk"'),
    ],
)
def test_a_list_that_says_something_else_is_noticed(told, instead, stage, anna):
    link = anna.ask("batch")
    assert told in stage.row.payload
    stage.row.payload = stage.row.payload.replace(told, instead)
    assert "和清单不一样" in anna.open(link).text


@pytest.mark.parametrize(
    "payload", [b"[]", b"{}", b'{"a": {"b": 1}}', b'{"a": "\\u202egol"}', b"no json", b'{"a": "' + b"x" * 201 + b'"}']
)
def test_a_payload_that_cannot_be_shown_in_plain_words_is_refused(payload, stage, anna):
    link = anna.ask()
    stage.row.payload = payload
    assert "和清单不一样" in anna.open(link).text


def test_a_payload_cannot_write_html(stage, anna):
    link = anna.ask()
    stage.row.payload = b'{"<b>": "<script>1</script>"}'
    anna.open(link)
    assert "<script>" not in anna.text
    assert "&lt;script&gt;" in anna.text


@pytest.mark.parametrize("purpose", ["unbind", "device-report", "anything"])
def test_a_purpose_that_is_not_built_is_refused(purpose, stage, anna):
    link = anna.ask()
    stage.row.purpose = purpose
    assert "和清单不一样" in anna.open(link).text


def test_too_late_for_the_pin(stage, anna):
    link = anna.ask()
    stage.portal.pin_seconds = 0.4
    anna.open(link)
    time.sleep(0.5)
    assert "已经失效" in anna.enter_pin().text
    assert stage.row.state != "finished"


def test_a_card_of_an_unknown_authority_is_not_released(stage, anna):
    stage.portal.authorities.clear()
    assert "not verified: chain" in anna.open(anna.ask()).enter_pin().text


def test_another_os_user_is_refused(stage):
    code = (
        "import urllib.request as u,urllib.error as e\n"
        f"try: u.urlopen('{stage.bridge_origin}/')\nexcept e.HTTPError as x: print(x.code)\nelse: print(200)"
    )
    command = ["/usr/bin/env", "python3", "-c", code]
    other = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c", code]
    if subprocess.run([*other[:-1], "print(1)"], capture_output=True, check=False).returncode:
        pytest.skip("cannot become another user here")
    assert subprocess.run(other, capture_output=True, text=True, check=False).stdout.strip() == "403"
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() == "200"


def test_a_taken_port_is_said_with_its_number(stage, tmp_path):
    command = [sys.executable, "-m", "eport_card_bridge", "--port", str(stage.bridge_port), "--data", str(tmp_path)]
    path = {"PYTHONPATH": re.sub("/eport_card_bridge/.*", "", sys.modules["eport_card_bridge"].__file__)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, env=path, check=False)
    assert str(stage.bridge_port) in done.stderr
    assert "9724" in done.stderr
    assert done.returncode != 0
