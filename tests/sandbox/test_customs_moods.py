"""How the receipts come: refused, silent, late, twice, reversed, garbled, not at all, and after a crash."""

import time

import pytest
from lxml import etree
from traders import answers, envelope, message, order, put, signed


def statuses(enterprise) -> list[str]:
    return [answer["returnStatus"] for answer in answers(enterprise)]


def test_a_refusal_has_its_reason_in_words(declare, enterprise, mood):
    mood("customs", "refuse", reason="品名不符")
    declare(order())
    sent, refused = answers(enterprise)
    assert (sent["returnStatus"], refused["returnStatus"]) == ("3", "100")
    assert "品名不符" in refused["returnInfo"]


def test_a_refused_number_may_be_declared_again(declare, enterprise, mood):
    mood("customs", "refuse")
    declare(order(number="A1"))
    mood("customs", "yes")
    declare(order(number="A1"))
    assert statuses(enterprise) == ["3", "100", "3", "120"]


def test_silent_customs_takes_the_file_and_answers_when_it_comes_again(declare, enterprise, mood, office):
    mood("customs", "silent")
    content = declare(order())
    assert list((enterprise / "SentBox").iterdir())
    mood("customs", "yes")
    office.look()
    assert statuses(enterprise) == []
    put(enterprise, content)
    office.look()
    assert statuses(enterprise) == ["3", "120"]


def test_late_receipts_come_later(declare, enterprise, mood, office):
    mood("customs", "late", seconds=0.05)
    declare(order())
    assert statuses(enterprise) == []
    time.sleep(0.06)
    office.look()
    assert statuses(enterprise) == ["3", "120"]


def test_receipts_come_twice(declare, enterprise, mood):
    mood("customs", "twice")
    declare(order())
    first, again, stored, stored_again = answers(enterprise)
    assert first == again
    assert stored == stored_again


def test_reversed_receipts_bring_the_older_time_last(declare, enterprise, mood):
    mood("customs", "reversed")
    declare(order())
    first, second = answers(enterprise)
    assert (first["returnStatus"], second["returnStatus"]) == ("120", "3")
    assert first["returnTime"] > second["returnTime"]


def test_garbled_receipts_cannot_be_read(declare, enterprise, mood):
    mood("customs", "garbled")
    declare(order())
    broken, wrong = sorted((enterprise / "InBox").iterdir())
    with pytest.raises(etree.XMLSyntaxError):
        etree.parse(broken)
    assert "不是base64" in etree.parse(wrong).findtext("{*}Data")


def test_customs_that_is_down_leaves_the_file(declare, enterprise, mood, office):
    mood("customs", "down")
    declare(order())
    assert list((enterprise / "OutBox").iterdir())
    mood("customs", "yes")
    office.look()
    assert statuses(enterprise) == ["3", "120"]


def test_a_crash_before_answering_loses_nothing(enterprise, office, rsa_card, monkeypatch):
    put(enterprise, envelope(signed(message(order()), rsa_card)))
    with monkeypatch.context() as crash:
        crash.setattr(office, "_answer", lambda messages: None)
        office.look()
    assert statuses(enterprise) == []
    office.look()
    assert statuses(enterprise) == ["3", "120"]


def test_a_crash_before_moving_the_file_declares_nothing_twice(enterprise, office, rsa_card, monkeypatch, client):
    put(enterprise, envelope(signed(message(order()), rsa_card)))

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as crash:
        crash.setattr("sandbox.customs.office._move", die)
        with pytest.raises(KeyboardInterrupt):
            office.look()
    office.look()
    counted = client.get("/customs/statistics").json
    assert (counted["messages"], counted["orders"], counted["violations"]) == (1, 1, 0)
    assert statuses(enterprise)[:2] == ["3", "120"]


def test_half_written_files_are_left_alone(enterprise, office, rsa_card):
    put(enterprise, envelope(signed(message(order()), rsa_card)), name="CEB303Message_x.xml.tmp")
    assert office.look() is False


def test_a_stray_receipt_for_an_unknown_guid_is_sent(declare, enterprise, client):
    declare(order())
    sent = client.post("/customs/stray", json={"folder": enterprise.name, "kind": "unknown", "status": 399})
    assert sent.status_code == 200
    assert (answers(enterprise)[-1]["guid"], answers(enterprise)[-1]["returnStatus"]) == (sent.json["guid"], "399")


def test_a_stray_receipt_for_another_companys_order_is_sent(declare, enterprise, client):
    other = enterprise.with_name("e" * 32)
    declare(order(number="THEIRS"), folder=other)
    declare(order())
    assert client.post("/customs/stray", json={"folder": enterprise.name, "kind": "foreign"}).status_code == 200
    assert answers(enterprise)[-1]["orderNo"] == "THEIRS"


@pytest.mark.parametrize(
    "fields", [{"folder": "nobody"}, {"kind": "nonsense"}, {"kind": "foreign"}, {"status": "many"}]
)
def test_a_stray_receipt_that_makes_no_sense_is_refused(enterprise, client, fields):
    assert client.post("/customs/stray", json={"folder": enterprise.name} | fields).status_code == 400
