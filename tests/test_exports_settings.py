"""企业资料 and 申报任务 as forms: what is chosen and never typed, what is cleaned, what is refused."""

from datetime import timedelta

import pytest

from blueprints.common import clock
from blueprints.exports import channels
from models.accounts import User, find_enterprise
from models.channels import find_settings
from models.database import session
from models.exports import profiles_of
from tests.browsing import ORIGIN
from tests.conftest import USCC, log_in, make_enterprise, make_user
from tests.exports_world import CODE, DXP, ROWS, make_profile, many, workbook

pytest_plugins = ["tests.exports_fixtures"]


@pytest.fixture
def clerk(browser, administrator):
    """Of a company that has set up nothing yet."""
    return log_in(browser, administrator)


@pytest.mark.item("M186", "M188")
def test_a_profile_is_made_by_choosing_what_the_company_holds(clerk, granted, company):
    clerk.open("/exports/profiles").follow("创建境内企业资料")
    assert "只填红框部分！！！" in clerk.main and "通道：分中心告诉您要改的才填" in clerk.main
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


@pytest.mark.item("M192")
def test_task_numbers_are_client_date_and_a_gapless_serial(exporter, company, run_jobs, clock_at):
    with clock_at(2026, 11, 21, 10, 0):
        for n in range(2):
            exporter.open("/exports/tasks/new").submit(
                "导入", {"file": ("a.xlsx", workbook(many(1, f"N{n}")))}, client_number="ceshi111"
            )
        exporter.open("/exports/tasks/new").submit("导入", {"file": ("a.pdf", b"%PDF-1.7")}, client_number="ceshi111")
        assert "不是xlsx、csv格式" in exporter.main
        exporter.submit("导入", {"file": ("a.xlsx", workbook(many(1, "M")))}, client_number="ceshi111")
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


@pytest.mark.item("M183")
def test_the_menu_leads_to_all_of_both_groups(exporter):
    exporter.open("/exports/tasks")
    menu = exporter.soup.find("nav", attrs={"aria-label": "业务菜单"}).get_text(" ", strip=True)
    for words in (
        "报关单模式申报管理",
        "基础数据导入",
        "数据申报管理",
        "系统参数维护",
        "客户资料维护",
        "企业资料维护",
        "业务策略维护",
    ):
        assert words in menu
    assert "建设中" not in menu and exporter.follow("客户资料维护").number == "8004"


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


# -- channels and signers of 企业资料

HTTP = channels.Host("centre-http", "数据分中心HTTP通道", "http", "http://127.0.0.1:9/customs-line")
SIGNING = channels.Host("centre", "数据中心加签服务（云签）", "service", "http://127.0.0.1:9/signing")


@pytest.fixture
def hosts(monkeypatch):
    """The operator offers one channel and one signer; nobody listens there."""
    monkeypatch.setattr(channels, "channel_hosts", lambda: {HTTP.code: HTTP})
    monkeypatch.setattr(channels, "signer_hosts", lambda: {SIGNING.code: SIGNING})


@pytest.fixture
def signing(clerk, granted, company, hosts):
    """A 企业资料 that signs with the data centre's service was just made."""
    clerk.open("/exports/profiles/new")
    clerk.submit("保存", signer="centre", sign_user="liming", sign_password="geheim-1")
    return profiles_of(company.id)[0]


@pytest.mark.item("M186")
def test_hosts_are_chosen_from_the_operators_list_and_passwords_are_never_shown_again(clerk, signing, company):
    kept = find_settings(signing.id)
    assert (kept.signer, kept.accounts["sign_user"], kept.accounts["sign_password"]) == ("centre", "liming", "geheim-1")
    assert b"geheim-1" not in kept.accounts_sealed
    clerk.follow("修改示例外贸")
    assert clerk.value("sign_user") == "liming" and clerk.value("sign_password") == ""
    assert "geheim-1" not in str(clerk.soup) and clerk.main.count("已经设好，不改就空着") == 1
    clerk.submit("保存", remark="甲")
    assert find_settings(signing.id).accounts["sign_password"] == "geheim-1"
    clerk.follow("修改示例外贸").submit("保存", sign_password="neu-2")
    assert find_settings(signing.id).accounts["sign_password"] == "neu-2"


