"""报关单: from pushed orders to the import client's zip and back; what is not the same as the order is never handed over."""

import io
import re
import zipfile
from datetime import date

import pytest
from sqlalchemy import select

from blueprints.common import clock
from blueprints.declarations import goods, handing, making, tables, twin
from gateways.customs_dxp import declaration as wire
from models import declarations
from models.accounts import User, find_enterprise
from models.agreements import APPROVED, SENT, Agreement
from models.channels import ProfileChannel
from models.database import session
from models.declarations import Declaration, DeclarationAnswer, DeclaredOrder
from models.exports import Strategy
from models.orders import Order
from tests.conftest import USCC, log_in, make_enterprise, make_user
from tests.exports_world import CODE, Trade, many, workbook
from tests.gateways.test_declaration import response, status

pytest_plugins = ["tests.card_fixtures", "tests.exports_fixtures", "tests.outside_fixtures"]
SEQ = "E20260000000000001"
HEAD = {
    "customs": "0401", "port": "0202", "exit_port": "天津", "trade_country": "美国", "arrival_country": "USA",
    "destination_port": "USA000", "final_country": "USA", "district": "13019", "origin_place": "130100", "traffic": "2",
    "packs": "3", "wrap": "22", "gross": "12.5", "net": "10", "marks": "N/M", "trans_mode": "3", "cut_mode": "101",
    "consignee": "ACME & CO", "inputer": "李明",
}  # fmt: skip


def agree(company, district="石家庄海关", state=APPROVED, code=CODE) -> Agreement:
    row = Agreement(enterprise_id=company.id, customs_code=code, district=district, state=state, signed_at=clock.now(),
                    valid_to=date(2099, 12, 31))  # fmt: skip
    session.add(row)
    session.commit()
    return row


@pytest.fixture
def agreed(company):
    return agree(company)


@pytest.fixture
def pushed(app, administrator, strategy, card):
    """Three orders that customs has taken."""
    return declare(app, card)


def declare(app, card, book=None):
    """Orders of the company, pushed, and taken by customs; in a context of its own, so that no request shares its `g`."""
    with app.app_context():
        trade = make_trade(app)
        trade.read(book or workbook())
        trade.generate()
        trade.send(trade.push(card))
        return take(trade)


def make_trade(app) -> Trade:
    company = ours()
    user = session.scalar(select(User).where(User.enterprise_id == company.id, User.role == "administrator"))
    return Trade(app, user, company, session.scalar(select(Strategy)))


def ours():
    return find_enterprise(USCC)


def take(trade):
    rows = [row.Order for row in trade.rows().values()]
    return trade.hear(*[(row, 120, "20261121103200000") for row in rows])


@pytest.fixture
def declarant(browser, administrator, agreed, pushed):
    return log_in(browser, administrator)


def choose(browser, *numbers):
    browser.open("/declarations/").follow("新建报关单")
    ids = {row.order_no: str(row.id) for row in session.scalars(select(Order).where(Order.app_type == 1))}
    return browser.submit("做报关单", order=[ids[number] for number in numbers])


def fill(browser, numbers=("TYDH005",), model="0|3|品牌", **typed):
    """To page 8205; `typed` are cells of the goods."""
    choose(browser, *numbers).submit("保存，填商品", **HEAD)
    assert browser.number == "8204", browser.main[:400]
    count = len(browser.soup.select("input[id$='-model']"))
    return browser.submit("保存，去核对", **{f"cell-{n}-model": model for n in range(1, count + 1)} | typed)


def made(browser, **options) -> Declaration:
    fill(browser, **options).submit("生成报关单")
    assert browser.number == "8206", browser.main[:400]
    return newest()


def newest() -> Declaration:
    session.expire_all()
    return session.scalar(select(Declaration).order_by(Declaration.created_at.desc()).limit(1))


def open_folder(browser):
    browser.open("/declarations/folder").submit("打开文件夹")


