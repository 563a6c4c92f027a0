"""我的资质: what the sheet shows in the manual's words, and the filing of inspection that is kept on it."""

from datetime import date, timedelta

import pytest

from blueprints.common import clock
from models.accounts import find_enterprise
from models.codes import HeldCode
from models.database import session
from models.documents import HistoryEvent
from tests.card_bridge_double import errors_of
from tests.conftest import USCC, log_in

OLD, NEW, EXPIRED = "1301960001", "1301960011", "1301960021"
SHEET = "/account/qualifications?edit=1"


@pytest.fixture
def two_codes(administrator):
    """The company holds another valid code and one that ran out; its administrator."""
    for code, until in ((NEW, date(2099, 12, 31)), (EXPIRED, clock.today() - timedelta(days=1))):
        session.add(HeldCode(enterprise_id=administrator.enterprise_id, code=code, category="报关企业", revision="1",
                             valid_from=date(2020, 1, 1), valid_to=until, ecommerce_types=[], seen_at=clock.now()))  # fmt: skip
    session.commit()
    return administrator


@pytest.mark.item("M83", "M84", "M85")
def test_the_sheet_shows_what_the_manual_shows_in_its_words(browser, two_codes):
    log_in(browser, two_codes).open("/account/company").follow("我的资质(可选操作)")
    assert browser.number == "4004" and not browser.soup.select("#main input:not([type=hidden])")
    text = browser.soup.find(id="main").get_text("")
    for words in (
        "修改单位基本信息请点击左边菜单: 企业管理员信息", "单位管理员信息", "点击左上角编辑", USCC, "示例外贸（石家庄）有限公司",
        "单位在海关注册登记后, 取得的10位编码, 用于办理报关等业务。平台将根据您的信息自动返填。当需要选择的海关注册号不在选项中时, 请联系海关确认有效期, 并将海关注册号同步给电子口岸。查看常见问题",
        "报检单位注册号是企业向检验检疫机关备案的10位号码", EXPIRED, "已过期",
        "检验检疫申报账号和密码是企业向检验检疫机关提交的用于向检验检疫机关提交报检数据的申报账号和密码",
    ):  # fmt: skip
        assert words in text
    browser.follow("编辑")
    assert [radio["value"] for radio in browser.soup.find_all("input", type="radio")] == [OLD, NEW]
    assert browser.soup.find("input", checked=True)["value"] == OLD
    assert {field["name"] for field in browser.soup.select("#main input:not([type=hidden])")} == {
        "code", "number", "account", "password"
    }  # fmt: skip


@pytest.mark.item("M85")
def test_the_filing_of_inspection_is_kept_encrypted_and_its_password_never_comes_back(browser, two_codes):
    log_in(browser, two_codes).open(SHEET)
    browser.submit("保存", number="１３０１ ９６００ ０１", account="ciq01", password="geheim 密码")
    assert browser.number == "4004" and "我的资质已经保存" in browser.main
    assert "1301960001" in browser.main and "ciq01" in browser.main and "已设好" in browser.main
    assert "geheim" not in str(browser.open(SHEET).soup) and "不改就空着" in browser.main
    session.expire_all()
    company = find_enterprise(USCC)
    assert company.inspection == {"number": "1301960001", "account": "ciq01", "password": "geheim 密码"}
    assert b"geheim" not in company._inspection
    browser.submit("保存", number="1301960009")
    session.expire_all()
    assert find_enterprise(USCC).inspection["password"] == "geheim 密码", "left empty it stays"
    log = [(row.user_name, row.details) for row in session.query(HistoryEvent).filter_by(act="修改报检资质备案")]
    assert log == [("demo01", {}), ("demo01", {})]


def test_without_its_account_the_password_is_forgotten(browser, two_codes):
    two_codes.enterprise.inspection = {"number": "", "account": "ciq01", "password": "x"}
    session.commit()
    log_in(browser, two_codes).open(SHEET).submit("保存", account="")
    session.expire_all()
    assert find_enterprise(USCC).inspection == {"number": "", "account": "", "password": ""}


@pytest.mark.parametrize(("typed", "number"), [
    ({"number": "123456789"}, "90123"), ({"number": "12345678901"}, "90123"), ({"number": "13019600O1"}, "90123"),
    ({"account": "a" * 61, "password": "x"}, "90011"), ({"account": "a\x00b", "password": "x"}, "90014"),
    ({"account": "other", "password": ""}, "90124"), ({"account": "", "password": "new"}, "90125"),
    ({"password": "x" * 101}, "90126"),
])  # fmt: skip
def test_each_wrong_filing_has_its_number_and_nothing_is_stored(browser, two_codes, typed, number):
    kept = {"number": "1301960001", "account": "ciq01", "password": "x"}
    two_codes.enterprise.inspection = kept
    session.commit()
    log_in(browser, two_codes).open(SHEET).submit("保存", **typed, code=NEW)
    assert [line[:5] for line in errors_of(browser)] == [number]
    assert browser.soup.find("input", checked=True)["value"] == NEW, "what was chosen stays chosen"
    session.expire_all()
    assert find_enterprise(USCC).inspection == kept


def test_a_wrong_code_keeps_what_was_typed_beside_it(browser, two_codes):
    log_in(browser, two_codes).open(SHEET).submit("保存", code=EXPIRED, number="1301960001")
    assert errors_of(browser)[0].startswith("90566") and browser.value("number") == "1301960001"
    assert find_enterprise(USCC).inspection is None
