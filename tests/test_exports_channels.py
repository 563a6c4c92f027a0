"""Channels to customs: what fails is held and comes again byte-identical, nobody holds up others, nothing is lost."""

import errno
from datetime import timedelta

import pytest

from blueprints.common import clock
from blueprints.common.regions import load_region
from blueprints.exports import channels, listening, sending
from gateways.customs_dxp import folder_channel
from gateways.customs_dxp.amqp_channel import AmqpChannel
from gateways.customs_dxp.http_channel import HttpChannel
from models import orders, pushes, receipts
from models.channels import Line, dead_letters, find_hold, find_settings
from models.database import session
from models.transmission import TransmissionId
from sandbox.customs.amqp import Desk
from tests.conftest import USCC, _next_job, log_in, make_enterprise, make_user
from tests.exports_world import CODE, DXP, Trade, make_profile, make_strategy, many, workbook
from tests.outside import HTTP, choose, is_production, offer

pytest_plugins = ["tests.card_fixtures", "tests.exports_fixtures", "tests.outside_fixtures", "tests.broker"]
OTHER_DXP = "DXPENT0000000002"


@pytest.fixture(autouse=True)
def run_jobs(context):
    """As the fixture of all tests, but in this test's own context, so that its rows stay what they are."""
    jobs = {job.__name__: job for area in context.config["AREAS"] for job in area.jobs}

    def run(most: int = 100) -> list[str]:
        done = []
        while len(done) < most and (row := _next_job()):
            jobs[row.task_name](**row.args)
            done.append(row.task_name)
        return done

    return run


@pytest.fixture
def generated(trade, outside):
    return with_orders(trade, workbook())


def with_orders(trade, book):
    trade.read(book)
    trade.generate()
    while _next_job():  # done already, by the lines above
        continue
    return trade


@pytest.fixture
def by_http(generated, profile):
    choose(profile, **HTTP)
    return generated


@pytest.fixture
def line(company):
    return Line(company.id, DXP)


def later(seconds: float):
    return clock.stopped_at(clock.now() + timedelta(seconds=seconds))


def loop(run_jobs, outside=None) -> None:
    """One round of the worker's loops, and customs beside it."""
    sending.send_left_over()
    run_jobs()
    if outside:
        outside.look()
    listening.ask_hosts()
    run_jobs()
    session.expire_all()


def held(line):
    hold = find_hold(line, "send")
    return hold and (hold.failures, sending.from_row(hold.sentence).number)


def message_of(trade):
    (message,) = session.scalars(orders.select(orders.Message).where(orders.Message.task_id == trade.task.id))
    return message


# -- HTTP


@pytest.mark.item("M200")
def test_a_company_declares_by_http_and_its_receipts_come_back(by_http, outside, run_jobs):
    push = by_http.push(outside.card)
    by_http.send(push)
    assert list(outside.line("OutBox")) and set(by_http.states().values()) == {"declaring"}
    outside.look()
    listening.ask_hosts()
    run_jobs()
    assert set(by_http.states().values()) == {"success"}
    assert not outside.line("InBox") and not by_http.sent(), "and nothing went to the folder"
    assert outside.statistics["messages"] == 1 and outside.statistics["violations"] == 0


def test_answers_given_twice_change_nothing(by_http, outside, run_jobs):
    outside.mood("customs-line", "twice")
    by_http.send(by_http.push(outside.card))
    outside.look()
    loop(run_jobs)
    assert set(by_http.states().values()) == {"success"} and not receipts.odd_receipts(by_http.company.id)


def test_a_line_that_is_down_holds_its_messages_and_they_go_later_as_they_were(by_http, outside, line, run_jobs):
    outside.mood("customs-line", "down")
    push = by_http.push(outside.card)
    by_http.send(push)
    assert held(line) == (1, "90790") and set(by_http.states().values()) == {"declaring"}
    before = sending.wrap(*pushes.to_send([message_of(by_http).id])[0])
    loop(run_jobs)
    assert held(line) == (1, "90790"), "it waits for its time"
    outside.mood("customs-line", "yes")
    with later(3):
        loop(run_jobs, outside)
    assert held(line) is None and outside.line("SentBox") == dict([before])
    assert set(by_http.states().values()) == {"success"}