def answer(app, row, name: str, data: bytes):
    """The import client writes into InBox; the worker's loop looks."""
    with app.app_context():
        box = handing.folder_root(row.enterprise_id) / "InBox"
        box.mkdir(parents=True, exist_ok=True)
        (box / name).write_bytes(data)
        handing.poll_answers()
    session.expire_all()


# -- the whole way


@pytest.mark.item("M203")
def test_a_declaration_is_made_from_an_order_handed_over_and_released(declarant, app):
    open_folder(declarant)
    fill(declarant, numbers=("TYDH005", "TYDH006"))
    assert "内容、顺序、小数和单位都和订单一样" in declarant.main
    declarant.submit("生成报关单")
    row = newest()
    content = row.content  # of the row now; later requests take it out of the session
    message = wire.read(content)
    assert (message.head["TradeMode"], message.head["CutMode"], message.head["EntyPortCode"]) == (
        "9710",
        "101",
        "120001",
    )
    assert [(line["GNo"], line["CodeTS"], line["GQty"], line["GUnit"], line["TradeCurr"]) for line in message.lines] == [
        ("1", "8711100010", "10", "011", "USD"), ("2", "8135000000", "10", "011", "USD")]  # fmt: skip
    assert (message.lines[0]["OriginCountry"], message.lines[0]["DestinationCountry"]) == ("USA", "CHN")
    assert [(paper["EdocCode"], paper["EdocID"]) for paper in message.papers] == [
        ("10000004", "TYDH005"), ("10000004", "TYDH006")]  # fmt: skip
    declarant.submit("放入导入客户端")
    assert "已放入导入客户端" in declarant.text
    (path,) = (handing_folder(app, row) / "OutBox").iterdir()
    with zipfile.ZipFile(path) as archive:
        assert path.name == f"{row.number}.zip" and archive.read(f"{row.number}.xml") == content
    answer(app, row, f"Successed_{row.number}_1.xml", response(number=row.number, seq_no=SEQ))
    answer(app, row, "Receipt_1.xml", status("L", entry_id=""))
    assert (newest().state, newest().seq_no) == ("taken", SEQ)
    answer(app, row, "Receipt_2.xml", status("R", time="2026-11-22T08:00:00"))
    declarant.open(f"/declarations/{row.id}")
    assert "已放行" in declarant.main and "已结关" in declarant.main and "040120260000000001" in declarant.main


def handing_folder(app, row):
    with app.app_context():
        return handing.folder_root(row.enterprise_id)


@pytest.mark.item("M203")
def test_the_zip_is_downloaded_and_the_answer_read_from_a_file(declarant):
    row = made(declarant)
    page, content = declarant.url, row.content
    declarant.submit("下载导入文件")
    assert declarant.response.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(declarant.response.data)) as archive:
        assert archive.read(f"{row.number}.xml") == content
    assert newest().state == "handed"
    own = response(number=row.number, seq_no=SEQ)
    declarant.open(page).submit("读回执", {"file": ("Successed_1.xml", own)})
    assert newest().state == "taken" and "导入成功" in declarant.main


# -- 三方协议


@pytest.mark.item("M140", "M145")
@pytest.mark.parametrize("having", [None, {"state": SENT}, {"district": "天津海关"}, {"code": "1301960011"}])
def test_without_an_agreement_of_the_district_it_is_refused_and_leads_to_it(browser, administrator, pushed, having):
    if having:
        agree(ours(), **having)
    agree(ours(), "北京海关")
    log_in(browser, administrator)
    choose(browser, "TYDH005").submit("保存，填商品", **HEAD)
    assert browser.number == "8203" and any("通关无纸化三方协议不存在" in line for line in browser.errors)
    assert browser.value("consignee") == "ACME & CO", "what was typed is kept"
    assert browser.follow("去签约").number == "6201"


