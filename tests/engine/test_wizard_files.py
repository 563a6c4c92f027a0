"""Attachments: by content, by size while streaming, preview, delete, replace, and whose they are."""

import pytest

from blueprints.common import files as file_store
from models.database import session
from models.files import StoredFile, files_of
from tests.browsing import Browser
from tests.conftest import log_in
from tests.engine.filling import PNG
from tests.engine.walking import FILE, NEXT, begin, document_of, root_of

JPG = b"\xff\xd8\xff" + b"x" * 100
DOC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600


@pytest.fixture
def browser(app):
    return Browser(app)


@pytest.fixture
def papers(browser, people):
    """Anna on the last page of a data link, where a paper may be attached."""
    begin(log_in(browser, people.users["anna"]), "link")
    browser.submit(NEXT, phone="1")
    return browser.submit(NEXT, node="2", data=["order"])


@pytest.fixture
def papers_of_boris(app, people):
    begin(boris := log_in(Browser(app), people.users["boris"]), "link")
    boris.submit(NEXT, phone="1")
    boris.submit(NEXT, node="2", data=["order"])
    return boris.submit("添加附件", {"paper": ("乙.jpg", JPG)})


def test_a_file_is_kept_shown_and_can_be_looked_at(papers):
    papers.submit("添加附件", {"paper": ("执照.jpg", JPG)}, device="machine")
    assert "执照.jpg" in papers.main and papers.number == "970530"
    assert papers.value("device") == "machine", "what else was typed stays"
    preview = papers.soup.select_one("a[href*='/files/']")
    answer = papers.client.get(preview["href"], base_url="http://127.0.0.1:8080")
    assert answer.data == JPG and answer.mimetype == "image/jpeg"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Disposition"].startswith("inline")


def test_what_is_no_picture_is_never_shown_inside_the_portal(papers):
    papers.submit("添加附件", {"paper": ("表.doc", DOC)})
    answer = papers.client.get(papers.soup.select_one("a[href*='/files/']")["href"], base_url="http://127.0.0.1:8080")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name, content, number, words",
    [
        ("脚本.jpg", b"<script>alert(1)</script>", "90003", "不是jpg、pdf、doc格式"),
        ("图.jpg", PNG, "90003", "不是jpg、pdf、doc格式"),  # a picture, but not of a type asked for
        ("包.doc", b"PK\x03\x04" + b"\0" * 40, "90003", "格式"),  # only the beginning of a zip
        ("空.jpg", b"", "90021", "是空的"),
        ("大.jpg", b"\xff\xd8\xff" + bytes(4 * 2**20), "90004", "不能超过4M"),
    ],
)
def test_a_file_that_is_not_taken_is_said_with_the_rule_and_all_else_is_kept(papers, name, content, number, words):
    papers.submit(NEXT, {"paper": (name, content)}, device="machine")
    assert words in papers.errors[0] and number in papers.main
    assert papers.value("device") == "machine"
    document = document_of(papers)
    assert files_of(document.id) == [] and document.answers["device"].typed["device"] == ["machine"]


def test_a_file_that_is_not_taken_leaves_the_one_before(papers):
    papers.submit("添加附件", {"paper": ("好.jpg", JPG)})
    papers.submit("添加附件", {"paper": ("坏.jpg", b"text")})
    assert "好.jpg" in papers.main and "坏.jpg" in papers.errors[0]


def test_a_file_of_exactly_the_limit_is_taken(papers):
    papers.submit("添加附件", {"paper": ("大.jpg", b"\xff\xd8\xff" + bytes(4 * 2**20 - 3))})
    assert papers.errors == [] and "4096 KB" in papers.main


def test_no_more_than_the_limit_is_read(papers, monkeypatch):
    read = []

    class Counting:
        def read(self, size):
            read.append(size)
            return b"x" * size

    monkeypatch.setattr(file_store, "CHUNK", 1000)
    with papers.client.application.app_context(), pytest.raises(file_store.FileRefused):
        file_store._receive(Counting(), file_store._incoming() / "counting", 2500)
    assert read == [1000, 1000, 1000]


def test_a_file_can_be_deleted_and_another_takes_its_place(papers):
    papers.submit("添加附件", {"paper": ("一.jpg", JPG)})
    papers.submit("删除")
    assert "一.jpg" not in papers.main
    papers.submit("添加附件", {"paper": ("二.jpg", JPG)})
    papers.submit("添加附件", {"paper": ("三.jpg", JPG)})
    assert "三.jpg" in papers.main and "二.jpg" not in papers.main


def test_a_name_is_only_a_name(papers):
    papers.submit("添加附件", {"paper": ("../照片/证照.jpg", JPG)})
    assert [row.name for row in files_of(document_of(papers).id)] == ["证照.jpg"]


def test_the_file_of_another_document_is_not_taken(papers, papers_of_boris):
    stolen = files_of(document_of(papers_of_boris).id)[0]
    papers.submit(NEXT, device="machine", paper=str(stolen.id))
    assert "乙.jpg" not in papers.main and document_of(papers).answers["device"].typed.get("paper", []) == []


def test_the_file_of_another_company_is_not_there(papers, papers_of_boris):
    stolen = files_of(document_of(papers_of_boris).id)[0]
    assert papers.open(f"/files/{stolen.id}").status == 404


def test_a_file_of_an_anonymous_draft_is_seen_only_by_its_browser(browser, other_browser):
    begin(browser, "opening").submit(NEXT, type="new")
    browser.submit(NEXT, name="丁公司", uscc="9113000034801880XB")
    browser.submit(NEXT, user="Carol", password="correct horse", again="correct horse", email="carol@example.com")
    browser.submit("添加附件", {"paper": FILE})
    url = browser.soup.select_one("a[href*='/files/']")["href"]
    assert browser.client.get(url, base_url="http://127.0.0.1:8080").status_code == 200
    assert other_browser.open(url).status == 404


def test_files_lie_encrypted_in_the_store(papers, settings):
    papers.submit("添加附件", {"paper": ("执照.jpg", JPG)})
    row = files_of(document_of(papers).id)[0]
    sealed = (settings.file_store / row.id.hex[:2] / row.id.hex).read_bytes()
    assert JPG not in sealed and b"x" * 20 not in sealed
    assert not list((settings.file_store / "incoming").glob("tmp*")), "nothing is left behind"


def test_a_file_that_was_altered_in_the_store_does_not_open(papers, settings):
    from cryptography.exceptions import InvalidTag

    papers.submit("添加附件", {"paper": ("执照.jpg", JPG)})
    row = files_of(document_of(papers).id)[0]
    path = settings.file_store / row.id.hex[:2] / row.id.hex
    stored = path.read_bytes()
    path.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    with papers.client.application.app_context(), pytest.raises(InvalidTag):
        file_store.read_file(row)


def test_a_submitted_paper_stays_readable_after_it_was_replaced(papers, people):
    papers.submit(NEXT, {"paper": ("一.jpg", JPG)}, device="machine")
    papers.submit("提交")
    papers.open(root_of(papers)).follow("一.jpg")
    assert papers.response.data == JPG
    assert session.query(StoredFile).count() == 1
