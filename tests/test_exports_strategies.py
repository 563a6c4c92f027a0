"""业务策略 as a form: the five modes, what a 清单 mode asks for besides, copies, clients that entrusted their declaration."""

from datetime import date

import pytest

from blueprints.common import clock
from blueprints.exports import code_tables, strategies, tasks
from blueprints.exports.modes import MODES, currencies
from gateways.customs_dxp.messages import types
from models.agreements import ACTIVE, ENDED, PENDING, Entrustment
from models.database import session
from models.exports import CompanyProfile, profiles_of, strategies_of
from tests.conftest import log_in, make_enterprise
from tests.exports_world import CODE, DXP, make_profile, make_strategy, principal_of

pytest_plugins = ["tests.exports_fixtures"]

CLIENT_CODE = "1301960077"
HEAD = {
    "customs_district": "0401", "exit_port": "0402", "statistics": "A", "transport": "5", "wrap": "2", "country": "502",
    "destination": "3154", "logistics": "other", "logistics_code": "1105910159", "logistics_name": "东方物流",
    "freight_currency": "142", "insurance_currency": "142",
}  # fmt: skip


@pytest.fixture
def clerk(browser, administrator, profile):
    """Of a company with one 企业资料."""
    return log_in(browser, administrator)


@pytest.fixture
def carrier(company):
    row = make_profile(company, "快达物流", dxp_id="")
    row.types = ["logistics"]
    session.commit()
    return row


def new_strategy(clerk, mode="9610-list", **typed):
    """Chooses the mode; gives the page that asks for the head of its documents."""
    return clerk.open("/exports/strategies/new").submit("保存", number="S1", name="小包", mode=mode, **typed)


@pytest.mark.item("M191")
def test_a_strategy_offers_every_mode_and_warns_for_9810(clerk, profile, company):
    clerk.open("/exports/strategies").follow("创建策略")
    for mode in MODES.values():
        assert mode.title in clerk.main
    offered = [node["value"] for node in clerk.soup.find_all("input", attrs={"name": "mode"})]
    assert offered == list(MODES)
    assert "收发货人 (电商企业) 或生产销售单位需额外在现场海关进行海外仓备案" in clerk.main
    assert "自定义(例9710美金、9710日元等)" in clerk.main
    clerk.submit("保存", number="9710-1", name="9710日元", currency="116")
    (strategy,) = strategies_of(company.id, CODE)
    assert (strategy.name, strategy.currency, strategy.mode) == ("9710日元", "116", "9710-declaration")
    assert "9710报关单申报模式" in clerk.main


def test_a_strategy_number_is_used_once(clerk, strategy, company):
    clerk.open("/exports/strategies/new").submit("保存", number="9710", name="又一个")
    assert "策略编号「9710」已经用过" in clerk.main and len(strategies_of(company.id, CODE)) == 1


def test_each_mode_takes_its_own_kind_of_platform(clerk, profile, company):
    warehouse = make_profile(company, "洛杉矶仓", code="", dxp_id="")
    warehouse.kind, warehouse.types = "warehouse", ["warehouse"]
    session.commit()
    clerk.open("/exports/strategies/new")
    clerk.submit("保存", number="1", name="x", mode="9710-declaration", platform=str(warehouse.id))
    assert "不选海外仓" in clerk.main
    clerk.submit("保存", number="1", name="x", mode="9810-declaration", platform=str(profile.id))
    assert "请在这里选海外仓" in clerk.main
    clerk.submit("保存", number="1", name="x", mode="9810-declaration", platform=str(warehouse.id))
    assert strategies_of(company.id, CODE)[0].platform_id == warehouse.id


@pytest.mark.item("M190")
def test_a_strategy_is_searched_disabled_and_enabled_again(clerk, strategy, company):
    clerk.open("/exports/strategies?scope=name&q=美金")
    clerk.submit("停用9710")
    assert "策略「9710美金」已停用" in clerk.text
    clerk.open("/exports/tasks/new")
    assert "还没有启用的业务策略" in clerk.main
    clerk.open("/exports/strategies?state=disabled").submit("启用9710")
    assert strategies_of(company.id, CODE, enabled=True)
    assert [option.get_text() for option in clerk.soup.select("#state option")] == ["全部", "启用（启动）", "停用"]