def test_without_any_agreement_the_whole_area_says_why(browser, administrator, pushed):
    log_in(browser, administrator).open("/declarations/new")
    assert browser.status == 403 and "通关无纸化三方协议不存在" in browser.main
    assert browser.follow("去签约").number == "6201"


def test_an_agreement_that_ends_before_it_is_made_stops_it(declarant):
    fill(declarant)
    session.scalar(select(Agreement)).state = "ended"
    agree(ours(), "北京海关")
    declarant.submit("生成报关单")
    assert newest().state == "draft" and "通关无纸化三方协议不存在" in declarant.main


# -- 逐行核对


@pytest.mark.item("M194", "M203")
@pytest.mark.parametrize(("cell", "value", "why"), [
    ("name", "微马力摩托车", "内容不一样"), ("qty", "11", "数值不一样"), ("unit", "035", "数值不一样"),
    ("price", "2.50001", "小数位数不一样"), ("total", "26", "数值不一样"), ("code_ts", "8711100011", "数值不一样"),
    ("name", "微马力摩托车及脚踏 两用车", "只差空格"),
])  # fmt: skip
def test_what_differs_from_the_order_is_shown_with_its_reason_and_not_made(declarant, cell, value, why):
    fill(declarant, **{f"cell-1-{cell}": value})
    assert declarant.number == "8205" and why in declarant.main and "海关比对会退回" in declarant.main
    assert not declarant.can_press("生成报关单")
    token = declarant.soup.find("input", attrs={"name": "csrf_token"})["value"]
    declarant._request("POST", f"/declarations/{newest().id}/compare", data={"csrf_token": token})
    assert newest().state == "draft" and newest().content is None


def test_25_and_25_00_are_the_same_amount(declarant):
    fill(declarant, **{"cell-1-total": "25.00", "cell-1-qty": "10.0"})
    assert declarant.can_press("生成报关单")


@pytest.mark.item("M194", "M203")
def test_lines_in_another_order_differ(pushed):
    orders = sorted(session.scalars(select(Order)), key=lambda order: order.place)
    strategy = session.scalar(select(Strategy))
    lines = [line for order in orders for line in goods.lines_of(order)]
    swapped = wire.Declaration(
        {"TradeMode": "9710", "TradeCode": CODE, "TradeName": strategy.seller.name},
        [{"CodeTS": line["code_ts"], "GName": line["name"], "GQty": "10", "GUnit": "011", "DeclPrice": "2.5",
          "DeclTotal": "25", "TradeCurr": "USD"} for line in lines[::-1]],
        [{"EdocID": order.order_no, "EdocCode": wire.ORDER_PAPER} for order in orders], {},
    )  # fmt: skip
    wrong = [(pair.place, pair.title) for pair in twin.compare(strategy, orders, swapped) if pair.why]
    assert wrong == [(1, "商品编号"), (1, "商品名称"), (3, "商品编号"), (3, "商品名称")]
    fewer = wire.Declaration(swapped.head, swapped.lines[:2], swapped.papers[:2], {})
    titles = {pair.title for pair in twin.compare(strategy, orders, fewer) if pair.why}
    assert {"商品项数", "总价合计", "订单号（随附单据编号）"} <= titles


@pytest.mark.parametrize(("ours", "theirs", "why"), [
    ("25", "25", None), ("2.5", "2.50001", "小数位数不一样：订单1位，报关单5位"), ("2.5", "3", "数值不一样"),
    ("", "1", "只有一边有，项数或顺序不一样"), ("甲 乙", "甲乙", "只差空格"), ("NaN", "1", "数值不一样"),
])  # fmt: skip
def test_the_reason_says_how_two_values_differ(ours, theirs, why):
    assert twin.why_not(ours, theirs) == why


