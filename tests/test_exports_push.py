"""Messages, sending and receipts: nothing lost, nothing declared twice, and the end state is right whatever comes."""

from datetime import timedelta
from uuid import uuid4

import pytest
from lxml import etree

from blueprints.common import clock
from blueprints.exports import channels, generating, pushing, receiving, sending
from blueprints.exports.progress import progress_of
from gateways.customs_dxp import envelope, signature
from models import orders, pushes, receipts
from models.database import session
from models.exports import FAILED, GENERATED
from tests.conftest import make_enterprise
from tests.exports_world import answer, make_profile, make_strategy, many, reply, workbook

pytest_plugins = ["tests.card_fixtures", "tests.exports_fixtures"]
T1, T2, T3 = "20261121100000000", "20261121100500000", "20261121101000000"


@pytest.fixture
def generated(trade):
    trade.read(workbook())
    return trade.generate()


@pytest.fixture
def sent(generated, card):
    return generated.send(generated.push(card))


def order(trade, number="TYDH005"):
    return trade.rows()[number].Order


def messages(trade):
    return list(
        session.scalars(
            orders.select(orders.Message)
            .where(orders.Message.task_id == trade.task.id)
            .order_by(orders.Message.first_place)
        )
    )


# -- 生成申报数据


@pytest.mark.item("M196")
def test_orders_are_grouped_by_a_hundred_and_every_message_is_valid(trade, shared):
    trade.read(workbook(many(250)))
    trade.generate()
    schema = etree.XMLSchema(file=str(shared / "facts/xsd/ceb_export_202205.xsd"))
    found = messages(trade)
    assert [message.order_count for message in found] == [100, 100, 50] and trade.task.state == GENERATED
    for message in found:
        schema.assertValid(etree.fromstring(message.canonical))
        assert etree.tostring(etree.fromstring(message.canonical), method="c14n") == message.canonical
    assert set(trade.states().values()) == {"waiting"}


def test_a_message_carries_the_profile_and_the_strategy(generated):
    (message,) = messages(generated)
    root = etree.fromstring(message.canonical)
    text = {etree.QName(node).localname: node.text for node in root.iter()}
    assert (text["orderType"], text["ebcCode"], text["dxpId"], text["currency"]) == (
        "B",
        "1301960001",
        "DXPENT0000000001",
        "502",
    )
    assert text["unit"] == "011" and root.get("guid") == str(message.id).upper()


def test_9810_declares_to_the_warehouse(context, administrator, company, profile):
    from tests.exports_world import Trade

    warehouse = make_profile(company, "洛杉矶一号仓", code="", dxp_id="")
    warehouse.kind = "warehouse"
    trade = Trade(context, administrator, company, make_strategy(profile, "9810", "9810-declaration", warehouse))
    trade.read(workbook())
    trade.generate()
    text = {etree.QName(node).localname: node.text for node in etree.fromstring(messages(trade)[0].canonical).iter()}
    assert (text["orderType"], text["ebpCode"], text["ebpName"]) == ("W", "无", "洛杉矶一号仓")


@pytest.mark.parametrize(
    ("what", "words"),
    [("strategy", "已停用，请先启用"), ("dxp", "传输ID不是发给本单位的"), ("code", "不在本单位有效的编码里"), ("profile", "企业资料已停用")],
)  # fmt: skip
def test_data_is_not_made_for_what_the_company_does_not_hold(trade, granted, what, words):
    trade.read(workbook())
    if what == "strategy":
        trade.strategy.is_enabled = False
    elif what == "dxp":
        granted.enterprise_id = make_enterprise("别家", "91130100PDY000028G", code="").id
    elif what == "profile":
        trade.strategy.seller.is_enabled = False
    else:
        from models.codes import codes_of

        codes_of(trade.company.id)[0].valid_to = clock.today() - timedelta(days=1)
    session.commit()
    trade.generate()
    assert trade.task.state == FAILED and words in trade.task.problem and not messages(trade)


def test_making_the_data_again_changes_nothing_and_later_orders_get_messages_of_their_own(generated):
    before = [(message.id, message.sha256) for message in messages(generated)]
    generated.generate()
    assert [(message.id, message.sha256) for message in messages(generated)] == before
    generated.read(workbook(many(2)))
    generated.generate()
    after = [(message.id, message.sha256) for message in messages(generated)]
    assert after[0] == before[0] and len(after) == 2 and generated.task.generated_count == 5