def test_two_strategies_may_share_a_profile(profile, company):
    make_strategy(profile, "9710")
    make_strategy(profile, "9710-jpy", currency="116")
    assert len(strategies_of(company.id, CODE)) == 2


@pytest.mark.item("M191")
def test_a_list_mode_asks_for_the_head_that_its_documents_share(clerk, company):
    clerk.open("/exports/strategies/new")
    assert "申报关区" not in clerk.main
    clerk.submit("保存", number="S1", name="小包", mode="9610-list")
    assert "清单申报模式还要填下面的清单表头" in clerk.main and not clerk.errors and clerk.value("number") == "S1"
    clerk.submit("保存", **HEAD)
    assert "业务策略已保存" in clerk.text
    (strategy,) = strategies_of(company.id, CODE)
    assert strategies.inventory_head(strategy) == {
        "customsCode": "0401", "portCode": "0402", "statisticsFlag": "A", "trafMode": "5", "wrapType": "2",
        "country": "502", "POD": "3154", "logisticsCode": "1105910159", "logisticsName": "东方物流", "fCurrency": "142",
        "iCurrency": "142", "fFlag": "3", "iFlag": "3", "ieFlag": "E", "tradeMode": "9610",
        "ebpCode": CODE, "ebpName": company.name, "ebcCode": CODE, "ebcName": company.name, "agentCode": CODE,
        "agentName": company.name, "ownerCode": CODE, "ownerName": company.name,
    }  # fmt: skip
    clerk.follow("S1")
    assert (clerk.value("customs_district"), clerk.value("country"), clerk.value("logistics")) == (
        "0401",
        "502",
        "other",
    )


def test_the_head_leaves_open_only_what_each_document_has_of_its_own(clerk, company):
    new_strategy(clerk).submit("保存", **HEAD)
    head = strategies.inventory_head(strategies_of(company.id, CODE)[0])
    fields = {field.name: field for field in types.TYPES["603"].head_fields}
    assert all(fields[name].shortest <= len(value) <= fields[name].longest for name, value in head.items())
    assert {name for name, field in fields.items() if field.required} - head.keys() == {
        "guid", "appType", "appTime", "appStatus", "orderNo", "logisticsNo", "copNo", "ieDate", "freight", "insuredFee",
        "packNo", "grossWeight", "netWeight",
    }  # fmt: skip


@pytest.mark.parametrize(("offered", "length"), [
    (code_tables.transport_modes, 1), (code_tables.wraps, 1), (code_tables.countries, 3), (currencies, 3),
])  # fmt: skip
def test_every_code_that_is_offered_fits_its_element_and_stands_once(offered, length):
    codes = [code for code, _ in offered()]
    assert codes and {len(code) for code in codes} == {length} and len(codes) == len(set(codes))


def test_a_carrier_of_the_profiles_is_named_as_it_is_today(clerk, company, carrier):
    new_strategy(clerk).submit(
        "保存", **HEAD | {"logistics": str(carrier.id), "logistics_code": "", "logistics_name": ""}
    )
    (strategy,) = strategies_of(company.id, CODE)
    session.get(CompanyProfile, carrier.id).name = "快达国际物流"
    session.commit()
    head = strategies.inventory_head(strategy)
    assert (head["logisticsCode"], head["logisticsName"]) == (CODE, "快达国际物流") and "logistics" not in head


def test_goods_of_another_company_go_out_under_its_name(clerk, company):
    new_strategy(clerk).submit("保存", **HEAD, owner_code="no", owner_name="石家庄小厂", yard="zw01")
    head = strategies.inventory_head(strategies_of(company.id, CODE)[0])
    assert (head["ownerCode"], head["ownerName"], head["loctNo"]) == ("NO", "石家庄小厂", "ZW01")