def test_an_order_changed_at_customs_is_what_counts(declarant):
    fill(declarant)
    (order,) = session.scalars(select(Order).where(Order.order_no == "TYDH005"))
    again = Order(
        enterprise_id=order.enterprise_id, customs_code=order.customs_code, task_id=order.task_id, place=500, app_type=2,
        order_no=order.order_no, total=30, lines=[["8711100010", order.lines[0][1], "12", "30", "2.5", "011"]], data={},
        changed_at=clock.now(), changed_by="李明", state=None,
    )  # fmt: skip
    session.add(again)
    session.commit()
    page = declarant.url
    declarant.open(page)
    assert "正在变更、删除" in declarant.main and not declarant.can_press("生成报关单")
    session.scalar(select(Order).where(Order.app_type == 2)).state = "success"
    session.commit()
    declarant.open(page)
    assert "数值不一样" in declarant.main and not declarant.can_press("生成报关单")


# -- choosing


def test_only_orders_that_customs_has_are_offered_and_each_once(declarant, app):
    with app.app_context():
        waiting = make_trade(app)
        waiting.read(workbook(many(1, "WAIT")))
        waiting.generate()
    declarant.open("/declarations/new")
    assert "TYDH005" in declarant.main and "WAIT000000" not in declarant.main
    choose(declarant, "TYDH005")
    declarant.open("/declarations/new")
    assert "TYDH005" not in declarant.main and "TYDH006" in declarant.main


def test_an_order_in_two_tabs_is_declared_once(declarant):
    declarant.open("/declarations/new")
    form = declarant.soup.find("form", id="step")
    (order,) = session.scalars(select(Order).where(Order.order_no == "TYDH005"))
    choose(declarant, "TYDH005")
    pairs = [(field["name"], field["value"]) for field in form.find_all("input", type="hidden")]
    declarant.send(form, pairs, {"order": str(order.id)}, {})
    assert any("有订单现在不能选" in line for line in declarant.errors)
    assert len(list(session.scalars(select(Declaration)))) == 1


def test_nothing_and_too_much_chosen_are_told(declarant, app, card):
    declarant.open("/declarations/new").submit("做报关单", order=None)
    assert any("请先在表里勾选订单" in line for line in declarant.errors)
    declare(app, card, workbook(many(10)))
    choose(declarant, *[f"NO{n:06}" for n in range(10)])
    assert any("最多放9个订单" in line for line in declarant.errors)
    assert not list(session.scalars(select(Declaration)))


def test_a_number_that_is_no_hs_code_is_asked_for(declarant, app, card):
    declare(app, card, workbook([("ART1", "SKU-77", "手机壳", "10", "25", "2.5", "011")]))
    choose(declarant, "ART1").submit("保存，填商品", **HEAD)
    declarant.submit("保存，去核对", **{"cell-1-model": "无"})
    assert any("第1项「商品编号」要10位数字" in line for line in declarant.errors)
    declarant.submit("保存，去核对", **{"cell-1-code_ts": "3926909090", "cell-1-unit1": "千克"})
    assert declarant.number == "8205" and declarant.can_press("生成报关单")
    assert newest().goods[0]["unit1"] == "035", "a unit may be typed by its name"


# -- forms


@pytest.mark.parametrize(("field", "value", "number"), [
    ("customs", "9901", "90901"), ("customs", "04", "90901"), ("trade_country", "亚特兰蒂斯", "90902"),
    ("destination_port", "XXX999", "90903"), ("exit_port", "000000", "90904"), ("district", "00000", "90905"),
    ("origin_place", "长安区", "90905"), ("gross", "0", "90906"), ("net", "1e3", "90906"), ("net", "13", "90907"),
    ("consignee", "某某公司", "90908"), ("packs", "0", "90919"), ("packs", "٣", "90919"), ("wrap", "77", "90002"),
    ("note", "\x00", "90014"), ("consignee", "", "90001"),
])  # fmt: skip
def test_wrong_heads_are_told_at_their_field_and_kept(declarant, field, value, number):
    choose(declarant, "TYDH005")
    form = declarant.soup.find("form", id="step")
    pairs = [(each["name"], each.get("value", "")) for each in form.find_all("input", type="hidden")]
    declarant.send(form, pairs + [pair for pair in HEAD.items() if pair[0] != field], {}, {}) if not value else (
        declarant.send(form, pairs + [(name, text) for name, text in (HEAD | {field: value}).items()], {}, {})
    )
    assert declarant.number == "8203" and number in declarant.soup.select_one(".govuk-error-summary").get_text()


