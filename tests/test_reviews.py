"""The officials' desk: queue, claims, what helps to decide, the numbers of each day, the register of companies."""

from datetime import date, timedelta

import pytest

from blueprints.common import clock
from models.accounts import find_enterprise
from models.database import session
from models.documents import (
    Decision,
    Document,
    OpenStage,
    Submission,
    events_about,
)
from tests.browsing import ORIGIN, Browser
from tests.conftest import USCC, log_in, make_user
from tests.test_registration import fill_registration


@pytest.fixture
def colleague(app):
    return make_user("reviewer2", role="staff", desks=["registration"])


@pytest.fixture
def both(app):
    return make_user("both1", role="staff", desks=["registration", "data-centre"])


@pytest.fixture
def helpdesk(app):
    return make_user("kefu1", role="staff", desks=["helpdesk"])


def put(title: str, number: int, *, due=None, opened=None, desk="registration", kind="registration", claimed_by=None):
    """An application that waits, straight in the tables."""
    opened = opened or clock.now()
    stage = {"registration": "review", "transmission-id": "acceptance"}[kind]
    document = Document(kind=kind, number=f"{number:016}", title=title, created_at=opened)
    session.add(document)
    session.flush()
    came = Submission(document_id=document.id, number=1, at=opened, by="", edition="1", revisions={}, lines_data=[], facts_data={})  # fmt: skip
    waits = OpenStage(document_id=document.id, stage=stage, desk=desk, opened_at=opened, due=due, kind=kind, title=title,
                      tail=document.number[-4:])  # fmt: skip
    if claimed_by:
        waits.claimed_by, waits.claimed_at = claimed_by.id, clock.now()
    session.add_all([came, waits])
    session.commit()
    return document


def titles(browser) -> list[str]:
    return [cell.get_text(strip=True) for cell in browser.soup.select('td[data-label="申请单位"]')]


# The queue


def fill_queue():
    """Fifty at two desks: overdue, due later, without promise."""
    day, moment = date(2026, 11, 20), clock.now() - timedelta(days=1)
    for n in range(25):
        due = None if n % 5 == 4 else day + timedelta(days=n % 4 - 1)
        put(f"甲{n:02}公司", n, due=due, opened=moment + timedelta(minutes=n))
        put(f"乙{n:02}公司", 100 + n, due=due, opened=moment, desk="data-centre", kind="transmission-id")


def test_the_queue_pages_through_all_desks_in_the_order_of_their_promises(browser, both, clock_at):
    with clock_at(2026, 11, 20, 10):
        fill_queue()
        log_in(browser, both).open("/reviews/")
        seen = titles(browser)
        assert "显示第 1 到第 20 条记录, 总共 50 条记录" in browser.main and "已超期" in browser.main
        browser.follow("下一页")
        seen += titles(browser)
        assert "显示第 21 到第 40 条记录" in browser.main
        browser.follow("下一页")
        seen += titles(browser)
        assert "显示第 41 到第 50 条记录" in browser.main and "下一页" not in browser.main
    far = date(9999, 1, 1)
    waiting = sorted(session.query(OpenStage), key=lambda row: (row.due or far, row.opened_at, row.document_id))
    assert seen == [row.document.title for row in waiting]


def test_filters_survive_paging(browser, both, clock_at):
    with clock_at(2026, 11, 20, 10):
        fill_queue()
        log_in(browser, both).open("/reviews/")
        browser.submit("查询", desk="注册审核", kind="企业注册", q="甲")
        assert "总共 25 条记录" in browser.main and len(titles(browser)) == 20
        browser.follow("下一页")
        assert len(titles(browser)) == 5 and all(title.startswith("甲") for title in titles(browser))
        assert (browser.value("desk"), browser.value("kind"), browser.value("q")) == (
            "registration",
            "registration",
            "甲",
        )
        browser.follow("回第一页")
        assert "总共 25 条记录" in browser.main


@pytest.mark.item("M208")
def test_overdue_and_due_today_can_be_asked_for(browser, reviewer, clock_at):
    with clock_at(2026, 11, 20, 10):
        for title, day in (("晚", 19), ("今", 20), ("早", 23)):
            put(title, day, due=date(2026, 11, day))
        log_in(browser, reviewer).open("/reviews/?due=overdue")
        assert titles(browser) == ["晚"] and "2026-11-19 已超期" in browser.main
        browser.submit("查询", due="今天到期")
        assert titles(browser) == ["今"] and "2026-11-20 今天到期" in browser.main


