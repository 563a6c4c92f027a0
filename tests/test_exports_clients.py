"""客户资料维护: kept encrypted, found again, switched off, offered where a task is made; hostile input at each door."""

import pytest
from sqlalchemy import text

from blueprints.common import clock
from models.database import session
from models.export_clients import ExportClient, client_numbered, clients_query, page_of_clients
from tests.browsing import ORIGIN
from tests.conftest import log_in, make_enterprise, make_user
from tests.exports_world import CODE, workbook

pytest_plugins = ["tests.exports_fixtures"]

GOOD = {
    "number": "ceshi111", "name": "示例客户有限公司", "contact": "王芳", "phone": "0571-95198000",
    "email": "wf@example.com", "address": "杭州市1号", "remark": "",
}  # fmt: skip


@pytest.fixture
def clerk(browser, administrator):
    return log_in(browser, administrator)


def make_client(company, number="ceshi111", code=CODE, phone="13800138000", **values) -> ExportClient:
    row = ExportClient(
        enterprise_id=company.id, customs_code=code, number=number, created_at=clock.now(), created_by="李明",
        changed_at=clock.now(), changed_by="李明", **{"name": f"客户{number}"} | values,
    )  # fmt: skip
    row.keep_person({"contact": "王芳", "phone": phone, "email": "", "address": ""})
    session.add(row)
    session.commit()
    return row


def shown(browser) -> list[str]:
    return [row.find_all("td")[1].get_text() for row in browser.soup.select("tbody tr")]


@pytest.mark.item("M184")
def test_a_client_is_made_listed_and_changed(clerk, company):
    clerk.open("/exports/clients")
    assert "请选择搜索范围后输入对应的查询内容" in clerk.main and "还没有客户资料" in clerk.main
    assert clerk.follow("新建客户").number == "8007"
    clerk.submit("保存", **GOOD)
    heads = [th.get_text() for th in clerk.soup.select("thead th")]
    assert heads == ["序号", "客户编号", "客户名称", "联系人", "联系电话", "状态", "修改人", "操作"]
    cells = [cell.get_text() for cell in clerk.soup.select("tbody td")]
    assert cells[:7] == ["1", "ceshi111", "示例客户有限公司", "王芳", "0571-95198000", "启用", "demo01"]
    clerk.follow("ceshi111").submit("保存", contact="李四")
    client = client_numbered(company.id, CODE, "ceshi111")
    assert (client.person["contact"], client.person["email"]) == ("李四", "wf@example.com")


def test_what_is_personal_is_not_readable_in_the_database(clerk):
    clerk.open("/exports/clients/new").submit("保存", **GOOD)
    row = session.execute(text("SELECT * FROM export_clients")).one()
    stored = " ".join(bytes(v).decode("latin-1") if isinstance(v, bytes | memoryview) else str(v) for v in row)
    events = str(session.execute(text("SELECT act, subject, details FROM events")).all())
    assert "示例客户有限公司" in stored
    for secret in ("王芳", "95198000", "wf@example.com", "杭州市1号"):
        assert secret not in stored and secret.encode().decode("latin-1") not in stored and secret not in events


@pytest.mark.item("M184")
def test_clients_are_searched_by_number_name_telephone_state_and_period(clerk, company):
    make_client(company, "A1", name="甲公司", phone="0571-95198000")
    make_client(company, "B2", name="乙公司", is_enabled=False)
    for query, found in (
        ("", ["B2", "A1"]), ("scope=number&q=A", ["A1"]), ("scope=name&q=乙", ["B2"]), ("scope=name&q=%25", []),
        ("scope=phone&q=057195198000", ["A1"]), ("scope=phone&q=0571－95198000", ["A1"]),
        ("scope=phone&q=0571 9519 8000", ["A1"]), ("scope=phone&q=95198", []), ("scope=phone&q=王芳", []),
        ("state=enabled", ["A1"]), ("state=disabled", ["B2"]), ("from=20200101&to=20200102", []),
        ("from=20200101", ["B2", "A1"]), ("scope=person&q=x", []),
    ):  # fmt: skip
        assert shown(clerk.open(f"/exports/clients?{query}")) == found, query
    assert "日期要写8位数字" in clerk.open("/exports/clients?from=2026-13-77").main


@pytest.mark.parametrize("page", ["clients", "profiles", "strategies"])
@pytest.mark.parametrize("scope", ["number", "name", "phone", "dxp_id"])
@pytest.mark.parametrize("typed", ["x%00y", "%27%20OR%201%3D1--", "%5C", "_", "%F0%9F%92%A9"])
def test_a_search_for_anything_finds_nothing_and_breaks_nothing(clerk, company, page, scope, typed):
    make_client(company)
    assert clerk.open(f"/exports/{page}?scope={scope}&q={typed}").status == 200 and not shown(clerk)


def test_many_clients_come_in_pages(clerk, company):
    for n in range(23):
        make_client(company, f"K{n:02}")
    clerk.open("/exports/clients")
    assert "显示第 1 到第 10 条记录, 总共 23 条记录" in clerk.main and shown(clerk)[0] == "K22"
    clerk.follow("下一页").follow("下一页")
    assert shown(clerk) == ["K02", "K01", "K00"] and "显示第 21 到第 23 条记录, 总共 23 条记录" in clerk.main
    assert shown(clerk.follow("回第一页"))[0] == "K22"