@pytest.mark.parametrize(("cell", "value"), [
    ("code_ts", "87111000"), ("ciq", "99"), ("model", ""), ("qty", "1,000"), ("qty", "1.000001"), ("unit", "个个"),
    ("price", "-1"), ("total", "2.555"), ("qty2", "1"), ("unit2", "千克"), ("name", "名" * 256), ("name", "\x07"),
])  # fmt: skip
def test_wrong_cells_are_told_with_their_line(declarant, cell, value):
    fill(declarant, **{f"cell-1-{cell}": value})
    assert declarant.number == "8204" and any("第1项" in line for line in declarant.errors)
    assert newest().goods[0][cell] == tables.find("unit", value) or newest().goods[0][cell] == value.strip()


def test_freight_is_asked_where_the_terms_include_it(declarant):
    choose(declarant, "TYDH005").submit("保存，填商品", **HEAD | {"trans_mode": "1"})
    assert len(declarant.errors) == 2, "freight and insurance"
    declarant.submit("保存，填商品", freight="100", insurance="3.5")
    declarant.submit("保存，去核对", **{"cell-1-model": "无"}).submit("生成报关单")
    head = wire.read(newest().content).head
    assert (head["FeeMark"], head["FeeCurr"], head["FeeRate"]) == ("3", "USD", "100") and head["InsurRate"] == "3.5"


def test_the_next_declaration_begins_with_the_head_of_the_one_before(declarant):
    choose(declarant, "TYDH005").submit("保存，填商品", **HEAD | {"bill_no": "COSU1"})
    choose(declarant, "TYDH006")
    assert declarant.value("consignee") == "ACME & CO" and declarant.value("customs") == "0401"
    assert not declarant.value("bill_no") and not declarant.value("packs")


def test_the_second_of_two_tabs_is_told_and_keeps_what_was_typed(declarant):
    choose(declarant, "TYDH005")
    stale = str(declarant.soup)
    declarant.submit("保存，填商品", **HEAD)
    declarant.open(f"/declarations/{newest().id}/head")
    declarant._show(stale if "<!doctype" in stale[:20] else "<!doctype html>" + stale)
    declarant.submit("保存，填商品", **HEAD | {"consignee": "OTHER"})
    assert any("刚刚有人改过" in line for line in declarant.errors) and declarant.value("consignee") == "OTHER"
    assert newest().head["consignee"] == "ACME & CO"


# -- answers


def test_what_the_client_refused_is_mended_and_declared_under_a_new_number(declarant, app):
    open_folder(declarant)
    row = made(declarant)
    declarant.submit("放入导入客户端")
    answer(app, row, f"Failed_{row.number}_1.xml", response("-1", number=row.number, seq_no="", words="申报要素不全"))
    declarant.open(f"/declarations/{row.id}")
    assert "没收下" in declarant.main and "申报要素不全" in declarant.main
    declarant.open("/member")
    assert "没收下的报关单" in declarant.main
    declarant.open(f"/declarations/{row.id}").submit("改好再报")
    assert declarant.number == "8203" and declarant.value("consignee") == "ACME & CO"
    again = newest()
    assert again.number != row.number and again.goods == row.goods
    live = list(session.scalars(select(DeclaredOrder.declaration_id).where(DeclaredOrder.is_live)))
    assert live == [again.id]
    declarant.open(f"/declarations/{row.id}").submit("改好再报")
    assert "有订单现在不能选" in declarant.text, "and not twice"