@pytest.mark.parametrize(("typed", "words"), [
    ({"customs_district": "9900"}, "前两位是直属海关的代码"),
    ({"customs_district": "04"}, "关区代码要4位数字"),
    ({"exit_port": "０４０１x"}, "最多4个字"),
    ({"statistics": "C"}, "请重新选择"),
    ({"transport": ""}, "请选择「运输方式」"),
    ({"wrap": "22"}, "请重新选择"),
    ({"country": "999"}, "请重新选择"),
    ({"destination": "0000"}, "没有这个港口代码"),
    ({"destination": "洛杉矶"}, "洛杉矶（美国）3154"),
    ({"destination": "<script>"}, "没有这个港口代码"),
    ({"yard": "a/b"}, "监管场所代码最多10位"),
    ({"logistics": "00000000-0000-4000-8000-000000000000"}, "请重新选择"),
    ({"logistics_code": "12345"}, "10位海关编码或18位统一社会信用代码"),
    ({"logistics_name": ""}, "请填写「物流企业名称」"),
    ({"owner_code": "1105910159"}, "请填写「生产销售单位名称」"),
    ({"owner_name": "石家庄小厂"}, "还要填它的代码"),
    ({"owner_code": "无", "owner_name": "x"}, "没有在海关登记的填NO"),
    ({"freight_currency": "840"}, "请重新选择"),
])  # fmt: skip
def test_a_head_that_customs_would_not_take_is_not_kept(clerk, company, typed, words):
    new_strategy(clerk).submit("保存", **HEAD | typed)
    assert len(clerk.errors) == 1 and words in clerk.main and not strategies_of(company.id, CODE)


def test_a_9610_strategy_takes_a_platform_and_a_9810_one_a_warehouse(clerk, company):
    warehouse = make_profile(company, "洛杉矶仓", code="", dxp_id="")
    warehouse.kind, warehouse.types = "warehouse", ["warehouse"]
    session.commit()
    new_strategy(clerk, platform=str(warehouse.id)).submit("保存", **HEAD)
    assert "9610报的是平台订单" in clerk.main
    clerk.submit("保存", mode="9810-list")
    assert strategies.inventory_head(strategies_of(company.id, CODE)[0])["ebpCode"] == "无"


def test_a_strategy_that_becomes_one_of_declarations_forgets_the_head(clerk, company):
    new_strategy(clerk).submit("保存", **HEAD)
    clerk.follow("S1").submit("保存", mode="9710-declaration")
    assert strategies_of(company.id, CODE)[0].details == {}


def test_an_unknown_mode_cannot_be_sent(clerk, company):
    for mode in ("x-list", "9710"):
        clerk.open("/exports/strategies/new")
        form = clerk.soup.find("input", attrs={"name": "mode"}).find_parent("form")
        data = [("csrf_token", clerk.value("csrf_token")), ("number", "S1"), ("name", "x"), ("mode", mode)]
        clerk.send(form, data, dict(HEAD, currency="502", is_enabled="yes"), {})
        assert any("贸易方式" in line for line in clerk.errors) and not strategies_of(company.id, CODE)


@pytest.mark.item("M190")
def test_a_strategy_is_copied_with_everything_and_a_free_number(clerk, profile, company):
    new_strategy(clerk).submit("保存", **HEAD)
    clerk.follow("复制小包")
    assert (clerk.number, clerk.value("number"), clerk.value("name")) == ("8009", "S1复制", "小包复制")
    assert len(strategies_of(company.id, CODE)) == 1
    clerk.submit("保存")
    copied, first = sorted(strategies_of(company.id, CODE), key=lambda row: row.number, reverse=True)
    assert (copied.details, copied.mode, copied.seller_id) == (first.details, first.mode, first.seller_id)
    clerk.open(f"/exports/strategies/{first.id}/copy")
    assert clerk.value("number") == "S1复制2"
    long = make_strategy(profile, "x" * 30)
    clerk.open(f"/exports/strategies/{long.id}/copy")
    assert clerk.value("number") == "x" * 28 + "复制"


def test_another_companys_strategy_is_not_copied(clerk, app):
    other = make_enterprise("别家公司", "91130100PDY000028G", code="1301960002")
    theirs = make_strategy(make_profile(other, "别家", code="1301960002"))
    assert clerk.open(f"/exports/strategies/{theirs.id}/copy").status == 404


def test_a_strategy_with_tasks_keeps_its_mode(clerk, administrator, company, strategy):
    tasks.create_task("A1", str(strategy.id), principal_of(administrator, company))
    session.commit()
    clerk.open(f"/exports/strategies/{strategy.id}").submit("保存", mode="9610-list").submit("保存", **HEAD)
    assert "贸易方式不能改了" in clerk.main and strategies_of(company.id, CODE)[0].mode == "9710-declaration"
    clerk.open(f"/exports/strategies/{strategy.id}").submit("保存", name="9710欧元", currency="300")
    assert strategies_of(company.id, CODE)[0].currency == "300"


