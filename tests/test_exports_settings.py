"""企业资料, 业务策略 and 申报任务 as forms: what is chosen and never typed, what is cleaned, what is refused."""

import pytest

from blueprints.exports.modes import ALIASES, MODES
from models.accounts import find_enterprise
from models.database import session
from models.exports import profiles_of, strategies_of
from tests.conftest import USCC, log_in, make_enterprise, make_user
from tests.exports_world import CODE, DXP, ROWS, make_profile, make_strategy, workbook

pytest_plugins = ["tests.exports_fixtures"]


@pytest.fixture
def clerk(browser, administrator):
    """Of a company that has set up nothing yet."""
    return log_in(browser, administrator)


@pytest.mark.item("M186", "M188")
def test_a_profile_is_made_by_choosing_what_the_company_holds(clerk, granted, company):
    clerk.open("/exports/profiles").follow("创建境内企业资料")
    assert "只填红框部分！！！" in clerk.main and "由分中心填写，企业请勿填写" in clerk.main
    assert "填写海关备案后的十位编码" in clerk.main and "3项都勾选" in clerk.main
    assert "电子商务企业、电子商务交易平台" in clerk.main
    clerk.submit("保存")
    assert "企业资料已保存" in clerk.text and "申报企业、电商平台、电商企业" in clerk.main
    (profile,) = profiles_of(company.id)
    assert (profile.customs_code, profile.dxp_id, profile.is_enabled) == (CODE, DXP, True)


@pytest.mark.item("M187")
def test_spaces_of_both_widths_are_taken_out_and_told(clerk, granted, company):
    clerk.open("/exports/profiles/new").submit("保存", name="示例\u3000外贸 公司", remark="甲 乙")
    assert "已经替您去掉了「企业名称」「备注」里的空格" in clerk.text
    (profile,) = profiles_of(company.id)
    assert (profile.name, profile.remark) == ("示例外贸公司", "甲乙")


@pytest.mark.parametrize("field", ["customs_code", "dxp_id"])
def test_a_code_or_id_that_is_not_held_cannot_be_typed_in(clerk, granted, company, field):
    clerk.open("/exports/profiles/new").submit("保存", **{field: "1301969999"})
    assert clerk.errors and not profiles_of(company.id)


def test_a_dxp_id_of_another_code_is_refused_with_that_code(clerk, granted, company):
    granted.customs_code = "1301960099"
    session.commit()
    clerk.open("/exports/profiles/new").submit("保存", dxp_id=DXP)
    assert "发给海关编码1301960099的" in clerk.main and not profiles_of(company.id)


def test_a_company_without_dxp_id_is_sent_to_apply_for_one(clerk):
    clerk.open("/exports/profiles/new")
    assert "本单位还没有传输ID，要先申请" in clerk.main and "申请传输ID" in clerk.main


@pytest.mark.item("M185")
def test_profiles_are_searched_by_range_type_state_and_period(clerk, profile, company):
    other = make_profile(company, "物流公司", dxp_id="")
    other.types, other.is_enabled = ["logistics"], False
    session.commit()
    for query, found in (
        ("scope=name&q=物流", ["物流公司"]), ("scope=customs_code&q=1301960001", ["物流公司", "示例外贸"]),
        ("scope=dxp_id&q=DXPENT", ["示例外贸"]), ("scope=created_by&q=李明", ["物流公司", "示例外贸"]),
        ("types=logistics", ["物流公司"]), ("types=seller&types=platform", ["示例外贸"]), ("state=disabled", ["物流公司"]),
        ("from=20200101&to=20200102", []), ("from=20200101", ["物流公司", "示例外贸"]),
    ):  # fmt: skip
        clerk.open(f"/exports/profiles?{query}")
        shown = [row.find_all("td")[1].get_text()[:4] for row in clerk.soup.select("tbody tr")]
        assert shown == found, query
    clerk.open("/exports/profiles?from=2026-13-77")
    assert "日期要写8位数字" in clerk.main


@pytest.mark.item("M189")
def test_a_warehouse_is_a_name_and_an_address(clerk, company):
    company_id = company.id
    clerk.open("/exports/profiles").follow("创建海外仓")
    clerk.submit("保存", name="洛杉矶一号仓", address="1 Harbor Road")
    (warehouse,) = profiles_of(company_id, types=["warehouse"])
    assert (warehouse.kind, warehouse.name, warehouse.address) == ("warehouse", "洛杉矶一号仓", "1 Harbor Road")
    clerk.follow("修改洛杉矶").submit("保存", address="2 Harbor Road")
    (warehouse,) = profiles_of(company_id, types=["warehouse"])
    assert warehouse.address == "2 Harbor Road"
    clerk.open("/exports/warehouses/new").submit("保存", name="")
    assert any("海外仓名称" in line for line in clerk.errors)


@pytest.mark.item("M191")
def test_a_strategy_offers_what_is_built_greys_the_rest_and_warns_for_9810(clerk, profile, company):
    clerk.open("/exports/strategies").follow("创建策略")
    for mode in MODES.values():
        assert mode.title in clerk.main
    offered = [node["value"] for node in clerk.soup.find_all("input", attrs={"name": "mode"})]
    assert offered == ["9710-declaration", "9810-declaration"]
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
    assert ALIASES["启动"] == "启用"