@pytest.mark.parametrize(
    "jump", [timedelta(days=-1), timedelta(days=1), timedelta(hours=-8), timedelta(minutes=30)], ids=str
)
def test_a_clock_that_jumps_neither_stops_nor_doubles_anything(by_http, outside, line, run_jobs, jump):
    """Set while messages wait for a dead line: it is asked again within minutes by either clock."""
    outside.mood("customs-line", "down")
    with clock.stopped_at(clock.now() + jump):
        by_http.send(by_http.push(outside.card))
        loop(run_jobs)
        assert held(line) == (1, "90790")
    outside.mood("customs-line", "yes")
    for seconds in (0, 70, 140, 400):
        with later(seconds):
            loop(run_jobs, outside)
    assert set(by_http.states().values()) == {"success"} and held(line) is None
    assert outside.statistics["distinct_guids"] == 3 and outside.statistics["violations"] == 0


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1)], ids=str)
def test_what_was_signed_or_stored_by_another_clock_is_not_forgotten(by_http, outside, run_jobs, monkeypatch, jump):
    """The worker dies after the signature, and after storing an answer; the clock is set while it is away."""
    with clock.stopped_at(clock.now() + jump):
        by_http.push(outside.card)
        session.commit()
    while _next_job():
        continue
    with later(5):
        loop(run_jobs, outside)
    assert set(by_http.states().values()) == {"success"}


def test_the_pauses_double_up_to_five_minutes(by_http, outside, line, run_jobs):
    outside.mood("customs-line", "down")
    by_http.send(by_http.push(outside.card))
    moment, waits = clock.now(), []
    for _ in range(12):
        hold = find_hold(line, "send")
        waits.append((hold.next_at - moment).total_seconds())
        moment = hold.next_at + timedelta(seconds=1)
        with clock.stopped_at(moment):
            sending.send_left_over()
            run_jobs()
    for wait, expected in zip(waits, (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300), strict=True):
        assert 0.7 * expected - 1 <= wait <= 1.25 * expected + 1, (waits, expected)
    assert len({round(wait / 2**n, 3) for n, wait in enumerate(waits[:9])}) > 3, "not all at the same moment"


def test_a_message_that_arrived_without_an_answer_is_declared_once(by_http, outside, line, run_jobs, monkeypatch):
    monkeypatch.setattr(channels, "HttpChannel", lambda *account: HttpChannel(*account, timeout=0.3))
    outside.mood("customs-line", "late", seconds=5)
    by_http.send(by_http.push(outside.card))
    assert held(line) == (1, "90790")
    outside.look()
    assert outside.statistics["messages"] == 1, "it was there all the time"
    outside.mood("customs-line", "yes")
    with later(3):
        loop(run_jobs, outside)
    said = outside.statistics
    assert (said["messages"], said["distinct_guids"], said["violations"]) == (1, 3, 0)
    assert set(by_http.states().values()) == {"success"}