def test_mine_and_nobodys_can_be_asked_for(browser, reviewer, colleague, clock_at):
    with clock_at(2026, 11, 20, 8):
        put("放久的", 1, claimed_by=colleague)
    with clock_at(2026, 11, 20, 10, 30):
        put("我的", 2, claimed_by=reviewer)
        put("同事的", 3, claimed_by=colleague)
        put("没人的", 4)
        log_in(browser, reviewer).open("/reviews/")
        assert browser.main.count("reviewer2 11-20") == 2 and "领办，已过两小时" in browser.main
        browser.submit("查询", claim="我领的")
        assert titles(browser) == ["我的"]
        browser.submit("查询", claim="没人领的")
        assert titles(browser) == ["放久的", "没人的"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026111900001234", ["石家庄甲公司"]),
        ("2026 1119 0000 1234", ["石家庄甲公司"]),
        ("1234", ["1234公司", "石家庄甲公司"]),
        ("石家庄", ["石家庄乙公司", "石家庄甲公司"]),
        ("甲公司", []),
        ("%", []),
        ("20261119", []),
        ("\0", ["1234公司", "唐山丙公司", "石家庄乙公司", "石家庄甲公司"]),
    ],
)
def test_an_application_is_found_by_its_number_or_the_beginning_of_its_name(other_browser, reviewer, text, found):
    names = {
        "石家庄甲公司": 2026111900001234,
        "石家庄乙公司": 2026111900004321,
        "唐山丙公司": 2026112012340000,
        "1234公司": 9,
    }
    for title, number in names.items():
        put(title, number)
    log_in(other_browser, reviewer)._request("GET", "/reviews/", query_string={"q": text})
    assert sorted(titles(other_browser)) == sorted(found)
    assert found or "没有查到等您办的申请" in other_browser.main


def test_an_official_sees_no_other_desks_queue(other_browser, reviewer):
    put("丙公司", 1, desk="data-centre", kind="transmission-id")
    log_in(other_browser, reviewer).open("/reviews/?desk=data-centre&kind=transmission-id")
    assert "没有等您办的申请" in other_browser.main
    assert other_browser.soup.find(attrs={"name": "desk"}) is None


@pytest.mark.parametrize("after", ["x", "||", "20261120|2026-11-20T10:00:00|x|y", "20269999|2026-11-20T10:00:00+00:00|x|y",
                                   "|2026-11-20T10:00:00|00000000-0000-4000-8000-000000000000|s"])  # fmt: skip
def test_a_made_up_place_in_the_list_is_the_first_page(other_browser, reviewer, after):
    put("甲公司", 1)
    log_in(other_browser, reviewer)._request("GET", "/reviews/", query_string={"after": after, "n": "-5"})
    assert titles(other_browser) == ["甲公司"] and "显示第 1 到第 1 条记录" in other_browser.main


@pytest.mark.item("M24")
def test_a_long_queue_is_counted_so_far_and_no_further(other_browser, reviewer, monkeypatch):
    monkeypatch.setattr("models.desks.EXACT", 2)
    monkeypatch.setattr("blueprints.reviews.base.EXACT", 2)
    for n in range(3):
        put(f"{n}公司", n)
    assert "总共 2 条以上" in log_in(other_browser, reviewer).open("/reviews/").main


def test_the_helpdesk_lands_on_its_own_desk(browser, helpdesk):
    log_in(browser, helpdesk).open("/member")
    assert browser.number == "9001" and "没有等您办的申请" in browser.main


def test_a_company_gets_none_of_the_desks_pages(other_browser, administrator):
    log_in(other_browser, administrator)
    for url, reason in (("/reviews/", "90102"), ("/reviews/days", "90102"), ("/reviews/companies", "90236")):
        other_browser.open(url)
        assert other_browser.status == 403 and reason in other_browser.main, url


# Claims


@pytest.fixture
def review(browser, other_browser, reviewer):
    """A registration that waits, and the reviewer's browser at it."""
    fill_registration(browser).submit("提交")
    log_in(other_browser, reviewer).open("/reviews/")
    return other_browser.follow("审核示例外贸")


def open_stage() -> OpenStage:
    return session.query(OpenStage).populate_existing().one()


def acts_on(review) -> list[tuple[str, str]]:
    return [(event.act, event.user_name) for event in events_about(f"document:{open_stage().document_id}")][2:]


