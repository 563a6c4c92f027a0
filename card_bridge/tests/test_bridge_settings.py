"""The settings page: 安全短语 and the origins that may ask for signatures."""

import stat

from bridge_stage import Browser


def save(browser: Browser, **fields) -> Browser:
    return browser.open(browser.stage.bridge_origin + "/settings").submit("/settings", **fields)


def test_the_phrase_is_shown_on_the_pin_page(stage, anna):
    assert "已经保存" in save(anna, phrase="  青山  不改<b> ").text
    assert anna.open(anna.ask()).find("phrase") == "青山 不改<b>"


def test_an_origin_typed_into_the_settings_may_ask_for_message_signatures(new_stage):
    stage = new_stage(signing=False)
    anna = Browser(stage)
    save(anna, phrase="", signing=f" {stage.origin}\r\nhttps://other.test ")
    anna.open(anna.ask("batch"))
    assert "推送2单" in anna.text


def test_a_consent_is_taken_back_by_deleting_its_line(new_stage):
    stage = new_stage(signing=False)
    anna = Browser(stage)
    anna.open(anna.ask()).submit("/consent")
    assert stage.origin in anna.open(stage.bridge_origin + "/settings").text
    save(anna, consented="")
    assert "允许这个网站使用您的卡吗" in anna.open(anna.ask()).text


def test_a_wrong_origin_is_not_saved(stage, anna):
    assert "网址没有保存" in save(anna, signing="https://other.test/").text
    assert "other.test" not in anna.open(stage.bridge_origin + "/settings").text


def test_settings_cannot_be_posted_from_elsewhere(stage, anna):
    url = stage.bridge_origin + "/settings"
    anna.open(url)
    data = {"token": anna.field("token"), "signing": "https://evil.test"}
    assert anna.open(url, "POST", data, {"Origin": "https://evil.test"}).status == 403
    assert anna.open(url, "POST", {**data, "token": "x"}, {"Origin": stage.bridge_origin}).status == 403
    assert "evil.test" not in anna.open(url).text


def test_the_first_consent_asks_for_a_phrase(new_stage):
    stage = new_stage(signing=False)
    stage.bridge.store.save_phrase("")
    anna = Browser(stage)
    anna.open(anna.ask()).submit("/consent", phrase="海棠花开")
    assert anna.find("phrase") == "海棠花开"


def test_without_a_phrase_the_pin_page_leads_to_the_settings(stage, anna):
    stage.bridge.store.save_phrase("")
    assert 'href="/settings"' in anna.open(anna.ask()).text


def test_only_the_user_can_read_the_settings(stage, anna):
    save(anna, phrase="青山不改")
    folder = stage.folder / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "settings.json").stat().st_mode) == 0o600