def test_a_block_too_large_for_the_platform_becomes_several_messages(trade, monkeypatch):
    monkeypatch.setattr(generating, "LARGEST", 20_000)
    trade.read(workbook(many(100)))
    trade.generate()
    assert len(messages(trade)) > 1 and sum(message.order_count for message in messages(trade)) == 100
    assert len(trade.rows()) == 100


# -- 推送


def test_what_is_sent_is_signed_valid_and_addressed_to_customs(sent, shared):
    ((name, data),) = sent.sent().items()
    parcel = envelope.parse(data)
    assert parcel.receiver_ids == ("DXPEDCCEB0000003",) and parcel.sender_id == "DXPENT0000000001"
    assert name == f"CEB303Message_DXPENT0000000001_DXPEDCCEB0000003_{parcel.cop_msg_id}.xml"
    assert signature.verify(parcel.data).uscc == sent.company.uscc
    etree.XMLSchema(file=str(shared / "facts/xsd/dxp_terminal_202205.xsd")).assertValid(etree.fromstring(data))


@pytest.mark.item("M198")
def test_states_go_from_waiting_to_declaring_to_success_or_failure(generated, card):
    assert set(generated.states().values()) == {"waiting"}
    push = generated.push(card)
    assert set(generated.states().values()) == {"waiting"}
    generated.send(push)
    assert set(generated.states().values()) == {"declaring"}
    generated.hear((order(generated), 120, T1), (order(generated, "TYDH006"), 100, T1, "金额不符"))
    assert generated.states() == {"TYDH005": "success", "TYDH006": "failed", "TYDH007": "declaring"}