@pytest.mark.parametrize("channel", ["E", "Z", "Y", "D", "4"])
def test_a_declaration_that_customs_sends_back_lets_its_orders_go(declarant, app, channel):
    row = handed(declarant, app)
    answer(app, row, "Receipt_1.xml", status(channel))
    assert newest().state == "refused" and not session.scalar(select(DeclaredOrder).where(DeclaredOrder.is_live))


def handed(declarant, app, seq_no=SEQ) -> Declaration:
    open_folder(declarant)
    row = made(declarant)
    declarant.submit("放入导入客户端")
    answer(app, row, f"Successed_{row.number}_1.xml", response(number=row.number, seq_no=seq_no))
    return newest()


def test_receipts_out_of_order_twice_and_early_end_right(declarant, app):
    open_folder(declarant)
    row = made(declarant)
    declarant.submit("放入导入客户端")
    answer(app, row, "Receipt_early.xml", status("R", time="2026-11-22T08:00:00"))
    assert newest().state == "handed" and declarations.odd_answers(row.enterprise_id, 9)[0].odd == "unknown"
    for name in ("Successed_1.xml", "Successed_1.xml", "Successed_2.xml"):
        answer(app, row, name, response(number=row.number, seq_no=SEQ))
    assert (newest().state, newest().channel) == ("released", "R"), "what came early counts now"
    answer(app, row, "Receipt_old.xml", status("L", time="2026-11-21T08:00:00"))
    answer(app, row, "Failed_1.xml", response("-1", number=row.number, words="晚了"))
    assert (newest().state, newest().channel) == ("released", "R")
    assert {each.odd for each in declarations.odd_answers(row.enterprise_id, 9)} == {"old", "late"}
    declarant.open("/declarations/odd-answers")
    assert "比已经收到的回执早" in declarant.main


@pytest.mark.parametrize("data", [
    b"", b"<x", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><DEC_DATA>&b;</DEC_DATA>', b"\x00" * 100,
    b"<DEC_DATA>" + b"y" * (5 << 20) + b"</DEC_DATA>",
])  # fmt: skip
def test_garbled_answers_change_nothing_and_are_shown(declarant, app, data):
    row = handed(declarant, app)
    answer(app, row, "Receipt_bad.xml", data)
    assert newest().state == "taken"
    declarant.open("/declarations/odd-answers")
    assert "Receipt_bad.xml" in declarant.main and "看不懂" in declarant.main


def test_an_answer_in_another_companys_folder_says_nothing_about_ours(declarant, app):
    row = handed(declarant, app)
    stranger = make_enterprise("别家（石家庄）有限公司", "91130100PDY000028G", code="1301960002")
    declarations.set_folder(stranger.id, "别人", clock.now())
    session.commit()
    with app.app_context():
        box = handing.folder_root(stranger.id) / "InBox"
        box.mkdir(parents=True)
        (box / "Receipt_1.xml").write_bytes(status("D"))
        (box / "Failed_1.xml").write_bytes(response("-1", number=row.number))
        handing.poll_answers()
    assert newest().state == "taken"
    assert {each.odd for each in declarations.odd_answers(stranger.id, 9)} == {"unknown"}


def test_a_worker_killed_after_storing_an_answer_loses_nothing(declarant, app):
    row = handed(declarant, app)
    declarations.keep_answer(row.enterprise_id, "Receipt_9.xml", b"x" * 32, status("P"), clock.now())
    session.commit()
    with app.app_context():
        handing.poll_answers()
    assert newest().state == "released"


@pytest.mark.parametrize(("name", "data"), [
    ("Successed_1.xml", response()), ("x.xml", b"<x/>"), ("", b""), ("Receipt.xml", status()), ("../../x", b"\xff\xfe"),
])  # fmt: skip
def test_a_file_that_is_no_answer_to_it_is_refused(declarant, name, data):
    row = made(declarant)
    declarant.submit("下载导入文件")
    declarant.open(f"/declarations/{row.id}").submit("读回执", {"file": (name, data)} if name else None)
    assert "不是这份报关单的回执" in declarant.text and session.scalar(select(DeclarationAnswer)) is None