def test_looking_claims_nothing_and_claiming_tells_the_colleagues(app, review, reviewer, colleague):
    assert open_stage().claimed_by is None
    review.submit("领办")
    assert review.number == "9002" and "您在办" in review.main
    assert open_stage().claimed_by == reviewer.id
    theirs = log_in(Browser(app), colleague).open("/reviews/")
    assert "reviewer1" in theirs.main
    theirs.open(review.url)
    assert "reviewer1正在办" in theirs.main and not theirs.can_press("领办")
    review.submit("放回")
    assert open_stage().claimed_by is None
    assert acts_on(review) == [("领办", "reviewer1"), ("放回", "reviewer1")]


TYPED = {"why__company/address": "other", "say__company/address": "请写到门牌号", "refusal": "也许不行"}


def check_typed(browser):
    assert browser.value("say:company/address") == "请写到门牌号"
    assert (browser.value("why:company/address"), browser.value("refusal")) == ("other", "也许不行")


@pytest.mark.parametrize("button", ["全部通过", "退回写了原因的项", "不予通过"])
def test_what_somebody_else_is_at_is_not_decided_and_nothing_typed_is_lost(app, review, colleague, button):
    theirs = log_in(Browser(app), colleague).open(review.url)
    review.submit("领办")
    theirs.submit(button, **TYPED)
    assert theirs.errors == ["reviewer1正在办这份申请，要接过来请先点“接过来办”"] and "90233" in theirs.main
    check_typed(theirs)
    assert open_stage().document.decisions == []
    theirs.submit("接过来办")
    assert "这份申请改由您来办了。" in theirs.main
    check_typed(theirs)
    theirs.submit("退回写了原因的项")
    assert theirs.number == "9001" and "已退回，写了1项原因" in theirs.main
    acts = [event.act for event in events_about(f"document:{session.query(Decision).one().document_id}")]
    assert acts[2:] == ["领办", "接过来办", "退回修改"]


def test_who_lost_a_claim_hears_of_it_when_deciding(app, review, colleague):
    review.submit("领办")
    theirs = log_in(Browser(app), colleague).open(review.url).submit("接过来办")
    assert theirs.number == "9002" and "您在办" in theirs.main
    review.submit("全部通过")
    assert review.errors == ["reviewer2正在办这份申请，要接过来请先点“接过来办”"]
    assert find_enterprise(USCC) is None


def test_ones_own_claim_stands_in_nobodys_way(review):
    review.submit("领办")
    review.submit("全部通过")
    assert review.number == "9001" and find_enterprise(USCC)


def test_after_two_hours_a_claim_binds_nobody(app, browser, reviewer, colleague, clock_at):
    with clock_at(2026, 11, 20, 9):
        fill_registration(browser).submit("提交")
        mine = log_in(Browser(app), reviewer).open("/reviews/").follow("审核示例外贸").submit("领办")
    with clock_at(2026, 11, 20, 10, 59):
        theirs = log_in(Browser(app), colleague).open(mine.url)
        assert theirs.submit("全部通过").errors
    with clock_at(2026, 11, 20, 11, 0):
        theirs.open(mine.url)
        assert "reviewer1领办过，已过两小时" in theirs.main and theirs.can_press("领办")
        assert theirs.submit("全部通过").number == "9001"


def test_a_claim_cannot_be_put_back_or_taken_by_who_may_not(app, review, colleague, data_centre):
    review.submit("领办")
    url, holder = review.url.partition("?")[0], open_stage().claimed_by
    theirs = log_in(Browser(app), colleague).open(url)
    form = theirs.soup.find("main").find("form", method="post")
    theirs.send(form, [("csrf_token", theirs.value("csrf_token")), ("stage", "review"), ("go", "put-back")], {}, {})
    assert "这份申请刚才有变化" in theirs.main
    theirs.send(form, [("csrf_token", theirs.value("csrf_token")), ("stage", "other"), ("go", "take")], {}, {})
    assert "这份申请刚才有变化" in theirs.main
    strange = log_in(Browser(app), data_centre).open("/reviews/days")
    data = {"csrf_token": strange.value("csrf_token"), "stage": "review", "go": "take"}
    assert strange.client.post(url, base_url=ORIGIN, data=data).status_code == 404
    assert open_stage().claimed_by == holder


def test_a_press_of_enter_or_a_made_up_act_approves_nothing(review):
    form = review.soup.find("main").find("form", method="post")
    assert form.find("button")["value"] == "return"
    review.send(form, [("csrf_token", review.value("csrf_token")), ("stage", "review"), ("round", "1")], {}, {})
    assert "您的决定没有记下" in review.main and open_stage().document.decisions == []
