"""Mail, SMS, company register and identity authority as the portal and a person meet them."""

import smtplib
import socket
import threading
import time
from email.message import EmailMessage

import pytest
from bs4 import BeautifulSoup

from sandbox import seed

TOKEN = {"Authorization": "Bearer sandbox"}
USCC = "91130100PDY00001XG"
PAGES = [
    "/",
    "/mail/",
    "/sms/",
    "/register/",
    "/register/edit/",
    f"/register/edit/{USCC}",
    "/identity/",
    "/customs/",
    "/customs-line/",
    "/signing/",
    "/cards/",
]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_marked_as_the_sandbox(client, page):
    answer = client.get(page)
    soup = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 200
    assert "沙箱：外部世界的替身" in soup.header.text
    assert len(soup.find_all("h1")) == 1
    assert not soup.find_all("script")


@pytest.mark.parametrize("headers", [{"Host": "evil.test"}, {"Host": "evil.test:8090"}])
def test_another_host_name_is_refused(client, headers):
    assert client.get("/", headers=headers).status_code == 400


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_another_sites_page_cannot_post(client, headers):
    assert client.post("/reset", headers=headers).status_code == 403


def test_reset_brings_everything_back(client, world):
    client.post("/moods/customs", data={"mood": "down"})
    client.post("/sms/messages", json={"id": "1", "to": "13000000001", "text": "x"}, headers=TOKEN)
    assert client.post("/reset").status_code == 303
    assert client.get("/moods.json").json["customs"]["name"] == "yes"
    assert client.get("/sms/messages.json").json == []
    assert len(client.get("/cards.json").json["cards"]) == len(seed.cards())


@pytest.mark.parametrize(
    ("party", "name"), [("register", "twice"), ("mail", "reversed"), ("bank", "yes"), ("sms", "angry")]
)
def test_a_mood_that_makes_no_sense_is_refused(client, party, name):
    assert client.post(f"/moods/{party}", json={"mood": name}).status_code == 400


def test_a_mood_without_sense_says_why_on_the_page(client):
    assert "不适用：一问只有一答" in client.get("/register/").text


# the register


def test_the_register_knows_a_company(client):
    company = client.get(f"/register/companies/{USCC}", headers=TOKEN).json
    assert company["name"] == "示例外贸（石家庄）有限公司"
    assert company["legal_representative"]["id_number"] == "130100189901010019"
    assert company["customs_codes"][0]["code"] == "1301960001"
    assert set(company) == {
        "uscc", "name", "english_name", "address", "org_code", "status", "legal_representative", "customs_codes", "revision",
    }  # fmt: skip


def test_the_register_knows_a_customs_code(client):
    found = client.get("/register/customs-codes/1301960013", headers=TOKEN).json
    assert (found["uscc"], found["name"]) == ("91130100PDY000036B", "双号商贸（石家庄）有限公司")


@pytest.mark.parametrize("path", ["companies/91130100PDY000132L", "customs-codes/9999999999"])
def test_what_the_register_does_not_know_is_404(client, path):
    answer = client.get(f"/register/{path}", headers=TOKEN)
    assert (answer.status_code, answer.json) == (404, {"error": "not-found"})


def test_the_register_wants_its_token(client):
    assert client.get(f"/register/companies/{USCC}").status_code == 401


def test_the_register_under_maintenance_says_until_when(client, mood):
    mood("register", "down")
    answer = client.get(f"/register/companies/{USCC}", headers=TOKEN)
    assert answer.status_code == 503
    assert answer.json["error"] == "maintenance"
    assert answer.json["until"] > "2020"


def test_a_refusing_register_knows_nobody(client, mood):
    mood("register", "refuse")
    assert client.get(f"/register/companies/{USCC}", headers=TOKEN).status_code == 404


def test_a_garbled_register_answers_no_json(client, mood):
    mood("register", "garbled")
    assert client.get(f"/register/companies/{USCC}", headers=TOKEN).get_json(silent=True) is None