@pytest.mark.parametrize("cursor", ["x", "1|2|3", f"0|2026-01-01|{'0' * 32}", f"0|0001-01-01T00:00:00|{'0' * 32}",
                                    f"0|9999-12-31T23:59:59-14:00|{'0' * 32}", f"{'9' * 5000}|2026-01-01|x"])  # fmt: skip
@pytest.mark.parametrize("page", ["clients", "tasks"])
def test_a_cursor_that_somebody_made_up_breaks_nothing(clerk, company, page, cursor):
    make_client(company)
    assert clerk.open(f"/exports/{page}?after={cursor}").status == 200


@pytest.mark.parametrize(("typed", "words"), [
    ({"number": "客户1"}, "只能用字母和数字"),
    ({"number": "x" * 21}, "最多20位"),
    ({"number": "../../etc"}, "只能用字母和数字"),
    ({"name": ""}, "请填写「客户名称」"),
    ({"name": "x" * 101}, "最多100个字"),
    ({"name": "a\x00b"}, "看不见的控制字符"),
    ({"uscc": "123"}, "统一社会信用代码要18位"),
    ({"contact": " "}, "请填写「联系人」"),
    ({"phone": "abc"}, "电话或传真只写数字和短横线"),
    ({"phone": ""}, "请填写「联系电话」"),
    ({"email": "x"}, "E-mail的格式不对"),
    ({"is_enabled": "maybe"}, "请重新选择"),
])  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_kept(clerk, company, typed, words):
    clerk.open("/exports/clients/new").submit("保存", **GOOD | typed)
    assert len(clerk.errors) == 1 and words in clerk.main
    assert not page_of_clients(clients_query(company.id, CODE), None, 9)
    if "contact" not in typed:
        assert clerk.value("contact") == "王芳"


def test_markup_in_a_name_stays_text(clerk):
    clerk.open("/exports/clients/new").submit("保存", **GOOD | {"name": "<script>alert(1)</script>"})
    assert "<script>alert(1)</script>" in clerk.main and not clerk.soup.select("tbody script")


def test_a_number_is_used_once_in_any_case_and_may_stay_at_its_own_client(clerk, company):
    make_client(company, "ceshi111")
    clerk.open("/exports/clients/new").submit("保存", **GOOD | {"number": "CESHI111"})
    assert "客户编号「ceshi111」已经用过" in clerk.main
    clerk.open("/exports/clients").follow("ceshi111").submit("保存", number="CeShi111")
    assert client_numbered(company.id, CODE, "ceshi111").number == "CeShi111"
    make_client(company, "ceshi111", code="1301960099")  # under another code it is another client


def test_a_client_is_switched_off_and_on_again(clerk, company):
    make_client(company)
    clerk.open("/exports/clients").submit("停用")
    assert "客户「ceshi111」已停用" in clerk.text and shown(clerk.open("/exports/clients?state=disabled")) == [
        "ceshi111"
    ]
    clerk.submit("启用")
    assert client_numbered(company.id, CODE, "ceshi111").is_enabled


def test_clients_of_another_company_and_of_another_code_are_not_there(clerk, company):
    other = make_enterprise("别家公司", "91130100PDY000028G", code="1301960002")
    theirs, elsewhere = make_client(other, code="1301960002"), make_client(company, code="1301960099")
    assert shown(clerk.open("/exports/clients")) == []
    make_client(company, "A1")
    clerk.open("/exports/clients")
    token = clerk.soup.find(attrs={"name": "csrf_token"})["value"]
    for row in (theirs, elsewhere):
        assert clerk.open(f"/exports/clients/{row.id}").status == 404
        for act in ("", "/switch"):
            answer = clerk.client.post(f"/exports/clients/{row.id}{act}", base_url=ORIGIN, data={"csrf_token": token})
            assert answer.status_code == 404
    assert session.get(ExportClient, theirs.id).is_enabled


def test_an_operator_who_may_only_look_changes_nothing(browser, company):
    client = make_client(company)
    user = make_user("looker", role="operator", enterprise=company, rights={"exports": 1},
                     person=("王芳", "130100189902020024", "w@example.com"))  # fmt: skip
    log_in(browser, user).open("/exports/clients")
    assert shown(browser) == ["ceshi111"] and not browser.can_press("停用") and "新建客户" not in browser.main
    browser.follow("ceshi111")
    assert not browser.can_press("保存")
    token = browser.client.get("/frame/language/zh", base_url=ORIGIN) and browser.soup.find(
        attrs={"name": "csrf_token"}
    )
    data = GOOD | {"is_enabled": "yes", "csrf_token": token["value"]}
    for url in ("/exports/clients/new", f"/exports/clients/{client.id}", f"/exports/clients/{client.id}/switch"):
        assert browser.client.post(url, base_url=ORIGIN, data=data).status_code == 403


# -- where a task is made


@pytest.mark.item("M192")
def test_a_task_offers_the_clients_that_are_on_beside_typing_a_number(exporter, company):
    make_client(company, "A1", name="甲公司")
    make_client(company, "B2", is_enabled=False)
    exporter.open("/exports/tasks/new")
    offered = exporter.soup.select("datalist#clients option")
    assert [(one["value"], one.get_text()) for one in offered] == [("A1", "甲公司")]
    assert exporter.soup.find("input", attrs={"name": "client_number"})["list"] == "clients"
    exporter.submit("导入", {"file": ("a.xlsx", workbook())}, client_number="b2")
    assert "客户B2已停用" in exporter.main
    exporter.submit("导入", {"file": ("a.xlsx", workbook())}, client_number="neu3")
    assert "NEU3".lower() in exporter.open("/exports/tasks").main