def test_a_carrier_declares_its_waybills_under_a_strategy_without_platform(clerk, profile, company, carrier):
    session.get(CompanyProfile, carrier.id).dxp_id = DXP
    session.commit()
    clerk.open("/exports/strategies/new")
    clerk.submit("保存", number="Y1", name="运单", mode="waybill", platform="", seller=str(profile.id))
    assert "物流运单由物流企业自己报" in clerk.main and "电商平台" not in clerk.main
    clerk.submit("保存", mode="9710-declaration", seller=str(carrier.id))
    assert "这里选电商企业" in clerk.main
    clerk.submit("保存", mode="waybill", seller=str(carrier.id))
    (strategy,) = strategies_of(company.id, CODE)
    assert (strategy.seller_id, strategy.sender.dxp_id, strategy.details) == (carrier.id, DXP, {})


# -- clients that entrusted their declaration (报关代理委托)


@pytest.fixture
def entrustment(company):
    client = make_enterprise("委托方公司", "91130100PDY000028G", code=CLIENT_CODE)
    row = Entrustment(
        client_id=client.id, client_code=CLIENT_CODE, agent_id=company.id, agent_code=CODE, state=ACTIVE,
        started_at=clock.now(), valid_to=date(2099, 12, 31),
    )  # fmt: skip
    session.add(row)
    session.commit()
    return row


@pytest.fixture
def client_profile(clerk, company, entrustment):
    """企业资料 of the client, made by the broker."""
    clerk.open("/exports/profiles/new")
    clerk.submit("保存", name="委托方公司", customs_code=CLIENT_CODE, dxp_id="", types=["seller"])
    return next(row for row in profiles_of(company.id) if row.customs_code == CLIENT_CODE)


@pytest.mark.item("M186")
def test_a_broker_keeps_the_code_of_a_client_that_entrusted_it_without_a_transmission_id(clerk, client_profile):
    assert (client_profile.name, client_profile.dxp_id) == ("委托方公司", "")
    clerk.open("/exports/profiles/new").submit("保存", name="x", customs_code=CLIENT_CODE)
    assert "委托单位的资料不选传输ID" in clerk.main
    clerk.open("/exports/profiles/new").submit("保存", dxp_id="")
    assert any("传输ID" in line for line in clerk.errors)


def test_what_a_client_entrusted_goes_out_under_the_brokers_code(clerk, company, profile, client_profile):
    new_strategy(clerk, seller=str(client_profile.id)).submit("保存", **HEAD, declarant="")
    assert any("申报企业" in line for line in clerk.errors)
    clerk.submit("保存", declarant=str(profile.id))
    (strategy,) = strategies_of(company.id, CODE)
    head = strategies.inventory_head(strategy)
    assert (head["ebcCode"], head["agentCode"], strategy.sender.dxp_id) == (CLIENT_CODE, CODE, profile.dxp_id)


def test_one_who_declares_his_own_exports_names_no_declarant(clerk, company, profile, client_profile):
    clerk.open("/exports/strategies/new")
    clerk.submit(
        "保存", number="1", name="x", platform=str(profile.id), seller=str(profile.id), declarant=str(profile.id)
    )
    assert strategies_of(company.id, CODE)[0].declarant is None


@pytest.mark.parametrize("state", [PENDING, ENDED])
def test_an_entrustment_that_is_not_active_opens_nothing(clerk, company, entrustment, state):
    entrustment.state = state
    session.commit()
    clerk.open("/exports/profiles/new").submit("保存", customs_code=CLIENT_CODE, dxp_id="")
    assert clerk.errors and all(row.customs_code == CODE for row in profiles_of(company.id))


def test_an_entrustment_that_ended_takes_its_client_from_the_choice(clerk, client_profile, entrustment):
    clerk.open("/exports/strategies/new")
    assert "委托方公司" in clerk.main and "申报企业" in clerk.main
    session.get(Entrustment, entrustment.id).valid_to = date(2020, 1, 1)
    session.commit()
    clerk.open("/exports/strategies/new")
    assert "委托方公司" not in clerk.main
