"""The officials' desk: queue, claims, what helps to decide, the numbers of each day, the register of companies."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from blueprints.common import clock
from blueprints.common.kinds import Desk, Machine, Stage
from models.accounts import find_enterprise
from models.database import session
from models.documents import (
    Decision,
    Document,
    OpenStage,
    Participation,
    RegisterCheck,
    Submission,
    events_about,
)
from tests.browsing import ORIGIN, Browser
from tests.conftest import USCC, log_in, make_enterprise, make_user
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
    waits = OpenStage(document_id=document.id, stage=stage, desk=desk, opened_at=opened, due=due)
    if claimed_by:
        waits.claimed_by, waits.claimed_at = claimed_by.id, clock.now()
    session.add_all([came, waits])
    session.commit()
    return document


def titles(browser) -> list[str]:
    return [cell.get_text(strip=True) for cell in browser.soup.select('td[data-label="申请单位"]')]


def rows_of(browser) -> dict[str, str]:
    """{first cell: the row's text}"""
    return {row.td.get_text(" ", strip=True): row.get_text(" ", strip=True) for row in browser.soup.select("tbody tr")}


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


# What helps to decide


def line(browser, number: str):
    rows = [row for row in browser.soup.select("tbody tr") if row.find(class_="no").get_text(strip=True) == number]
    return " ".join(rows[0].get_text(" ", strip=True).split())


def test_the_company_register_stands_beside_the_answers(review):
    record = {
        "company/name": "示例外贸（石家庄）有限公司",
        "company/address": "石家庄市裕华区1号",
        "contacts/legal_name": "王芳",
    }
    check = session.get(RegisterCheck, open_stage().document_id)
    check.outcome, check.record = "found", record
    session.commit()
    review.open(review.url)
    assert "和企业登记库核对过" in review.main
    rows = {row.b.get_text(): row.get_text(" ", strip=True) for row in review.soup.select("tbody tr")}
    assert "登记库一致" in rows["单位名称"]
    assert "登记库：石家庄市裕华区1号" in rows["单位地址"] and "一致" not in rows["单位地址"]
    assert "登记库" not in rows["平台帐户名"]


def test_a_soft_rule_is_shown_beside_its_line(browser, other_browser, reviewer):
    fill_registration(browser, uscc=USCC[:-1] + "1").submit("提交")
    log_in(other_browser, reviewer).open("/reviews/").follow("审核示例外贸")
    rows = {row.b.get_text(): row.get_text(" ", strip=True) for row in other_browser.soup.select("tbody tr")}
    assert "末位的校验码" in rows["统一社会信用代码"] and "末位的校验码" not in rows["单位名称"]


@pytest.mark.item("M57")
def test_the_reviewer_chooses_among_the_regions_reasons_and_gives_several(review, browser, app):
    reasons = app.config["REGION"]["reasons"]["registration"]
    select = review.soup.find(attrs={"name": "why:company/name"})
    assert [option.get_text() for option in select.find_all("option")][1:-1] == reasons
    receipt = browser.url
    review.submit("退回写了原因的项", **{"why__company/name": reasons[0], "why__company/address": "other", "say__company/address": "请写到门牌号"})  # fmt: skip
    assert "写了2项原因" in review.main
    browser.open(receipt)
    assert reasons[0] in browser.main and "请写到门牌号" in browser.main


@pytest.mark.item("M57")
def test_an_application_goes_through_its_states_and_a_refused_company_may_apply_again(
    app, browser, other_browser, reviewer
):
    fill_registration(browser)
    browser.submit("提交")
    receipt = browser.url
    assert "等待「注册审核」" in browser.main
    desk = log_in(other_browser, reviewer).open("/reviews/").follow("审核示例外贸")
    desk.submit("不予通过", refusal="证照是别家的")
    browser.open(receipt)
    assert "不予通过" in browser.main and "证照是别家的" in browser.main
    again = Browser(app)
    fill_registration(again).submit("提交")
    assert again.h1 == "企业注册回执"
    desk.open("/reviews/").follow("审核示例外贸").submit("全部通过")
    again.open(again.url)
    assert "已通过" in again.main and find_enterprise(USCC)


def with_stages(app, monkeypatch, *stages):
    office = app.config["OFFICE"]
    kind = replace(office.kinds["registration"], stages=stages)
    monkeypatch.setitem(app.config, "OFFICE", replace(office, kinds={**office.kinds, "registration": kind}))


FIRST = Stage("2006", "review", "初审", Desk("registration"))
SECOND = Stage("2007", "second", "复审", Desk("registration"), after=("review",), apart_from=("review",))


def test_who_decided_the_first_stage_is_told_why_the_second_is_not_his(app, browser, reviewer, colleague, monkeypatch):
    with_stages(app, monkeypatch, FIRST, SECOND)
    fill_registration(browser).submit("提交")
    mine = log_in(Browser(app), reviewer).open("/reviews/").follow("审核示例外贸")
    url = mine.url
    mine.submit("全部通过")
    mine.open(url)
    assert "“初审”是您审的，“复审”要由另一位审核人员来审，您这里不能再决定。" in mine.main and "90234" in mine.main
    assert "现在没有等您决定的环节" not in mine.main and not mine.can_press("领办") and not mine.can_press("通过")
    theirs = log_in(Browser(app), colleague).open(url)
    assert "90234" not in theirs.main
    theirs.submit("全部通过")
    assert find_enterprise(USCC)


def test_it_is_said_what_a_machine_waits_for(app, browser, reviewer, monkeypatch, clock_at):
    with_stages(app, monkeypatch, FIRST, Stage("2007", "wait", "等待期", Machine("clock"), after=("review",)))
    with clock_at(2026, 11, 20, 10, 32):
        fill_registration(browser).submit("提交")
        desk = log_in(Browser(app), reviewer).open("/reviews/").follow("审核示例外贸")
        url = desk.url
        desk.submit("全部通过")
        desk.open(url)
    assert "“等待期”由系统来办：11月20日10:32起在等" in desk.main and not desk.can_press("通过")


def test_what_is_typed_among_all_lines_stays_when_the_second_look_is_refused(
    app, browser, other_browser, reviewer, colleague
):
    fill_registration(browser).submit("提交")
    receipt = browser.url
    desk = log_in(other_browser, reviewer).open("/reviews/").follow("审核示例外贸")
    desk.submit("退回写了原因的项", **{"why__company/address": "other", "say__company/address": "请写到门牌号"})
    desk.open(desk.url + str(session.query(Document).one().id))
    assert "第1次提交已退回，等申请人改好再交。" in desk.main and "轮到您了" not in desk.main
    browser.open(receipt).follow("去修改")
    browser.submit("保存，去下一步", address="石家庄市长安区中山东路2号")
    browser.submit("提交")
    desk.open("/reviews/").follow("审核示例外贸").follow("看全部")
    log_in(Browser(app), colleague).open(desk.url).submit("领办")
    desk.submit("退回写了原因的项", **{"why__company/name": "other", "say__company/name": "名称不全"})
    assert desk.value("say:company/name") == "名称不全" and desk.errors


# The numbers of each day


def decide_on(document, outcome: str, at: datetime, stage="review"):
    session.add(
        Decision(document_id=document.id, round=1, stage=stage, stage_title="", outcome=outcome, by="x", at=at, lines_data=[], reasons=[])
    )  # fmt: skip
    session.commit()


def local(*moment) -> datetime:
    return datetime(*moment, tzinfo=clock.SHANGHAI)


def test_the_numbers_of_each_day_are_those_of_the_day_in_china(browser, reviewer, clock_at):
    """Just after midnight in China it is the day before in UTC."""
    with clock_at(2026, 11, 24, 10):
        for n, outcome in enumerate(("approved", "approved", "returned", "refused")):
            decide_on(put(f"{n}公司", n, opened=local(2026, 11, 20, 0, 30)), outcome, local(2026, 11, 23, 23, 50))
        put("还等着", 9, opened=local(2026, 11, 23, 9), due=date(2026, 11, 23))
        put("不是本岗位的", 10, opened=local(2026, 11, 20, 9), desk="data-centre", kind="transmission-id")
        put("太早的", 11, opened=local(2026, 10, 25, 23, 59))
        log_in(browser, reviewer).open("/reviews/days")
    rows = rows_of(browser)
    assert rows["2026-11-20"] == "2026-11-20 4 0 0 0"
    assert rows["2026-11-23"] == "2026-11-23 1 2 1 1"
    assert rows["合计"] == "合计 5 2 1 1"
    assert len(rows) == 31 and "2026-10-26" in rows and "2026-10-25" not in rows
    pairs = {row.dt.get_text(): row.dd.get_text(strip=True) for row in browser.soup.select(".govuk-summary-list__row")}
    assert (pairs["现在等着办的"], pairs["其中已超期的"]) == ("6", "1")


def test_the_bars_are_a_picture_with_words_and_without_styles(other_browser, reviewer, clock_at):
    with clock_at(2026, 11, 24, 10):
        decide_on(put("甲", 1), "approved", clock.now())
        put("乙", 2)
        log_in(other_browser, reviewer).open("/reviews/days")
    plot = other_browser.soup.select_one("main svg[role=img]")
    assert plot.find(id=plot["aria-labelledby"]).get_text().startswith("最近30天：提交2件，通过1件")
    bars = [(float(bar["y"]), float(bar["height"])) for bar in plot.find_all("rect")]
    assert bars == [(0, 100), (50, 50)]
    assert plot["width"] == "100%" and not plot.select("[style], script, style")


@pytest.mark.parametrize(
    ("came", "went", "hours"),
    [
        ((2026, 11, 20, 16, 30), (2026, 11, 23, 9, 30), "2.0"),  # Friday to Monday
        ((2026, 11, 21, 12, 0), (2026, 11, 21, 15, 0), "0.0"),  # within a Saturday
        ((2026, 9, 30, 17, 0), (2026, 10, 8, 10, 0), "2.0"),  # over the National Day
        ((2025, 1, 2, 9, 0), (2026, 11, 23, 9, 0), None),  # older than the calendar kept: something, and no error
        ((2026, 11, 23, 3, 0), (2026, 11, 23, 20, 0), "9.0"),  # night does not count
    ],
)  # fmt: skip
def test_the_median_counts_working_hours_only(other_browser, reviewer, clock_at, came, went, hours):
    moment = max((2026, 11, 24, 10), went) if went[:2] == (2026, 11) else (2026, 10, 12, 10)
    with clock_at(*moment):
        decide_on(put("甲", 1, opened=local(*came)), "approved", local(*went))
        log_in(other_browser, reviewer).open("/reviews/days")
    assert f"{hours}个工作小时" in other_browser.main if hours else "个工作小时" in other_browser.main


def test_without_decisions_no_median_is_made_up(other_browser, helpdesk, reviewer):
    assert "这30天还没有决定" in log_in(other_browser, reviewer).open("/reviews/days").main
    assert "这30天还没有决定" in log_in(other_browser, helpdesk).open("/reviews/days").main


# The register of companies


def make_companies(count=45):
    for n in range(count):
        make_enterprise(f"冀{n:02}公司", f"9113010000000{n:04}A", code=None)


def names(browser) -> list[str]:
    return [cell.get_text(strip=True) for cell in browser.soup.select('td[data-label="单位名称"]')]


def test_the_register_pages_through_all_companies_by_name(browser, helpdesk):
    make_companies()
    log_in(browser, helpdesk).open("/reviews/companies")
    seen = names(browser)
    assert browser.number == "9004" and "显示第 1 到第 20 条记录, 总共 45 条记录" in browser.main
    browser.follow("下一页")
    seen += names(browser)
    browser.follow("下一页")
    assert "显示第 41 到第 45 条记录" in browser.main and "下一页" not in browser.main
    assert seen + names(browser) == [f"冀{n:02}公司" for n in range(45)]


def test_the_register_is_searched_by_code_or_beginning_of_the_name(browser, reviewer, company):
    make_companies(30)
    make_user("op1", enterprise=company, role="operator", person=("甲", "130100199901010027", "a@example.com"))
    log_in(browser, reviewer).open("/reviews/companies")
    for typed in (USCC, USCC.lower(), USCC[8:17], "示例"):
        browser.submit("查询", q=typed)
        assert names(browser) == [company.name], typed
    row = browser.soup.select_one("tbody tr").get_text(" ", strip=True)
    assert row.startswith(f"{company.name} {USCC} 三证合一企业 本站注册 未认证 1 ")
    browser.submit("查询", q="冀")
    assert "总共 30 条记录" in browser.main
    browser.follow("下一页")
    assert names(browser)[0] == "冀20公司" and browser.value("q") == "冀"
    for typed in ("公司", "%", "_"):
        browser.submit("查询", q=typed)
        assert "没有查到企业" in browser.main


def test_one_company_is_shown_masked_and_nothing_can_be_changed(browser, reviewer, company, administrator):
    administrator = session.merge(administrator)
    administrator.keep_mobile("13800000001")
    operator = make_user("op1", enterprise=company, role="operator", person=("张三丰", "130100199901010027", "zhangsanfeng@example.com"))  # fmt: skip
    operator.is_active = False
    document = put(company.name, 7, kind="transmission-id", desk="data-centre")
    session.add(Participation(document_id=document.id, role="applicant", enterprise_id=company.id, code="1301960001", may=["see"]))  # fmt: skip
    session.commit()
    log_in(browser, reviewer).open("/reviews/companies").follow("示例外贸")
    assert browser.number == "9005" and USCC in browser.main and "1301960001" in browser.main
    rows = rows_of(browser)
    assert "管理员" in rows["demo01"] and "正常" in rows["demo01"] and "1380***0001" in rows["demo01"]
    assert "操作员" in rows["op1"] and "停用" in rows["op1"]
    for secret in ("13800000001", "张三丰", "zhangsanfeng@example.com", "130100199901010027", "王芳"):
        assert secret not in browser.text
    assert "传输ID申请" in rows["0000 0000 0000 0007"] and "等待「数据分中心接单审核」" in rows["0000 0000 0000 0007"]
    assert not browser.soup.find("main").find_all(["form", "button", "input"])


def test_other_desks_get_no_register_and_are_told_why(other_browser, data_centre, company):
    log_in(other_browser, data_centre)
    for url in ("/reviews/companies", f"/reviews/companies/{company.id}"):
        other_browser.open(url)
        assert other_browser.status == 403 and company.name not in other_browser.main
        assert "企业名册由注册审核和客服岗位使用，您的账号没有这两个岗位" in other_browser.main


def test_a_company_that_is_none_is_not_found(other_browser, reviewer):
    log_in(other_browser, reviewer).open("/reviews/companies/00000000-0000-4000-8000-000000000000")
    assert other_browser.status == 404


@pytest.mark.parametrize("query", [{"after": "x|冀"}, {"after": "|"}, {"after": "\0|\0", "n": "-1"}, {"q": "\0"}])
def test_made_up_places_in_the_register_are_the_first_page(other_browser, reviewer, company, query):
    log_in(other_browser, reviewer)._request("GET", "/reviews/companies", query_string=query)
    assert names(other_browser) == [company.name]
