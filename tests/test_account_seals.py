"""印章管理: seals are uploaded or drawn, switched, and put on the receipt of what the company submitted."""

import io
import re
import zlib

import pytest
from PIL import Image, ImageDraw

from blueprints.account import seal_images
from blueprints.account.seal_images import SIZE, SealRefused, clean_upload, draw_personal, draw_round, font_for, star
from blueprints.common.files import look_up_upload, read_file
from blueprints.common.printing import StaticOnly
from models.accounts import find_user
from models.database import session
from models.documents import HistoryEvent
from models.files import StoredFile
from models.seals import Seal, SealUse, seals_of
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import errors_of
from tests.conftest import log_in, make_enterprise, make_user
from tests.test_transmission_id import apply_for_id

RARE = "𠮷"
NAME = f"{RARE}字公章😀"


def picture(kind="PNG", size=(400, 300), ink=(200, 20, 20), mode="RGB") -> bytes:
    """A red ring on white paper."""
    image = Image.new(mode, size, "white")
    ImageDraw.Draw(image).ellipse((100, 50, 300, 250), outline=ink, width=20)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def add(browser, image=None, **typed):
    """As the page has it: drawn, or uploaded where there is an image."""
    values = {"name": "公章", "purpose": "公章", "origin": "uploaded" if image else "generated"} | typed
    browser.open("/account/seals/new")
    return browser.submit("保存", {"image": image} if image else None, **values)


def enable(browser, name="公章"):
    browser.open("/account/seals").follow(f"启用{name}")
    return browser.submit("启用")


def operator_of(company, name="demo01a", **rights):
    user = make_user(name, role="operator", enterprise=company, person=("王强", None, f"{name}@example.com"))
    user.rights = rights
    session.commit()
    return user


def csrf_token(browser) -> str:
    return browser.open("/account/cards").value("csrf_token")


@pytest.fixture
def sealed(app, administrator):
    """The company has an enabled 公章, drawn here."""
    enable(add(log_in(Browser(app), administrator)))
    return seals_of(administrator.enterprise_id)[0]


@pytest.fixture
def receipt(app, administrator) -> str:
    """The status page of a document that the company submitted."""
    return apply_for_id(log_in(Browser(app), administrator)).url


def seal_image(seal) -> Image.Image:
    return pixels(read_file(look_up_upload(str(seal.file_id))))