def test_a_silent_register_ends_when_its_mood_changes(client, mood, world):
    mood("register", "silent")
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(
            client.application.test_client().get(f"/register/companies/{USCC}", headers=TOKEN)
        )
    )
    asking.start()
    time.sleep(0.15)
    assert not answers
    mood("register", "yes")
    asking.join(5)
    assert answers[0].status_code == 504


def test_a_late_register_answers_after_its_seconds(client, mood):
    mood("register", "late", seconds=0.2)
    start = time.monotonic()
    assert client.get(f"/register/companies/{USCC}", headers=TOKEN).status_code == 200
    assert time.monotonic() - start >= 0.2


def test_a_company_is_added_and_changed_by_form(client):
    form = {
        "uscc": "91130100PDY000132L", "name": "晚来贸易有限公司", "person_name": "吴新生", "person_id_number": "130100189909090093",
        "code0": "1301960999", "category0": "进出口货物收发货人", "valid_from0": "2020-01-01", "valid_to0": "2099-12-31",
        "types0": ["电子商务企业", "物流企业"],
    }  # fmt: skip
    assert client.post("/register/edit", data=form).status_code == 303
    first = client.get("/register/companies/91130100PDY000132L", headers=TOKEN).json
    assert first["customs_codes"][0]["ecommerce_types"] == ["电子商务企业", "物流企业"]
    client.post("/register/edit", data=form | {"name": "早来贸易有限公司"})
    second = client.get("/register/companies/91130100PDY000132L", headers=TOKEN).json
    assert second["name"] == "早来贸易有限公司"
    assert second["revision"] != first["revision"]
    check = {"id": "1", "method": "id-card", "name": "吴新生", "id_number": "130100189909090093"}
    assert client.post("/identity/checks", json=check, headers=TOKEN).json["result"] == "match"


@pytest.mark.parametrize(
    "wrong",
    [
        {"uscc": "123"},
        {"name": ""},
        {"person_name": ""},
        {"code0": "123"},
        {"code0": "1301960001"},
        {"valid_from0": "soon"},
    ],
)
def test_a_wrong_company_is_not_registered(client, wrong):
    form = {
        "uscc": "91130100PDY000132L", "name": "晚来贸易有限公司", "person_name": "吴新生", "person_id_number": "1", "code0": "1301960999",
        "valid_from0": "2020-01-01",
    }  # fmt: skip
    client.post("/register/edit", data=form | wrong)
    assert client.get("/register/companies/91130100PDY000132L", headers=TOKEN).status_code == 404


# the identity authority


def check(client, **fields):
    asked = {
        "id": "1",
        "method": "id-card",
        "name": "周一诺",
        "id_type": "居民身份证",
        "id_number": "130100189901010019",
    }
    return client.post("/identity/checks", json=asked | fields, headers=TOKEN)


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"valid_from": "2020-01-01", "valid_to": "20400101"}, "match"),
        ({"name": "周二诺"}, "mismatch"),
        ({"valid_to": "2041-01-01"}, "mismatch"),
        ({"name": "郑云帆", "id_number": "130100189902020024"}, "mismatch"),
        ({"name": "宋长宁", "id_number": "130100189904040045", "valid_to": "00000000"}, "match"),
        ({"name": "宋长宁", "id_number": "130100189904040045", "valid_to": "2040-01-01"}, "mismatch"),
        ({"name": "LIN HAI", "id_type": "护照", "id_number": "E00000001"}, "match"),
        ({"name": "无名氏", "id_number": "130100189912310000"}, "mismatch"),
        ({"method": "bank-card", "card_number": "6200000000000000013", "phone": "13000000001"}, "match"),
        ({"method": "bank-card", "card_number": "6200000000000000013", "phone": "13000000009"}, "mismatch"),
        ({"method": "bank-card", "card_number": "6200000000000000021", "name": "宋长宁", "id_number": "130100189904040045"}, "mismatch"),
    ],
)  # fmt: skip
def test_the_identity_authority_never_says_which_element_differs(client, fields, result):
    assert check(client, **fields).json == {"result": result, "element": None}


