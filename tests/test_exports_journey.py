"""The way of an exporter through the pages: settings, task, import, mending, messages, card, customs' answer."""

import pytest

from models.database import session
from tests.card_bridge_double import issue
from tests.conftest import log_in
from tests.exports_world import ROWS, Customs, sign_batch, workbook

pytest_plugins = ["tests.card_fixtures", "tests.exports_fixtures"]
BAD = (ROWS[0], (*ROWS[1][:6], "个个"), (*ROWS[2][:4], "26", *ROWS[2][5:]))


def make_task(exporter, run_jobs, rows=ROWS):
    exporter.open("/exports/tasks").follow("创建申报任务")
    exporter.submit("导入", {"file": ("orders.xlsx", workbook(rows))}, client_number="ceshi111")
    run_jobs()
    return exporter.open(exporter.url)


@pytest.mark.item("M182", "M183", "M192", "M193", "M195", "M196", "M197", "M198", "M204", "M205")
def test_an_exporter_imports_generates_signs_and_sees_the_orders_at_customs(exporter, run_jobs, card, clock_at):
    with clock_at(2026, 11, 21, 10, 0):
        make_task(exporter, run_jobs)
        assert "3单已经存好" in exporter.main
        exporter.follow("看数据详情")
        assert "ceshi11120261121001" in exporter.main and "微马力摩托车及脚踏两用车" in exporter.main
    exporter.submit("生成申报数据")
    run_jobs()
    exporter.open(exporter.url).follow("一单一单地看")
    assert exporter.main.count("待推送") == 3 + 1  # rows, and the choice in the search line
    exporter.submit("推送查到的全部 3 条")
    assert exporter.h1 == "请用电子口岸卡确认"
    sign_batch(exporter, card)
    assert exporter.h1.startswith("推送进度")
    run_jobs()
    exporter.open("/exports/orders")
    assert exporter.main.count("申报中") >= 3
    with Customs(exporter) as customs:
        customs.hear(*[(guid, 120, "20261121103200000") for guid, _ in customs.orders_sent()])
    exporter.open("/exports/orders")
    assert exporter.main.count("成功") >= 3
    exporter.open("/trade_queries/orders/open")
    assert "TYDH005" in exporter.main and "海关入库" in exporter.main
    exporter.follow("看经过TYDH005")
    for stage in ("导入", "生成申报数据", "用卡签名", "发送海关", "海关入库（120）"):
        assert stage in exporter.main
    exporter.open("/exports/orders").submit("推送TYDH005")
    assert "订单TYDH005已推送成功，不会重复申报" in exporter.main


def test_while_a_file_is_read_the_task_says_so_and_makes_no_data_of_half_of_it(exporter, run_jobs):
    exporter.open("/exports/tasks").follow("创建申报任务")
    exporter.submit("导入", {"file": ("orders.xlsx", workbook())}, client_number="ceshi111")
    result = exporter.url
    exporter.open("/exports/tasks").follow("查看")
    task = exporter.url
    assert "正在导入，已经存好0单" in exporter.main and not exporter.can_press("生成申报数据")
    run_jobs()
    exporter.open(task)
    assert "已存好3单，轮到您了" in exporter.main and exporter.can_press("生成申报数据")
    assert exporter.open(result).main


@pytest.mark.item("M202")
def test_wrong_rows_are_told_and_mended_by_a_second_upload(exporter, run_jobs):
    make_task(exporter, run_jobs, BAD)
    assert "1单已经存好" in exporter.main and "有2行要改" in exporter.main
    assert "没有这个计量单位" in exporter.main and "单价×数量不等于总额" in exporter.main
    exporter.follow("补充导入")
    exporter.submit("导入", {"file": ("orders.xlsx", workbook())})
    run_jobs()
    exporter.open(exporter.url)
    assert "2单已经存好，1单本来就有、没有变" in exporter.main
    exporter.follow("看数据详情")
    assert "已存好3单" in exporter.main


def test_the_wrong_rows_wait_on_the_member_home(exporter, run_jobs):
    make_task(exporter, run_jobs, BAD)
    exporter.open("/member")
    assert "有2行要改" in exporter.main


def test_a_card_of_another_company_signs_nothing(exporter, run_jobs, issuer):
    make_task(exporter, run_jobs).follow("看数据详情")
    exporter.submit("生成申报数据")
    run_jobs()
    exporter.open("/exports/orders").submit("推送查到的全部")
    sign_batch(exporter, issue(issuer, uscc="91130100PDY000028G"))
    assert "别家（石家庄）有限公司" in exporter.main and "不能签本单位的订单" in exporter.main
    exporter.open("/exports/orders")
    assert exporter.main.count("待推送") == 4