def pixels(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return image.convert("RGBA")


@pytest.mark.item("M89")
def test_a_seal_is_drawn_looked_at_enabled_and_stands_in_the_list(browser, app, administrator):
    log_in(browser, administrator).open("/account/company")
    browser.follow("印章管理")
    assert browser.number == "4005" and "还没有印章" in browser.main
    browser.follow("新增印章")
    assert browser.number == "4061"
    browser.submit("保存", name="2号报关章", purpose="报关专用章", origin="generated", code="1301020123456")
    assert browser.number == "4063" and "请看清图样" in browser.text
    browser.submit("启用")
    for words in ("2号报关章", "报关专用章", "在这里生成", "demo01", "启用", "总共 1 条记录"):
        assert words in browser.main
    shown = browser.soup.select_one("#main table img")["src"]
    answer = browser.client.get(shown, base_url=ORIGIN)
    with Image.open(io.BytesIO(answer.data)) as image:
        assert answer.mimetype == "image/png" and image.size == (SIZE, SIZE) and len(answer.data) < 40_000


@pytest.mark.item("M89")
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_an_uploaded_picture_loses_its_paper_and_is_scaled_to_a_square(browser, app, administrator, kind):
    add(log_in(browser, administrator), ("印章." + kind.lower(), picture(kind)))
    with app.app_context(), seal_image(seals_of(administrator.enterprise_id)[0]) as image:
        assert image.size == (SIZE, SIZE)
        assert image.getchannel("A").getbbox() == (0, 0, SIZE, SIZE)
        assert image.getpixel((SIZE // 2, SIZE // 2))[3] == 0 and image.getpixel((0, 0))[3] == 0
        red, green, _, alpha = image.getpixel((SIZE // 2, 20))
        assert alpha > 200 and red > 150 and green < 80


def test_what_stands_in_a_picture_beside_its_pixels_is_gone(browser, app, administrator):
    data = picture()
    chunk = b"tEXtComment\0<script>alert(1)</script>"
    planted = (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    add(log_in(browser, administrator), ("a.png", data[:33] + planted + data[33:] + b"PK\x03\x04<html>"))
    with app.app_context():
        kept = read_file(look_up_upload(str(seals_of(administrator.enterprise_id)[0].file_id)))
    assert b"script" not in kept and b"<html>" not in kept and kept.endswith(b"IEND\xaeB`\x82")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><circle r="9"/></svg>'
HOSTILE = {
    "svg": ("a.svg", SVG), "svg called png": ("a.png", SVG), "html": ("a.png", b"<!doctype html><script>1</script>"),
    "gif": ("a.png", picture("GIF")), "bmp": ("a.jpg", picture("BMP")), "pdf": ("a.png", b"%PDF-1.7 x"), "empty": ("a.png", b""),
    "cut off": ("a.png", picture()[:1000]), "cut off jpg": ("a.jpg", picture("JPEG")[:4000]), "eps": ("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_png_or_jpg_is_refused_and_not_kept(browser, administrator, name):
    add(log_in(browser, administrator), HOSTILE[name])
    assert errors_of(browser)[0].startswith("90701") and browser.value("name") == "公章"
    assert not session.query(Seal).all() and not session.query(StoredFile).all()


@pytest.mark.parametrize(("image", "number"), [
    (b"\x89PNG\r\n\x1a\n" + b"\0" * (2 << 20), "90702"), (picture("PNG", (5100, 5000), mode="L", ink=0), "90702"),
    (picture(ink=(255, 255, 255)), "90707"), (picture(size=(160, 90), ink=(255, 250, 250)), "90707"),
])  # fmt: skip
def test_a_picture_that_is_too_large_or_blank_is_refused(browser, administrator, image, number):
    add(log_in(browser, administrator), ("a.png", image))
    assert errors_of(browser)[0].startswith(number) and not session.query(StoredFile).all()


def test_a_picture_of_a_few_pixels_is_no_seal():
    image = Image.new("RGB", (50, 50), "red")
    image.save(out := io.BytesIO(), "PNG")
    with pytest.raises(SealRefused) as refused:
        clean_upload(out.getvalue())
    assert refused.value.sentence.number == "90707"


@pytest.mark.parametrize(("typed", "number"), [
    ({"name": ""}, "90001"), ({"name": "章" * 300}, "90011"), ({"name": "a\0b"}, "90014"), ({"purpose": ""}, "90001"),
    ({"purpose": "私章"}, "90002"), ({"origin": "drawn"}, "90002"), ({"code": "123"}, "90713"), ({"code": "１３０１０２０１２３４５６"}, "90713"),
    ({"origin": "uploaded"}, "90711"),
])  # fmt: skip
def test_each_wrong_value_has_its_number_and_adds_nothing(browser, administrator, typed, number):
    add(log_in(browser, administrator), **typed)
    assert errors_of(browser)[0].startswith(number) and not session.query(Seal).all()


def test_two_seals_of_one_name_would_be_mixed_up(browser, administrator):
    add(add(log_in(browser, administrator)))
    assert errors_of(browser)[0].startswith("90710") and len(seals_of(administrator.enterprise_id)) == 1


def test_thirty_seals_are_enough(browser, administrator, sealed):
    for number in range(29):
        session.add(
            Seal(
                enterprise_id=sealed.enterprise_id, name=f"章{number}", purpose="公章", origin="uploaded",
                file_id=sealed.file_id, created_at=sealed.created_at, created_by="demo01",
            )
        )  # fmt: skip
    session.commit()
    add(log_in(browser, administrator), name="再一枚")
    assert errors_of(browser)[0].startswith("90709")


def test_a_letter_that_the_font_lacks_is_refused_with_the_letter(browser, app):
    user = make_user(enterprise=make_enterprise("😀贸易有限公司"))
    add(log_in(browser, user))
    assert errors_of(browser)[0].startswith("90704") and "😀" in errors_of(browser)[0] and not session.query(Seal).all()


def test_a_rare_letter_is_drawn_or_refused_and_never_a_box():
    """Fonts differ: some have 𠮷."""
    try:
        file = font_for(RARE)
    except SealRefused as refused:
        assert refused.sentence.number == "90704" and RARE in refused.sentence
        with pytest.raises(SealRefused):
            draw_round(f"{RARE}野家有限公司")
    else:
        assert file and draw_round(f"{RARE}野家有限公司")


def test_a_machine_without_chinese_font_says_so(browser, administrator, monkeypatch):
    monkeypatch.setattr(seal_images, "_find_font", lambda: None)
    add(log_in(browser, administrator))
    assert errors_of(browser)[0].startswith("90703")
    add(browser, ("a.png", picture()))
    assert browser.number == "4063"


@pytest.mark.parametrize(("company", "draw"), [("长" * 41, draw_round), ("阿" * 13, draw_personal)])
def test_a_name_that_nobody_could_read_on_a_seal_is_refused(company, draw):
    with pytest.raises(SealRefused) as refused:
        draw(company)
    assert refused.value.sentence.number == "90708"


def test_the_seal_of_the_representative_is_square_with_his_name(browser, app, administrator):
    add(log_in(browser, administrator), name="名章", purpose="法定代表人名章")
    assert browser.number == "4063"
    with app.app_context(), seal_image(seals_of(administrator.enterprise_id)[0]) as image:
        assert all(image.getpixel(corner)[3] > 250 for corner in ((8, 8), (591, 8), (8, 591), (591, 591)))
    with pixels(draw_round("示例外贸（石家庄）有限公司", "报关专用章")) as image:
        assert image.getpixel((8, 8))[3] == 0 and image.getpixel((300, 8))[3] > 250
        assert image.getpixel((300, 280))[3] > 250 and image.getpixel((300, 190))[3] == 0


def test_a_company_without_representative_has_no_seal_of_him(browser, administrator):
    find_user("demo01").enterprise.representative = {}
    session.commit()
    add(log_in(browser, administrator), name="名章", purpose="法定代表人名章")
    assert errors_of(browser)[0].startswith("90712")


def test_different_names_and_words_make_different_seals():
    drawn = {
        draw_round("甲公司"),
        draw_round("乙公司"),
        draw_round("甲公司", "财务专用章"),
        draw_round("甲公司", "", "1" * 13),
        draw_personal("甲"),
    }
    assert len(drawn) == 5
    assert len(star(0, 0, 10)) == 10 and star(0, 0, 10)[0] == pytest.approx((0, -10))


@pytest.mark.item("M89")
def test_the_receipt_is_printed_with_the_seal_and_the_use_is_kept(browser, administrator, receipt, sealed):
    log_in(browser, administrator).open(receipt)
    browser.submit("下载盖章的回执", seal=str(sealed.id))
    answer = browser.response
    assert answer.mimetype == "application/pdf" and answer.data.startswith(b"%PDF-")
    images = len(re.findall(rb"/Subtype ?/Image", answer.data))
    plain = browser.open(receipt).follow("下载回执").response.data
    assert images > len(re.findall(rb"/Subtype ?/Image", plain)) == 0
    use = session.query(SealUse).one()
    assert use.by == "demo01" and "传输ID" in use.subject and use.seal_id == sealed.id
    event = session.query(HistoryEvent).filter(HistoryEvent.act == "使用印章").one()
    assert event.details["name"] == "公章" and event.enterprise_id == administrator.enterprise_id
    browser.open("/account/seals").follow("使用记录")
    assert browser.number == "4062" and "demo01" in browser.main and use.subject in browser.main
    assert "总共 1 条记录" in browser.main


def test_each_print_is_one_use(browser, administrator, receipt, sealed):
    log_in(browser, administrator)
    for _ in range(2):
        browser.open(receipt).submit("下载盖章的回执")
    assert session.query(SealUse).count() == 2


def test_the_name_of_a_seal_may_hold_any_letter_up_to_the_print(browser, administrator, receipt):
    enable(add(log_in(browser, administrator), ("a.png", picture()), name=NAME), NAME)
    assert NAME in browser.main
    browser.open(receipt).submit("下载盖章的回执")
    assert browser.response.data.startswith(b"%PDF-")
    assert NAME in browser.open("/account/activity").main
    browser.open("/account/seals").follow("使用记录")
    assert NAME in browser.main


def test_a_name_of_markup_stays_text(browser, administrator, receipt):
    name = "<img src=image:x>"
    enable(add(log_in(browser, administrator), ("a.png", picture()), name=name), name)
    assert name in browser.main and len(browser.soup.select("#main table img")) == 1
    browser.open(receipt).submit("下载盖章的回执")
    assert browser.response.data.startswith(b"%PDF-")


def test_a_disabled_seal_is_not_put_on_anything(browser, administrator, receipt, sealed):
    log_in(browser, administrator).open("/account/seals").follow("停用公章")
    assert browser.number == "4063" and "不能再盖" in browser.main
    browser.submit("停用")
    assert not browser.open(receipt).can_press("下载盖章的回执")
    data = {"csrf_token": csrf_token(browser), "seal": str(sealed.id)}
    browser._request("POST", stamp_path(receipt), data=data)
    assert browser.status == 200 and errors_of(browser)[0].startswith("90705")
    assert not session.query(SealUse).all()
    enable(browser)
    assert browser.open(receipt).can_press("下载盖章的回执")


def stamp_path(receipt: str) -> str:
    return "/account/seals/print/" + receipt.rpartition("/")[2]


def test_a_second_click_on_the_switch_changes_nothing(browser, administrator, sealed):
    log_in(browser, administrator).open(f"/account/seals/{sealed.id}/switch")
    data = {"csrf_token": browser.value("csrf_token"), "to": "disabled"}
    for _ in range(2):
        browser._request("POST", f"/account/seals/{sealed.id}/switch", data=data)
    assert [seal.is_enabled for seal in seals_of(sealed.enterprise_id)] == [False]
    assert session.query(HistoryEvent).filter(HistoryEvent.act == "停用印章").count() == 1


def test_an_operator_with_the_right_to_submit_stamps_and_others_do_not(
    browser, app, company, administrator, receipt, sealed
):
    log_in(browser, operator_of(company, "submits", access=3)).open(receipt)
    browser.submit("下载盖章的回执")
    assert browser.response.mimetype == "application/pdf" and session.query(SealUse).one().by == "submits"
    other = log_in(
        Browser(app),
        make_user("edits", role="operator", enterprise=company, person=("赵云", None, "z@b.cn"), rights={}),
    )
    assert not other.open(receipt).can_press("下载盖章的回执")
    data = {"csrf_token": csrf_token(other), "seal": str(sealed.id)}
    assert other.client.post(stamp_path(receipt), base_url=ORIGIN, data=data).status_code == 403
    assert session.query(SealUse).count() == 1


def test_an_operator_looks_and_does_not_change(browser, company, administrator, sealed):
    log_in(browser, operator_of(company, exports=3)).open("/account/seals")
    assert "公章" in browser.main and not browser.soup.find("a", string=re.compile("新增印章"))
    assert browser.open(f"/account/seals/{sealed.id}/uses").status == 200
    data = {"csrf_token": csrf_token(browser), "to": "disabled", "name": "x", "purpose": "公章", "origin": "generated"}
    for path in ("/account/seals/new", f"/account/seals/{sealed.id}/switch"):
        assert browser.open(path).status == 403
        assert browser.client.post(path, base_url=ORIGIN, data=data).status_code == 403
    assert [seal.is_enabled for seal in seals_of(company.id)] == [True]


def test_another_company_finds_neither_seal_nor_document(browser, administrator, receipt, sealed):
    stranger = make_user("other01", enterprise=make_enterprise("别家", "91130100PDY000028G", code="1301960002"))
    own = seals_of(log_in_and_seal(browser, stranger))[0]
    data = {"csrf_token": csrf_token(browser), "seal": str(own.id), "to": "disabled"}
    for path in (f"/account/seals/{sealed.id}/uses", f"/account/seals/{sealed.id}/switch", f"/files/{sealed.file_id}"):
        assert browser.open(path).status == 404
    assert browser.client.post(f"/account/seals/{sealed.id}/switch", base_url=ORIGIN, data=data).status_code == 404
    assert browser.client.post(stamp_path(receipt), base_url=ORIGIN, data=data).status_code == 404
    assert "示例外贸" not in browser.open("/account/seals").main
    assert not session.query(SealUse).all()


def log_in_and_seal(browser, user):
    enable(add(log_in(browser, user)))
    return user.enterprise_id


@pytest.mark.parametrize("chosen", ["stranger", "", "x", "00000000-0000-4000-8000-000000000000"])
def test_a_seal_that_is_not_the_companys_own_is_not_found(browser, app, administrator, receipt, sealed, chosen):
    if chosen == "stranger":
        stranger = make_user("other01", enterprise=make_enterprise("别家", "91130100PDY000028G", code="1301960002"))
        chosen = str(seals_of(log_in_and_seal(Browser(app), stranger))[0].id)
    data = {"csrf_token": csrf_token(log_in(browser, administrator)), "seal": chosen}
    assert browser.client.post(stamp_path(receipt), base_url=ORIGIN, data=data).status_code == 404
    assert not session.query(SealUse).all()


def test_a_draft_has_no_receipt_to_stamp(browser, administrator, sealed):
    log_in(browser, administrator).open("/access/transmission-id")
    browser.submit("开始填写")
    draft = re.search(r"[0-9a-f-]{36}", browser.url).group()
    data = {"csrf_token": csrf_token(browser), "seal": str(sealed.id)}
    assert browser.client.post(f"/account/seals/print/{draft}", base_url=ORIGIN, data=data).status_code == 404


@pytest.mark.parametrize("url", [
    "image:other", "image:", "image:../known", "file:///etc/passwd", "http://127.0.0.1/", "data:image/png;base64,AAAA", "static:../app.py",
    "IMAGE:known",
])  # fmt: skip
def test_a_print_fetches_only_the_images_that_were_handed_in(url):
    fetcher = StaticOnly({"known": b"png"})
    assert fetcher.fetch("image:known").read() == b"png"
    with pytest.raises(ValueError, match="fetches nothing"):
        fetcher.fetch(url)