def test_a_person_whose_check_times_out_gets_no_answer(client, monkeypatch):
    monkeypatch.setattr("sandbox.identity.LONGEST_SILENCE", 0.1)
    assert check(client, name="沈秋池", id_number="13010018990303003X").status_code == 504


def test_a_refusing_authority_agrees_with_nobody(client, mood):
    mood("identity", "refuse")
    assert check(client).json["result"] == "mismatch"


def test_the_authority_under_maintenance_is_503(client, mood):
    mood("identity", "down")
    assert check(client).status_code == 503


def test_the_authority_wants_token_and_method(client):
    assert client.post("/identity/checks", json={"id": "1"}, headers=TOKEN).status_code == 400
    assert client.post("/identity/checks", json={"id": "1"}).status_code == 401


def test_a_person_is_added_by_form(client):
    client.post("/identity/people", data={"name": "吴新生", "id_number": "130100189909090093", "outcome": "match"})
    assert check(client, name="吴新生", id_number="130100189909090093").json["result"] == "match"


# SMS


def sms(client, **fields):
    return client.post(
        "/sms/messages", json={"id": "a", "to": "13000000001", "text": "验证码1234"} | fields, headers=TOKEN
    )


def test_one_id_is_sent_once(client):
    assert [sms(client).status_code, sms(client).status_code] == [202, 202]
    assert [message["text"] for message in client.get("/sms/messages.json?to=13000000001").json] == ["验证码1234"]
    assert "验证码1234" in client.get("/sms/").text


@pytest.mark.parametrize("wrong", [{"to": "abc"}, {"text": ""}, {"id": None}])
def test_a_wrong_sms_is_400(client, wrong):
    assert sms(client, **wrong).status_code == 400


@pytest.mark.parametrize(
    ("name", "status", "arrived"), [("refuse", 400, 0), ("down", 503, 0), ("twice", 202, 2), ("late", 202, 0)]
)
def test_the_sms_centre_has_moods(client, mood, name, status, arrived):
    mood("sms", name)
    assert sms(client).status_code == status
    assert len(client.get("/sms/messages.json").json) == arrived


# mail


@pytest.fixture
def post_office(world):
    with socket.create_server(("127.0.0.1", 0)) as free:
        world.mail_server.port = free.getsockname()[1]
    world.mail_server.start()
    yield world.mail_server.port
    world.mail_server.stop()


def send_mail(port: int, to: str = "Demo01@example.test") -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"], mail["X-Eport-Notice"] = "审核已通过", "eport@example.test", to, "N42"
    mail.set_content("请打开 http://127.0.0.1:8080/drafts?code=1&x=2 继续办理。")
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
        smtp.send_message(mail)


def test_a_mail_arrives_with_its_link(client, post_office):
    send_mail(post_office)
    (mail,) = client.get("/mail/messages.json?to=demo01@example.test").json
    assert (mail["subject"], mail["notice"]) == ("审核已通过", "N42")
    assert mail["links"] == ["http://127.0.0.1:8080/drafts?code=1&x=2"]
    page = BeautifulSoup(client.get(f"/mail/{mail['number']}").text, "html.parser")
    assert page.find("a", href="http://127.0.0.1:8080/drafts?code=1&x=2")


def test_a_mail_that_does_not_exist_is_404(client):
    assert client.get("/mail/7").status_code == 404


@pytest.mark.parametrize(("name", "arrived"), [("refuse", 0), ("down", 0), ("garbled", 0)])
def test_a_mailbox_that_does_not_want_mail(client, mood, post_office, name, arrived):
    mood("mail", name)
    with pytest.raises(smtplib.SMTPException):
        send_mail(post_office)
    assert len(client.get("/mail/messages.json").json) == arrived


@pytest.mark.parametrize(("name", "arrived"), [("twice", 2), ("late", 0)])
def test_mail_comes_twice_or_later(client, mood, post_office, name, arrived):
    mood("mail", name)
    send_mail(post_office)
    assert len(client.get("/mail/messages.json").json) == arrived