# -- handing over


def test_a_full_disk_is_told_and_nothing_is_marked(declarant, monkeypatch):
    open_folder(declarant)
    made(declarant)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(handing.ImportFolder, "put", full)
    declarant.submit("放入导入客户端")
    assert "导入文件写不进文件夹" in declarant.text and newest().state == "ready"


def test_nothing_is_built_written_or_read_inside_a_transaction(declarant, app, monkeypatch):
    seen = []

    def watch(owner, name):
        act = getattr(owner, name)

        def look(*arguments):
            seen.append((name, session().in_transaction()))
            return act(*arguments)

        monkeypatch.setattr(owner, name, look)

    for owner, name in ((wire, "build"), (wire, "read"), (handing.ImportFolder, "put"), (handing, "read_answer")):
        watch(owner, name)
    handed(declarant, app)
    assert {name for name, _ in seen} == {"build", "read", "put", "read_answer"} and not any(
        busy for _, busy in seen
    ), seen


def test_what_was_handed_over_stays_as_it_is(declarant):
    row = made(declarant)
    page, head, cells = declarant.url, f"/declarations/{row.id}/head", f"/declarations/{row.id}/goods"
    content = row.content
    declarant.open(head)
    form = declarant.soup.find("form", id="step")
    pairs = [(each["name"], each.get("value", "")) for each in form.find_all("input") if each.get("name")]
    declarant.open(page).submit("下载导入文件")
    declarant.open(page)
    assert not [a for a in declarant.soup.find_all("a") if a.get_text() in ("删除", "表头")]
    declarant.open(head)
    declarant.send(form, pairs, HEAD, {})
    assert any("已经交出去了" in line for line in declarant.errors) and newest().content == content
    declarant.open(cells).submit("保存，去核对")
    assert any("已经交出去了" in line for line in declarant.errors)
    declarant.open(f"/declarations/{row.id}/delete").submit("删除")
    assert "不能删除" in declarant.text and newest() is not None


def test_a_change_after_making_needs_making_again(declarant):
    row = made(declarant)
    declarant.open(f"/declarations/{row.id}/head").submit("保存，填商品", bill_no="B2")
    assert newest().state == "draft" and newest().content is None
    declarant.submit("保存，去核对").submit("生成报关单")
    assert wire.read(newest().content).head["BillNo"] == "B2"


def test_a_draft_is_deleted_and_its_orders_are_free(declarant):
    row = made(declarant)
    declarant.follow("删除").submit("删除")
    assert session.get(Declaration, row.id) is None
    declarant.open("/declarations/new")
    assert "TYDH005" in declarant.main


# -- who may


def test_another_company_and_another_code_see_nothing(declarant, other_browser):
    row = made(declarant)
    stranger = make_enterprise("别家（石家庄）有限公司", "91130100PDY000028G", code="1301960002")
    agree(stranger, code="1301960002")
    log_in(other_browser, make_user("stranger", enterprise=stranger))
    for path in ("", "/head", "/goods", "/compare", "/delete"):
        assert other_browser.open(f"/declarations/{row.id}{path}").status == 404, path
    other_browser.open("/declarations/folder")
    token = other_browser.soup.find("input", attrs={"name": "csrf_token"})["value"]
    for path in ("hand", "file", "answers", "again", "delete", "compare", "head", "goods"):
        other_browser._request("POST", f"/declarations/{row.id}/{path}", data={"csrf_token": token})
        assert other_browser.status == 404, path
    other_browser.open("/declarations/new")
    assert "TYDH006" not in other_browser.main


