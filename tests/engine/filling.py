"""What people type, page by page, and a `Draft` to fill documents in as they do."""

from dataclasses import dataclass, replace

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.documents import Office
from blueprints.common.records import lines_sent, round_of
from models.accounts import User
from models.database import session
from models.documents import Document
from models.files import StoredFile

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082")  # fmt: skip

LINK = {
    "company": {"phone": "0571-95198"},
    "node": {"node": "2", "data": ["order", "list"]},
    "device": {"device": "machine"},
}
ENTRUSTMENT = {"pair": {"side": "client", "code": "1301000002"}, "terms": {"until": "2027-12-31"}}
BOOKING = {"card": {"operation": "new"}, "slot": {"slot": "25am"}}
CAPITAL = {"capital": {"capital": "100", "broker": "yes"}}
WAREHOUSE = {"warehouse": {"name": "汉堡仓", "address": "Hafenstr. 1"}}
PHONE = {"phone": {"phone": "13000000002", "code": "123456"}}


@dataclass(frozen=True)
class Files:
    """Ids of stored files: two good ones, one too big, one of another type."""

    one: str
    two: str
    big: str
    doc: str


def make_files() -> Files:
    sizes = {"执照.jpg": 1000, "新执照.jpg": 1000, "大.jpg": 3 * 2**20, "a.doc": 10}
    rows = [
        StoredFile(kind=name[-3:], size=size, sha256=b"", at=clock.now(), name=name) for name, size in sizes.items()
    ]
    session.add_all(rows)
    session.flush()
    return Files(*(str(row.id) for row in rows))


def opening(files) -> dict:
    return {
        "type": {"type": "new"},
        "company": {"name": "丁公司", "uscc": "9113000034801880XB"},
        "user": {"user": "Carol", "password": "correct horse", "again": "correct horse", "email": "carol@example.com"},
        "papers": {"paper": files.one},
    }


def investor(files, name: str, amount: str, place="investors/new") -> dict:
    return {place: {"name": name, "amount": amount, "proof": files.one}}


def qualification(files) -> list[dict]:
    staff = {"staff/new": {"name": "王五", "id": "130100199001011813", "photo": files.one}}
    investors = investor(files, "张三", "60"), investor(files, "李四", "40")
    return [CAPITAL, *investors, {"investors": {}}, staff, {"staff": {}}]


def principal_of(user: User, **more) -> Principal:
    company = user.enterprise
    who = Principal(
        user_id=user.id, name=user.name, role=user.role, enterprise_id=company and company.id, desks=frozenset(user.desks),
        enterprise_name=company.name if company else "", code=company and company.active_code, medium="法人卡",
    )  # fmt: skip
    return replace(who, **more)


def numbers(problems) -> list[str]:
    return [problem.number for problem in problems]


class Draft:
    """A document and its office, so that a test reads as what people do."""

    def __init__(self, office: Office, kind: str, by: Principal | None, clerk: Principal | None = None):
        self.office, self.by, self.clerk = office, by, clerk
        self.document: Document = office.start(kind, by)

    def save(self, place: str, **typed):
        saved = self.document.answers.get(place)
        return self.save_at(saved.revision if saved else 0, place, **typed)

    def save_at(self, revision: int, place: str, by: str = "anna", **typed):
        form = self.office.form(self.document, place, typed)
        return self.office.save(self.document, form, by, revision)

    def fill(self, *pages: dict):
        for page in pages:
            for place, typed in page.items():
                self.save(place, **typed)
        return self

    def submit(self):
        return self.office.submit(self.document, "anna", self.by)

    def approve(self, stage: str, by=None, round=None, **typed):
        self.office.approve(self.document, stage, by or self.clerk, round or self.round, typed)

    def send_back(self, stage: str, *reasons, by=None):
        self.office.send_back(self.document, stage, by or self.clerk, self.round, list(reasons))

    @property
    def round(self) -> int:
        return round_of(self.document)

    @property
    def resume(self):
        return self.office.resume(self.document)

    @property
    def path(self):
        return [visit.step.slug for visit in self.office.walk(self.document)[0]]

    @property
    def open(self):
        return [stage.slug for stage in self.office.open_stages(self.document)]

    @property
    def status(self):
        return str(self.office.status(self.document))

    @property
    def shown(self):
        return {line.path: line.shown for line in lines_sent(self.document)}

    @property
    def outcome(self):
        return self.document.end_outcome