def test_killed_while_sending_the_same_bytes_go_again(generated, card, monkeypatch):
    push = generated.push(card)
    mark = pushes.mark_sent

    def dies(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(pushes, "mark_sent", dies)
    with pytest.raises(KeyboardInterrupt):
        generated.send(push)
    session.rollback()
    monkeypatch.setattr(pushes, "mark_sent", mark)
    before = generated.sent()
    assert messages(generated)[0].state == "sending" and set(generated.states().values()) == {"declaring"}
    for path in (generated.folder / "OutBox").iterdir():
        path.rename(generated.folder / "SentBox" / path.name)
    sending.send_left_over()
    assert not generated.sent(), "not stale yet"
    with clock.stopped_at(clock.now() + timedelta(minutes=2)):
        sending.send_left_over()
    assert generated.sent() == before and messages(generated)[0].state == "sent"


def test_a_stale_message_that_has_receipts_is_not_sent_again(generated, card, monkeypatch):
    push = generated.push(card)
    monkeypatch.setattr(sending, "_send", lambda *_: None)
    generated.send(push)
    generated.hear((order(generated), 3, T1))
    with clock.stopped_at(clock.now() + timedelta(minutes=2)):
        sending.send_left_over()
    session.expire_all()
    assert messages(generated)[0].state == "sent"


def test_signed_messages_that_no_job_took_up_are_sent_by_the_loop(generated, card):
    generated.push(card)
    with clock.stopped_at(clock.now() + timedelta(seconds=5)):
        receiving.poll_channels()
    assert len(generated.sent()) == 1 and set(generated.states().values()) == {"declaring"}


def test_nothing_to_push_is_said(sent):
    with pytest.raises(pushing.NothingToPush) as refused:
        pushing.start_push(sent.query(), sent.who)
    assert refused.value.sentence.number == "90641"


def test_a_dxp_id_that_was_taken_away_pushes_nothing(generated, granted):
    granted.enterprise_id = make_enterprise("别家", "91130100PDY000028G", code="").id
    session.commit()
    with pytest.raises(pushing.NothingToPush) as refused:
        pushing.start_push(generated.query(), generated.who)
    assert refused.value.sentence.number == "90644"


def test_one_chosen_order_gets_a_message_of_its_own_and_the_rest_stay(generated, card):
    push = generated.push(card, generated.query().where(orders.Order.order_no == "TYDH006"))
    (message,) = pushes.messages_of_push(push.id)
    assert message.order_count == 1 and b"TYDH006" in message.signed and b"TYDH005" not in message.signed
    rest = [m for m in messages(generated) if m.id != message.id]
    assert [m.order_count for m in rest] == [2] and b"TYDH006" not in rest[0].canonical


def test_what_pushing_answers_on_each_state(sent):
    rows = sent.hear((order(sent), 120, T1), (order(sent, "TYDH006"), 100, T1)).rows()

    def said(number):
        row = rows[number]
        return str(pushing.what_pushing_does(row.Order, row.Message, row.state))

    assert said("TYDH005") == "订单TYDH005已推送成功，不会重复申报"
    assert "被海关退回" in said("TYDH006") and "正在申报" in said("TYDH007")


def test_failed_on_the_way_the_same_bytes_are_sent_again(sent):
    before = sent.sent()
    row = sent.hear((order(sent), 4, T1)).rows()["TYDH005"]
    assert row.state == "failed" and pushing.what_pushing_does(row.Order, row.Message, row.state) is None
    assert sending.resend(row.Message)
    session.commit()
    for path in (sent.folder / "OutBox").iterdir():
        path.rename(sent.folder / "SentBox" / path.name)
    sent.send(pushes.find_push(sent.company.id, "1301960001", row.Message.push_id))
    assert sent.sent() == before
    assert sent.hear((order(sent), 120, T2)).states()["TYDH005"] == "success"


# -- 回执


def test_a_receipt_that_comes_late_never_undoes_a_newer_one(sent):
    sent.hear((order(sent), 120, T2)).hear((order(sent), 3, T1)).hear((order(sent), 100, T1))
    assert sent.states()["TYDH005"] == "success"
    assert [r.status for r in receipts.receipts_of(order(sent).id, sent.company.id)] == [3, 100, 120]


def test_sent_to_customs_is_declaring_with_its_receipt(sent):
    sent.hear((order(sent), 3, T1))
    assert (order(sent).state, order(sent).return_status) == ("declaring", 3)


def test_reversed_in_one_file_and_twice_over_the_end_is_the_same(sent):
    one = order(sent)
    sent.hear((one, 120, T2), (one, 3, T1)).hear((one, 120, T2), (one, 3, T1))
    assert sent.states()["TYDH005"] == "success" and len(receipts.receipts_of(one.id, sent.company.id)) == 2


def test_a_later_refusal_counts_and_so_does_a_conclusion(sent):
    sent.hear((order(sent), 120, T1)).hear((order(sent), 399, T2))
    assert (order(sent).state, order(sent).return_status) == ("success", 399)
    sent.hear((order(sent, "TYDH006"), 120, T1)).hear((order(sent, "TYDH006"), 100, T2))
    assert sent.states()["TYDH006"] == "failed"


@pytest.mark.parametrize("status", [4, 100, -301010])
def test_each_kind_of_refusal_fails_the_order(sent, status):
    assert sent.hear((order(sent), status, T1)).states()["TYDH005"] == "failed"


def test_the_same_file_found_again_is_read_once(sent):
    content = answer([(order(sent), 120, T1)])
    sent.hear(raw=content)
    box = sent.folder / "InBox"
    name = next((sent.folder / "ReadBox").iterdir()).name
    (box / name).write_bytes(content)
    receiving.poll_channels()
    assert session.query(receipts.InboxFile).count() == 1 and not list(box.iterdir())


def test_receipts_for_unknown_orders_and_by_another_companys_channel_change_nothing_and_are_shown(sent):
    other = make_enterprise("别家", "91130100PDY000028G", code="1301960002")
    sent.hear((str(uuid4()).upper(), 120, T1)).hear((order(sent), 120, T1), company=other)
    assert sent.states()["TYDH005"] == "declaring"
    assert [r.odd for r in receipts.odd_receipts(sent.company.id)] == ["unknown"]
    assert [r.odd for r in receipts.odd_receipts(other.id)] == ["stranger"]
    sent.hear((order(sent), 120, T1))
    assert sent.states()["TYDH005"] == "success", "the stranger's receipt does not stand in the way of the true one"


def test_a_receipt_for_an_order_that_was_never_sent_is_odd(generated):
    generated.hear((order(generated), 120, T1))
    assert generated.states()["TYDH005"] == "waiting"
    assert [r.odd for r in receipts.odd_receipts(generated.company.id)] == ["unsent"]


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"<a/>", answer([("nonsense" * 4 + "xxxx", 120, T1)]), answer([("x", "?", "")])],
    ids=["empty", "garbage", "no envelope", "no guid", "no status"],
)  # fmt: skip
def test_garbled_files_are_kept_as_they_came_and_block_nothing(sent, content):
    sent.hear(raw=content).hear((order(sent), 120, T1))
    (kept,) = receipts.garbled_files(sent.company.id)
    assert kept.content == content and sent.states()["TYDH005"] == "success"
    assert not list((sent.folder / "InBox").iterdir())