@pytest.mark.parametrize(("right", "may"), [(1, False), (2, True)])
def test_an_operator_does_what_his_right_allows(browser, agreed, pushed, right, may):
    person = ("赵云", "130100199001010017", "op1@example.com")
    log_in(browser, make_user("op1", role="operator", enterprise=ours(), rights={"exports": right}, person=person))
    assert (browser.open("/declarations/new").status == 200) == may
    browser.open("/declarations/folder")
    assert not browser.can_press("打开文件夹")


def test_an_agent_declares_for_its_client_with_the_number_of_the_agreement(context, company, strategy, profile):
    """收发货人 is the client, 申报单位 this company; the 委托协议 is a paper of its own."""
    from models.agreements import ACTIVE, Entrustment
    from tests.exports_world import make_profile

    client = make_enterprise("范例工厂（石家庄）有限公司", "91130100PDY0000446", code="1301980004")
    session.add(Entrustment(client_id=client.id, client_code="1301980004", agent_id=company.id, agent_code=CODE,
                            state=ACTIVE, started_at=clock.now(), valid_to=date(2099, 12, 31)))  # fmt: skip
    seller = make_profile(company, client.name, "1301980004", "")
    strategy.seller_id, strategy.seller, strategy.declarant_id, strategy.declarant = (
        seller.id,
        seller,
        profile.id,
        profile,
    )
    session.commit()
    row = Declaration(enterprise_id=company.id, customs_code=CODE, strategy=strategy, number="BG2026112100000009",
                      goods=[dict(_line(), model="无")], head=_typed() | {"agent_paper": "WT2026"})  # fmt: skip
    message = wire.read(making.message_of(row, [Order(order_no="A1")], making.companies_of(row)))
    assert (message.head["TradeCode"], message.head["TradeCoScc"]) == ("1301980004", client.uscc)
    assert (message.head["AgentCode"], message.head["AgentCodeScc"]) == (CODE, company.uscc)
    assert [paper["EdocID"] for paper in message.papers] == ["A1", "WT2026"]
    session.rollback()
    session.expunge_all()


def _line() -> dict:
    order = Order(order_no="A1", lines=[["8711100010", "摩托车", "10", "25", "2.5", "011"]])
    return goods.lines_of(order)[0]


def _typed() -> dict:
    optional = ("vehicle", "voyage", "bill_no", "contract", "owner_name", "note")
    return dict.fromkeys(optional, "") | HEAD | {"promises": ["1"]}


def test_numbers_are_of_eighteen_characters_and_rise(declarant):
    first, second = made(declarant), made(declarant, numbers=("TYDH006",))
    assert re.fullmatch(r"BG\d{16}", first.number) and second.number > first.number


@pytest.mark.item("M181", "M203")
def test_the_single_window_of_the_sandbox_takes_it_and_answers(trade, outside, profile, company, agreed, monkeypatch):
    """Order by HTTP to customs, its 报关单 by the import client, both of the sandbox; receipts come back."""
    from blueprints.exports import listening, sending
    from tests.outside import HTTP, choose

    choose(profile, **HTTP)
    trade.read(workbook())
    trade.generate()
    sending.send_messages(str(trade.push(outside.card).id))
    outside.look()
    settings_id = session.scalar(select(ProfileChannel.id))
    listening.receive_from_host(str(settings_id))
    assert set(trade.states().values()) == {"success"}
    root = outside.world.settings.customs_folder / f"declarations-{company.id.hex}"
    monkeypatch.setattr(handing, "folder_root", lambda enterprise_id: root)
    declarations.set_folder(company.id, "李明", clock.now())
    row = making.start(trade.strategy, [each.Order.id for each in trade.rows().values()], trade.who)
    row.head = _typed()
    row.goods = [line | {"model": "无"} for line in row.goods]
    session.commit()
    making.make(row, making.prove(row), trade.who)
    session.commit()
    handing.hand_over(row, trade.who)
    outside.world.single_window.look()
    handing.poll_answers()
    session.expire_all()
    assert (row.state, row.channel, row.note) == ("taken", "L", "海关已接收") and row.seq_no and row.entry_id
