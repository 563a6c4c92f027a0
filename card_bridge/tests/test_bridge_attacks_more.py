"""What a portal answers that is dishonest or broken beyond a wrong payload: the page comes to an end and says so."""

import base64
import json

import pytest
from aiohttp import web
from bridge_stage import Browser, wait_until
from portal_stub import Portal

DEEP = '{"post_key": "k", "payload": ' + "[" * 100_000 + "}"
CLAIM = {
    "purpose": "login",
    "nonce": base64.b64encode(bytes(32)).decode(),
    "payload": '{"单位": "示例外贸（唐山）有限公司"}',
    "post_key": "k",
    "seconds_left": 300,
}


def claim_is(monkeypatch, text: str) -> None:
    async def claim(self, http: web.Request) -> web.Response:
        return web.Response(text=text, content_type="application/json")

    monkeypatch.setattr(Portal, "_claim", claim)


@pytest.fixture
def asking(request, monkeypatch, new_stage):
    """A browser that opens a request which the portal answers with the text of the test."""
    claim_is(monkeypatch, request.param)
    stage = new_stage()
    anna = Browser(stage)
    return anna, anna.ask()


@pytest.mark.parametrize(
    "asking",
    [
        DEEP,
        json.dumps(CLAIM | {"signatures_at_once": float("inf")}),
        json.dumps(CLAIM | {"signatures_at_once": [1]}),
        json.dumps(CLAIM | {"payload": "[" * 20_000}),
        json.dumps(CLAIM | {"payload": '{"单位": ' + "[" * 20_000}),
        json.dumps(CLAIM | {"nonce": "长"}),
        json.dumps(CLAIM | {"payload": "\ud800"}),
        json.dumps(CLAIM | {"purpose": ["login"]}),
        json.dumps(CLAIM | {"post_key": "a\r\nX: y"}),
        json.dumps(CLAIM | {"seconds_left": float("nan"), "payload": "{}"}),
    ],
    indirect=True,
)
def test_a_claim_that_no_honest_portal_sends_ends_the_request(asking):
    anna, link = asking
    anna.open(link)
    wait_until(lambda: anna.stage.request.stage != "reading", 5)
    assert anna.stage.request.stage == "failed"
    assert "没有办成" in anna.open(link).text


@pytest.mark.parametrize("amount", ["sNaN", "NaN", "1e999999999", "-0"])
def test_a_sum_that_is_none_ends_the_request(amount, stage, anna):
    link = anna.ask("batch")
    payload = json.loads(stage.row.payload)
    payload["sums"] = dict.fromkeys(payload["sums"], amount)
    stage.row.payload = json.dumps(payload, ensure_ascii=False).encode()
    anna.open(link)
    wait_until(lambda: stage.request.stage != "reading", 5)
    assert stage.request.stage == "failed"


@pytest.mark.parametrize("profiles", [[["rsa-sha1"]], [{}], "rsa-sha1", 7])
def test_profiles_that_are_none_end_the_request_or_sign_nothing(profiles, stage, anna):
    link = anna.ask("batch")
    payload = json.loads(stage.row.payload) | {"profiles": profiles}
    stage.row.payload = json.dumps(payload, ensure_ascii=False).encode()
    anna.open(link)
    wait_until(lambda: stage.request.stage != "reading", 5)
    assert stage.request.stage == "failed" or stage.request.profiles == []


@pytest.mark.parametrize("code", ["长", "a b", "a\r\nSet-Cookie: x=1", "../x", None, "", 7])
def test_a_code_that_would_leave_the_address_is_not_followed(code, new_stage, monkeypatch):
    async def answer(self, http: web.Request) -> web.Response:
        return web.json_response({"code": code})

    monkeypatch.setattr(Portal, "_answer", answer)
    stage = new_stage()
    anna = Browser(stage)
    anna.open(anna.ask())
    anna.enter_pin()
    assert anna.url.startswith(stage.bridge_origin)