@pytest.mark.item("M192")
def test_task_numbers_are_client_date_and_a_gapless_serial(exporter, company, run_jobs, clock_at):
    with clock_at(2026, 11, 21, 10, 0):
        for _ in range(2):
            exporter.open("/exports/tasks/new").submit(
                "导入", {"file": ("a.xlsx", workbook())}, client_number="ceshi111"
            )
        exporter.open("/exports/tasks/new").submit("导入", {"file": ("a.pdf", b"%PDF-1.7")}, client_number="ceshi111")
        assert "不是xlsx、csv格式" in exporter.main
        exporter.submit("导入", {"file": ("a.xlsx", workbook())}, client_number="ceshi111")
    exporter.open("/exports/tasks")
    assert [f"ceshi11120261121{n:03}" in exporter.main for n in (1, 2, 3, 4)] == [True, True, True, False]


@pytest.mark.parametrize("client_number", ["", "a b", "客户", "x" * 21])
def test_a_task_needs_a_client_number_and_a_file(exporter, client_number):
    exporter.open("/exports/tasks/new").submit("导入", client_number=client_number)
    assert len(exporter.errors) == 2 and "请选择要导入的文件" in exporter.main


@pytest.mark.item("M192")
def test_tasks_are_searched_by_number_order_strategy_client_and_state(exporter, run_jobs):
    exporter.open("/exports/tasks/new").submit("导入", {"file": ("a.xlsx", workbook())}, client_number="ceshi111")
    run_jobs()
    for query, count in (("scope=task&q=ceshi111", 1), ("scope=task&q=x", 0), ("scope=order&q=TYDH006", 1), ("scope=order&q=TYDH9", 0),
                         ("scope=strategy&q=美金", 1), ("scope=client&q=ceshi111", 1), ("state=draft", 1), ("state=failed", 0)):  # fmt: skip
        exporter.open(f"/exports/tasks?{query}")
        assert len(exporter.soup.select("tbody tr")) == count, query
    assert "没有查到" in exporter.main


@pytest.mark.item("M197")
def test_orders_are_searched_paged_and_counted_as_the_manual_words_it(exporter, run_jobs, strategy):
    rows = [(f"NO{n:03}", *ROWS[0][1:]) for n in range(23)]
    exporter.open("/exports/tasks/new").submit("导入", {"file": ("a.xlsx", workbook(rows))}, client_number="A1")
    run_jobs()
    exporter.open(exporter.url).follow("看数据详情").submit("生成申报数据")
    run_jobs()
    exporter.open("/exports/orders")
    assert "显示第 1 到第 10 条记录, 总共 23 条记录" in exporter.main
    exporter.follow("下一页").follow("下一页")
    assert "显示第 21 到第 23 条记录, 总共 23 条记录" in exporter.main
    numbers = [row.find_all("td")[1].get_text() for row in exporter.soup.select("tbody tr")]
    assert numbers == ["21", "22", "23"]
    exporter.open("/exports/orders?scope=order&q=NO00&size=50")
    assert len(exporter.soup.select("tbody tr")) == 10 and "总共 10 条记录" in exporter.main
    for query, count in (
        ("scope=task&q=A1", 10),
        ("scope=strategy&q=日元", 0),
        ("scope=client&q=A1&state=waiting", 10),
        ("state=success", 0),
    ):
        exporter.open(f"/exports/orders?{query}")
        assert len(exporter.soup.select("tbody tr")) == count, query
    heads = [
        "选",
        "序号",
        "任务编号",
        "订单编号",
        "贸易方式",
        "策略名称",
        "客户编号",
        "修改人",
        "操作时间",
        "状态",
        "操作",
    ]
    exporter.open("/exports/orders")
    assert [th.get_text() for th in exporter.soup.select("thead th")] == heads


def test_the_menu_shows_what_is_not_built_with_its_reason(exporter):
    exporter.open("/exports/tasks")
    menu = exporter.soup.find("nav", attrs={"aria-label": "业务菜单"}).get_text(" ", strip=True)
    for words in (
        "报关单模式申报管理",
        "基础数据导入",
        "数据申报管理",
        "系统参数维护",
        "客户资料维护 建设中",
        "企业资料维护",
        "业务策略维护",
    ):
        assert words in menu


def test_another_customs_code_of_the_same_company_sees_none_of_it(exporter, other_browser, run_jobs):
    exporter.open("/exports/tasks/new").submit("导入", {"file": ("a.xlsx", workbook())}, client_number="A1")
    run_jobs()
    task = exporter.open(exporter.url).follow("看数据详情").url
    company = find_enterprise(USCC)
    company.active_code = "1301960099"
    session.commit()
    user = make_user(
        "second", role="operator", enterprise=company, person=("王芳", "130100189902020024", "w@example.com")
    )
    log_in(other_browser, user).open(task)
    assert other_browser.status == 404
    assert "还没有申报任务" in other_browser.open("/exports/tasks").main


def test_a_company_that_is_not_verified_is_told_the_way(browser, app):
    company = make_enterprise("老用户公司", "91130100PDY000036B", origin="migrated", code="1301960003")
    log_in(browser, make_user("old", enterprise=company)).open("/exports/tasks")
    assert browser.status == 403 and "请先完成单位实名认证" in browser.main


def test_two_strategies_may_share_a_profile(profile, company):
    make_strategy(profile, "9710")
    make_strategy(profile, "9710-jpy", currency="116")
    assert len(strategies_of(company.id, CODE)) == 2