def test_an_order_cannot_be_deleted_once_pushed_but_a_waiting_one_can(exporter, run_jobs, card):
    make_task(exporter, run_jobs).follow("看数据详情")
    exporter.submit("生成申报数据")
    run_jobs()
    exporter.open("/exports/orders").submit("删除TYDH006")
    assert exporter.h1 == "删除订单"
    exporter.submit("删除")
    assert "已删除1单" in exporter.main and "TYDH006" not in exporter.main
    exporter.submit("推送查到的全部 2 条")
    sign_batch(exporter, card)
    exporter.open("/exports/orders").submit("删除TYDH005").submit("删除")
    assert "已删除0单。另有1单已经推送，没有删。" in exporter.main


def test_pushing_some_orders_declares_only_those(exporter, run_jobs, card):
    make_task(exporter, run_jobs).follow("看数据详情")
    exporter.submit("生成申报数据")
    run_jobs()
    exporter.open("/exports/orders").submit("推送TYDH006")
    sign_batch(exporter, card)
    run_jobs()
    with Customs(exporter) as customs:
        assert [number for _, number in customs.orders_sent()] == ["TYDH006"]
    exporter.open("/exports/orders?state=waiting")
    assert "TYDH005" in exporter.main and "TYDH007" in exporter.main and "TYDH006" not in exporter.main


def test_a_task_is_deleted_with_its_orders(exporter, run_jobs):
    make_task(exporter, run_jobs).follow("看数据详情").follow("删除")
    exporter.submit("删除")
    assert "已删除" in exporter.main
    make_task(exporter, run_jobs)
    assert "3单已经存好" in exporter.main


def test_interrupted_signing_goes_on_with_what_is_left(exporter, run_jobs, card):
    make_task(exporter, run_jobs).follow("看数据详情")
    exporter.submit("生成申报数据")
    run_jobs()
    exporter.open("/exports/orders").submit("推送查到的全部")
    exporter.open("/exports/orders")
    exporter.follow("看推送进度")
    assert "还有1份报文没有签名" in exporter.main
    exporter.submit("接着用卡签名")
    sign_batch(exporter, card)
    exporter.open(exporter.url)
    assert "都签好了，等海关回执" in exporter.main


@pytest.fixture
def stranger(other_browser, app):
    from tests.conftest import make_enterprise, make_user

    other = make_enterprise("别家（石家庄）有限公司", "91130100PDY000028G", code="1301960002")
    return log_in(
        other_browser, make_user("stranger", enterprise=other, person=("王芳", "130100189902020024", "w@example.com"))
    )


def test_another_companys_task_order_import_push_and_profile_are_not_found(
    exporter, stranger, run_jobs, strategy, profile
):
    make_task(exporter, run_jobs)
    imported = exporter.url
    exporter.follow("看数据详情")
    task = exporter.url
    exporter.submit("生成申报数据")
    run_jobs()
    exporter.open("/exports/orders")
    order = exporter.soup.find("input", attrs={"name": "order"})["value"]
    exporter.submit("推送查到的全部")
    exporter.open("/exports/orders").follow("看推送进度")
    push = exporter.url
    for url in (
        imported,
        f"{imported}/report",
        task,
        f"{task}/more",
        f"{task}/delete",
        push,
        f"/trade_queries/orders/{order}",
        f"/exports/profiles/{profile.id}",
        f"/exports/warehouses/{profile.id}",
        f"/exports/strategies/{strategy.id}",
    ):
        stranger.open(url)
        assert stranger.status == 404, url
    stranger.open("/exports/profiles/new")
    token = {"csrf_token": stranger.value("csrf_token")}
    for url, data in (
        (f"{task}/generate", {}),
        (f"{task}/delete", {}),
        (f"{task}/more", {}),
        (f"{imported}/cancel", {}),
        (f"{push}/sign", {}),
        ("/exports/orders", {"go": f"push:{order}"}),
        ("/exports/orders", {"go": f"delete:{order}"}),
        ("/exports/orders/delete", {"order": order}),
        (f"/exports/strategies/{strategy.id}/switch", {}),
        (f"/exports/profiles/{profile.id}", {}),
        (f"/exports/warehouses/{profile.id}", {}),
        (f"/exports/strategies/{strategy.id}", {}),
    ):
        answer = stranger.client.post(url, data=token | data, base_url="http://127.0.0.1:8080")
        assert answer.status_code == 404, url
    stranger.open("/exports/orders")
    assert "TYDH005" not in stranger.text
    session.expire_all()