def test_a_host_that_is_typed_is_refused(clerk, granted, company, hosts):
    clerk.open("/exports/profiles/new")
    clerk.submit("保存", send_host="http://169.254.169.254/", send_user="x", send_password="y")
    assert any("发送通道地址" in line for line in clerk.errors) and not profiles_of(company.id)


@pytest.mark.parametrize(("typed", "words"), [
    ({"signer": "centre", "sign_password": "x"}, "还要填加签用户名"),
    ({"signer": "centre", "sign_user": "x"}, "还要填加签密码"),
    ({"receive_host": "centre-http", "receive_user": "x"}, "还要填接收通道密码"),
    ({"sign_password": "x" * 101}, "密码最多100个字"),
    ({"sign_user": "x" * 61}, "最多60个字"),
])  # fmt: skip
def test_half_a_channel_is_not_kept(clerk, granted, company, hosts, typed, words):
    clerk.open("/exports/profiles/new").submit("保存", **typed)
    assert any(words in line for line in clerk.errors) and not profiles_of(company.id)


@pytest.mark.item("M187")
def test_spaces_in_every_field_of_a_channel_are_taken_out(clerk, granted, company, hosts):
    clerk.open("/exports/profiles/new")
    clerk.submit("保存", signer="centre", sign_user="li\u3000ming ", sign_password=" geheim-1\u3000")
    assert "已经替您去掉了「加签用户名」「加签密码」里的空格" in clerk.text
    accounts = find_settings(profiles_of(company.id)[0].id).accounts
    assert (accounts["sign_user"], accounts["sign_password"]) == ("liming", "geheim-1")


def test_after_a_recovery_channels_stay_and_the_rest_is_saved(clerk, administrator, signing, company):
    user = session.get(User, administrator.id)
    user.guarded_until = clock.now() + timedelta(hours=72)
    session.commit()
    clerk.open(f"/exports/profiles/{signing.id}").submit("保存", sign_password="gestohlen")
    assert "账号刚找回过" in clerk.main
    assert find_settings(signing.id).accounts["sign_password"] == "geheim-1"
    clerk.open(f"/exports/profiles/{signing.id}").submit("保存", remark="甲")
    assert profiles_of(company.id)[0].remark == "甲"


def test_a_host_that_left_the_list_is_told(clerk, signing, monkeypatch):
    monkeypatch.setattr(channels, "signer_hosts", dict)
    clerk.open(f"/exports/profiles/{signing.id}")
    assert "已经不在本地区的名单里，请重新选" in clerk.main


@pytest.mark.item("M188")
def test_one_press_ticks_all_three_and_saves_nothing(clerk, granted, company):
    clerk.open("/exports/profiles/new").submit("3项都勾选", types=["logistics"], remark="甲乙")
    ticked = [node["value"] for node in clerk.soup.select("input[name=types][checked]")]
    assert ticked == ["declarant", "platform", "seller"] and clerk.value("remark") == "甲乙"
    assert not clerk.errors and not profiles_of(company.id)


def test_the_channel_is_tested_by_a_button_and_not_too_often(clerk, profile, signing):
    clerk.open(f"/exports/profiles/{profile.id}").submit("测试通道")
    assert (clerk.number, clerk.status) == ("8008", 200) and "测试通过" in clerk.main
    clerk.open(f"/exports/profiles/{signing.id}").submit("测试通道")
    assert "连不上或没有答复" in clerk.main and "报错误编号" in clerk.main
    for _ in range(9):
        clerk.submit("再测一次")
    assert "测得太勤了" in clerk.main


def test_a_warehouse_has_no_channel_and_a_company_is_no_warehouse(clerk, profile, company):
    warehouse = make_profile(company, "洛杉矶仓", code="", dxp_id="")
    warehouse.kind, warehouse.types = "warehouse", ["warehouse"]
    session.commit()
    clerk.open(f"/exports/profiles/{profile.id}").submit("测试通道")
    for url in (f"/exports/profiles/{warehouse.id}/test", f"/exports/profiles/{warehouse.id}"):
        assert post(clerk, url).status_code == 404
    assert post(clerk, f"/exports/warehouses/{profile.id}", name="x", address="y").status_code == 404
    assert clerk.open(f"/exports/warehouses/{profile.id}").status == 404


def post(clerk, url, **data):
    """As an own page would, with its token."""
    token = clerk.soup.find(attrs={"name": "csrf_token"})["value"]
    return clerk.client.post(url, base_url=ORIGIN, data=data | {"csrf_token": token})