def test_a_folder_that_is_no_companys_is_left_alone(sent, context):
    folder = channels.customs_folder() / uuid4().hex / "InBox"
    folder.mkdir(parents=True)
    (folder / "a.xml").write_bytes(b"x")
    receiving.poll_channels()
    assert (folder / "a.xml").exists()


def test_files_stored_but_not_read_by_a_killed_worker_are_read_later(sent, monkeypatch):
    monkeypatch.setattr(receiving, "_apply", lambda *arguments: None)
    sent.hear((order(sent), 120, T1))
    assert sent.states()["TYDH005"] == "declaring"
    monkeypatch.undo()
    with clock.stopped_at(clock.now() + timedelta(minutes=1)):
        receiving.poll_channels()
    assert sent.states()["TYDH005"] == "success"


def test_a_refusal_of_the_platform_fails_the_orders_of_the_message(sent):
    (message,) = messages(sent)
    sent.hear(raw=reply(str(message.id).upper(), "0"))
    assert set(sent.states().values()) == {"declaring"}
    sent.hear(raw=reply(str(message.id).upper(), "-1201002"))
    assert set(sent.states().values()) == {"failed"} and "传输验签失败" in messages(sent)[0].problem


def test_two_signers_of_one_message_leave_the_first_signature(generated, card):
    (message,) = messages(generated)
    value = card.sign(signature.signed_info("rsa-sha1", message.canonical))
    signed = signature.assemble(message.canonical, "rsa-sha1", card.der, value)

    class Asked:
        items, certificate, is_complete, signed_count = [str(message.id)], card.der, True, 1

    message.push_id = pushing.start_push(generated.query(), generated.who).id
    pushing.keep_signature(Asked, 0, value, signed)
    pushing.keep_signature(Asked, 0, value, b"another")
    assert messages(generated)[0].signed == signed and messages(generated)[0].state == "ready"


# -- how long it takes


def sign_at(messages, card, moment, seconds: float):
    """One signature after the other from `moment` on, each `seconds` after the one before; gives when the last was made."""
    for message in messages:
        moment += timedelta(seconds=seconds)
        with clock.stopped_at(moment):
            info = signature.signed_info("rsa-sha1", message.canonical)
            pushing.keep_signed(
                message, signature.assemble(message.canonical, "rsa-sha1", card.der, card.sign(info)), "李明"
            )
    session.commit()
    return moment


@pytest.mark.parametrize(("a_minute", "words"), [(12, "签完还要1小时2"), (200, "签完还要5分钟")], ids=["IC卡", "Ikey"])
def test_a_hundred_thousand_orders_say_how_long_the_card_still_takes_and_leave_the_night_out(
    trade, card, a_minute, words
):
    trade.read(workbook(many(900)))
    trade.generate()
    push = pushing.start_push(trade.query(), trade.who)
    session.commit()
    made = messages(trade)
    values = {column.name: getattr(made[0], column.name) for column in orders.Message.__table__.columns}
    rest = [{**values, "id": uuid4(), "push_id": push.id, "block": block, "first_place": 1} for block in range(9, 1000)]
    pushes.add_messages(rest)
    session.commit()
    today = sign_at(made[:3], card, clock.now(), 60 / a_minute)
    assert words in progress_of(push).left_words and progress_of(push).total == 100_000
    sign_at(made[3:6], card, today + timedelta(hours=14), 60 / a_minute)
    assert words in progress_of(push).left_words, "the card was out all night"