def test_killed_between_the_answer_and_its_note_nothing_is_declared_twice(by_http, outside, run_jobs, monkeypatch):
    push, mark = by_http.push(outside.card), pushes.mark_sent

    def dies(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(pushes, "mark_sent", dies)
    with pytest.raises(KeyboardInterrupt):
        by_http.send(push)
    session.rollback()
    monkeypatch.setattr(pushes, "mark_sent", mark)
    outside.look()
    with later(120):
        loop(run_jobs, outside)
    said = outside.statistics
    assert (said["messages"], said["resent"], said["distinct_guids"], said["violations"]) == (1, 1, 3, 0)
    assert set(by_http.states().values()) == {"success"}


@pytest.mark.item("M200", "M201")
def test_what_is_refused_five_times_is_a_dead_letter_and_goes_again_on_demand(
    by_http, outside, line, run_jobs, company
):
    outside.mood("customs-line", "refuse", reason="文件名不对")
    by_http.send(by_http.push(outside.card))
    seconds = 0
    for count in range(2, 6):
        assert not dead_letters(company.id, CODE, 10) and set(by_http.states().values()) == {"declaring"}
        seconds += 2**count
        with later(seconds):
            loop(run_jobs)
    ((message, refusal),) = dead_letters(company.id, CODE, 10)
    assert refusal.count == 5 and "文件名不对" in sending.from_row(refusal.sentence)
    assert set(by_http.states().values()) == {"failed"} and held(line) is None
    with later(1000):
        loop(run_jobs)
    assert refusal.count == 5, "nobody asks again by himself"
    outside.mood("customs-line", "yes")
    assert sending.resend(message)
    session.commit()
    with later(2000):
        loop(run_jobs, outside)
    assert not dead_letters(company.id, CODE, 10) and set(by_http.states().values()) == {"success"}


def test_one_refused_message_does_not_hold_up_the_others(trade, outside, profile, run_jobs, monkeypatch):
    choose(profile, **HTTP)
    push = with_orders(trade, workbook(many(250))).push(outside.card)
    bad = pushes.messages_of_push(push.id)[1]
    call = HttpChannel.send_all

    def send_all(self, files):
        files = list(files)
        refused = {name: "不行" for name, _ in files if bad.guid in name}
        return call(self, [file for file in files if file[0] not in refused]) | refused

    monkeypatch.setattr(HttpChannel, "send_all", send_all)
    trade.send(push)
    assert sorted(message.state for message in pushes.messages_of_push(push.id)) == ["sending", "sent", "sent"]


def test_a_wrong_password_is_not_tried_again_soon_and_saving_another_ends_the_wait(
    by_http, profile, outside, line, run_jobs
):
    choose(profile, send_password="wrong")
    by_http.send(by_http.push(outside.card))
    assert held(line) == (1, "90791")
    with later(600):
        loop(run_jobs)
        assert held(line) == (1, "90791")
        choose(profile, send_password="sandbox")
        loop(run_jobs, outside)
    assert held(line) is None and outside.statistics["messages"] == 1


def test_a_host_that_is_no_more_on_the_list_holds_the_line(by_http, outside, line, app, monkeypatch):
    monkeypatch.setattr(channels, "channel_hosts", dict)
    by_http.send(by_http.push(outside.card))
    assert held(line) == (1, "90795") and set(by_http.states().values()) == {"waiting"}


def test_a_dead_host_of_answers_is_asked_less_and_less_often(by_http, profile, outside, line, run_jobs):
    outside.mood("customs-line", "down")
    listening.ask_hosts()
    assert run_jobs() == ["receive_from_host"]
    assert find_hold(line, "receive").failures == 1
    listening.ask_hosts()
    assert run_jobs() == []
    outside.mood("customs-line", "yes")
    with later(3):
        listening.ask_hosts()
        assert run_jobs() == ["receive_from_host"]
        assert find_hold(line, "receive") is None and find_settings(profile.id).receive_due_at > clock.now()


def test_receipts_from_another_companys_line_are_kept_and_change_nothing(by_http, outside, run_jobs):
    other = make_enterprise("别家", "91130100PDY000028G", code="")
    grant(other)
    elsewhere = make_profile(other, dxp_id=OTHER_DXP)
    choose(elsewhere, **HTTP | {"send_user": OTHER_DXP, "receive_user": OTHER_DXP})
    by_http.send(by_http.push(outside.card))
    outside.look()
    root = outside.world.settings.customs_folder
    (root / f"line-{OTHER_DXP}").mkdir()
    (root / f"line-{DXP}" / "InBox").rename(root / f"line-{OTHER_DXP}" / "InBox")
    loop(run_jobs)
    assert set(by_http.states().values()) == {"declaring"}
    assert {row.odd for row in receipts.odd_receipts(other.id)} == {"stranger"}


def test_neither_hosts_nor_folders_are_asked_inside_a_transaction(by_http, outside, profile, run_jobs, monkeypatch):
    seen = []
    for name in ("send_all", "receive", "acknowledge_all", "check"):
        true = getattr(HttpChannel, name)

        def looking(self, *args, true=true, name=name):
            seen.append((name, session().in_transaction()))
            return true(self, *args)

        monkeypatch.setattr(HttpChannel, name, looking)
    by_http.send(by_http.push(outside.card))
    loop(run_jobs, outside)
    channels.test(profile.id)
    assert {name for name, _ in seen} == {"send_all", "receive", "acknowledge_all", "check"}
    assert not [name for name, inside in seen if inside]


# -- folders


def test_a_full_disk_loses_nothing_and_the_pages_say_so(
    generated, outside, company, line, administrator, browser, monkeypatch
):
    push = generated.push(outside.card)
    true_open = open

    def full(path, mode="r", *rest):
        if "x" in mode:
            raise OSError(errno.ENOSPC, "No space left on device")
        return true_open(path, mode, *rest)

    monkeypatch.setattr(folder_channel, "open", full, raising=False)
    generated.send(push)
    assert held(line) == (1, "90792") and not generated.sent()
    log_in(browser, administrator).open("/exports/sending")
    assert "报文写不进文件夹（磁盘满了，或没有权限）" in browser.main and "签好没发完的报文有1份（3单）" in browser.main
    browser.open(f"/exports/pushes/{push.id}")
    assert "报文写不进文件夹" in browser.main
    monkeypatch.undo()
    with later(5):
        sending.send_left_over()
    assert len(generated.sent()) == 1 and held(line) is None


def test_a_message_that_is_too_large_is_a_dead_letter_at_once_and_the_others_go(trade, outside, company, monkeypatch):
    push = with_orders(trade, workbook(many(150))).push(outside.card)
    large, small = pushes.messages_of_push(push.id)
    monkeypatch.setattr(sending.envelope, "MAX_BYTES", len(large.signed) * 4 // 3)
    trade.send(push)
    ((message, refusal),) = dead_letters(company.id, CODE, 10)
    assert message.id == large.id and sending.from_row(refusal.sentence).number == "90809"
    assert len(trade.sent()) == 1 and small.guid in next(iter(trade.sent()))


def test_a_folder_that_cannot_be_read_does_not_hold_up_the_others(generated, outside, monkeypatch, caplog):
    generated.send(generated.push(outside.card))
    broken = make_enterprise("别家", "91130100PDY000028G", code="")
    path = channels.customs_folder() / broken.id.hex
    path.mkdir(parents=True)
    (path / "InBox").write_bytes(b"a file where a folder should be")
    generated.hear(*[(row.Order, 120, "20261121100000000") for row in generated.rows().values()])
    assert set(generated.states().values()) == {"success"}
    assert broken.id.hex in caplog.text.replace("-", "")


def test_two_contents_under_one_name_are_a_dead_letter_at_last(generated, outside, company, run_jobs):
    push = generated.push(outside.card)
    message = message_of(generated)
    message.wrapped_at = clock.now()
    session.commit()
    name, _ = sending.wrap(message.id, message.kind, message.dxp_id, message.wrapped_at, message.signed)
    (generated.folder / "SentBox").mkdir(parents=True)
    (generated.folder / "SentBox" / name).write_bytes(b"<other/>")
    generated.send(push)
    for seconds in (5, 15, 40, 100):
        with later(seconds):
            sending.send_left_over()
    ((_, refusal),) = dead_letters(company.id, CODE, 10)
    assert sending.from_row(refusal.sentence).number == "90794" and not generated.sent()


# -- pauses and turns


def test_while_a_company_pauses_nothing_goes_and_then_everything(generated, outside, company, exporter, run_jobs):
    exporter.open("/exports/sending").submit("暂停发送")
    assert "已暂停" in exporter.text
    push = generated.push(outside.card)
    generated.send(push)
    with later(100):
        sending.send_left_over()
    assert not generated.sent() and set(generated.states().values()) == {"waiting"}
    exporter.open(f"/exports/pushes/{push.id}")
    assert "本单位暂停了发送，签好的都留着" in exporter.main
    exporter.open("/exports/sending").submit("继续发送")
    with later(5):
        sending.send_left_over()
    assert len(generated.sent()) == 1


@pytest.fixture
def neighbour(context, strategy):
    """Another company, under a code of the same digits."""
    other = make_enterprise("别家", "91130100PDY000028G")
    grant(other)
    theirs = make_strategy(make_profile(other, "别家", dxp_id=OTHER_DXP))
    return with_orders(Trade(context, make_user("demo09", enterprise=other), other, theirs), workbook())


def grant(company) -> None:
    values = {"customs_code": CODE, "node": "province", "device": "ic-card", "granted_at": clock.now()}
    session.add(TransmissionId(value=OTHER_DXP, enterprise_id=company.id, **values))
    session.commit()


def test_a_small_push_goes_between_the_messages_of_a_large_one(trade, neighbour, outside, run_jobs, monkeypatch):
    monkeypatch.setattr(folder_channel.FolderChannel, "step", 1)
    monkeypatch.setattr(sending, "TURN", 0.0)
    monkeypatch.setattr(sending, "SMALL", 1)
    large = with_orders(trade, workbook(many(450))).push(outside.card)
    small = neighbour.push(outside.card)
    went = []
    send = sending._send
    names = {message.id: "large" for message in pushes.messages_of_push(large.id)}

    def noting(channel, ids):
        went.append(names.get(ids[0], "small"))
        send(channel, ids)

    monkeypatch.setattr(sending, "_send", noting)
    sending.ask_to_send(large.id)
    run_jobs(1)
    sending.ask_to_send(small.id)
    session.commit()
    run_jobs()
    assert went == ["large", "small", "large", "large", "large", "large"]


def test_a_companys_dead_channel_does_not_hold_up_another(by_http, neighbour, outside, run_jobs):
    outside.mood("customs-line", "silent")
    by_http.push(outside.card)
    neighbour.push(outside.card)
    with later(5):
        sending.send_left_over()
    assert len(neighbour.sent()) == 1, "the loop itself asks no host"


def test_the_loop_asks_for_one_job_at_a_time(by_http, outside, run_jobs):
    by_http.push(outside.card)
    with later(5):
        for _ in range(3):
            sending.send_left_over()
        assert run_jobs() == ["send_messages"]


@pytest.mark.parametrize("region", ["hebei", "liaoning", "zhejiang-hangzhou"])
def test_every_host_of_a_region_has_a_code_a_name_and_a_kind_that_is_known(region):
    known = {"channels": ("http", "amqp"), "signers": ("service", "pkcs11")}
    for table, kinds in known.items():
        hosts = load_region(region)["exports"][table]["hosts"]
        assert len({host["code"] for host in hosts}) == len(hosts)
        for host in hosts:
            assert (
                host["kind"] in kinds and host["name"] and set(host) <= {"code", "name", "kind", "address", "sandbox"}
            )


# -- AMQP


@pytest.fixture
def by_amqp(generated, profile, broker, app, monkeypatch):
    offer(app, monkeypatch, "channels", code="amqp", name="消息通道", kind="amqp", address=broker.url)
    choose(profile, **HTTP | {"send_host": "amqp", "receive_host": "amqp"})
    return generated


@pytest.fixture
def desk(broker, outside):
    desk = Desk(broker.customs_url, outside.world.settings.customs_folder, outside.world.ledger)
    desk.start()
    yield desk
    desk.stop()


def wait_for(is_there, seconds=20):
    import time

    end = time.monotonic() + seconds
    while not is_there():
        assert time.monotonic() < end, "did not come"
        time.sleep(0.05)


@pytest.mark.xdist_group("broker")
def test_a_company_declares_over_a_broker_that_dies_and_comes_back(
    by_amqp, broker, outside, line, run_jobs, profile, request
):
    assert channels.test(profile.id).number == "90800"
    push = by_amqp.push(outside.card)
    broker.stop()
    try:
        by_amqp.send(push)
        assert held(line) == (1, "90790")
        with later(3):
            loop(run_jobs)
        assert held(line)[0] == 2
        assert channels.test(profile.id).number == "90790"
    finally:
        broker.start()
    request.getfixturevalue("desk")
    with later(60):
        sending.send_left_over()
        run_jobs()
        assert held(line) is None
        root = outside.world.settings.customs_folder / f"amqp-{DXP}"
        wait_for(lambda: list(root.glob("OutBox/*.xml")))
        outside.look()
        wait_for(lambda: len(list(root.glob("ReadBox/*.xml"))) == 2)
        loop(run_jobs)
    assert set(by_amqp.states().values()) == {"success"}
    assert (outside.statistics["messages"], outside.statistics["violations"]) == (1, 0)


@pytest.mark.xdist_group("broker")
def test_killed_between_publish_and_confirm_the_same_message_goes_again(
    by_amqp, broker, outside, run_jobs, monkeypatch
):
    push, send = by_amqp.push(outside.card), AmqpChannel.send_all

    def dies(self, files):
        send(self, files)
        raise KeyboardInterrupt

    monkeypatch.setattr(AmqpChannel, "send_all", dies)
    with pytest.raises(KeyboardInterrupt):
        by_amqp.send(push)
    session.rollback()
    monkeypatch.setattr(AmqpChannel, "send_all", send)
    with later(120):
        loop(run_jobs)
    first, second = broker.waiting("declare")
    assert first == second and message_of(by_amqp).guid in first[0]


# -- settings


def test_passwords_are_kept_encrypted_never_given_back_and_an_empty_one_stays(profile, outside):
    choose(profile, **HTTP)
    choose(profile, send_password="", send_user="other")
    kept = channels.settings_of(profile.id)
    assert kept["has_send_password"] and kept["send_user"] == "other" and not kept["has_sign_password"]
    assert "sandbox" not in str(kept) and b"sandbox" not in find_settings(profile.id).accounts_sealed
    assert find_settings(profile.id).accounts["send_password"] == "sandbox"


@pytest.mark.parametrize(
    ("values", "field", "number"),
    [
        ({"send_host": "http://127.0.0.1/"}, "send_host", "90795"), ({"signer": "no"}, "signer", "90795"),
        ({"receive_host": "service"}, "receive_host", "90795"), ({"send_host": "http"}, "send_user", "90805"),
        ({"send_host": "http", "send_user": " "}, "send_user", "90805"),
        ({"signer": "service", "sign_user": "a"}, "sign_password", "90805"),
    ],
)  # fmt: skip
def test_what_is_not_on_the_list_or_not_whole_is_refused(profile, outside, values, field, number):
    with pytest.raises(channels.BadSetting) as refused:
        channels.save_settings(profile.id, values)
    assert (refused.value.field, refused.value.sentence.number) == (field, number)


def test_production_offers_no_host_that_is_not_encrypted(profile, outside, app, monkeypatch):
    offer(app, monkeypatch, "channels", code="good", name="好", kind="amqp", address="amqps://dxp.example/v")
    with app.app_context():
        is_production(monkeypatch)
        assert set(channels.channel_hosts()) == {"good"} and not channels.signer_hosts()


@pytest.mark.parametrize(("mood", "number"), [("yes", "90800"), ("down", "90790")])
def test_the_channels_test_says_what_is_the_matter(profile, outside, mood, number):
    choose(profile, **HTTP)
    outside.mood("customs-line", mood)
    assert channels.test(profile.id).number == number


def test_the_channels_test_finds_a_wrong_password_of_answers_too(profile, outside):
    choose(profile, **HTTP | {"receive_password": "wrong"})
    said = channels.test(profile.id)
    assert said.number == "90791" and "HTTP通道" in said


def test_a_company_that_chose_nothing_uses_its_folder(profile, context):
    assert channels.test(profile.id).number == "90800"
    assert USCC not in str(channels.folder_of(profile.enterprise_id)._out)


# -- page 8030


def test_the_page_lists_dead_letters_and_sends_one_again(by_http, outside, company, exporter, run_jobs):
    exporter.open("/exports/sending")
    assert "没有。签好的报文都送到了。" in exporter.main and "HTTP通道" in exporter.main and exporter.number == "8030"
    outside.mood("customs-line", "refuse", reason="文件名不对")
    by_http.send(by_http.push(outside.card))
    for seconds in (5, 15, 40, 100):
        with later(seconds):
            loop(run_jobs)
    exporter.open("/exports/sending")
    assert "通道不收这份报文，说的是：文件名不对" in exporter.main and "90793" in exporter.main
    outside.mood("customs-line", "yes")
    exporter.submit("再发一次")
    assert "已经再发1份报文，内容和上次一样" in exporter.text
    loop(run_jobs, outside)
    assert outside.statistics["messages"] == 1
    exporter.open("/exports/sending")
    assert "没有。签好的报文都送到了。" in exporter.main


def test_another_companys_messages_can_be_neither_seen_nor_sent_again(
    by_http, outside, company, run_jobs, other_browser
):
    outside.mood("customs-line", "refuse")
    by_http.send(by_http.push(outside.card))
    for seconds in (5, 15, 40, 100):
        with later(seconds):
            loop(run_jobs)
    ((message, _),) = dead_letters(company.id, CODE, 10)
    stranger = make_user("demo09", enterprise=make_enterprise("别家", "91130100PDY000028G", code="1301960009"))
    page = log_in(other_browser, stranger).open("/exports/sending")
    assert str(message.id) not in page.response.text
    token = page.soup.find("input", {"name": "csrf_token"})["value"]
    for wanted in (str(message.id), "x", "' OR 1=1 --"):
        answer = page.client.post(
            "/exports/sending/resend", data={"csrf_token": token, "message": wanted}, base_url="http://127.0.0.1:8080"
        )
        assert answer.status_code == 404
    assert len(dead_letters(company.id, CODE, 10)) == 1


def test_who_may_not_push_may_not_pause_or_send_again(company, profile, other_browser):
    clerk = make_user("clerk1", role="operator", enterprise=company, rights={"exports": 2})
    page = log_in(other_browser, clerk).open("/exports/sending")
    assert not page.can_press("暂停发送")
    token = page.soup.find("input", {"name": "csrf_token"})
    for act in ("pause", "go-on", "resend"):
        answer = page.client.post(
            f"/exports/sending/{act}",
            data={"csrf_token": token["value"] if token else ""},
            base_url="http://127.0.0.1:8080",
        )
        assert answer.status_code in (400, 403)
