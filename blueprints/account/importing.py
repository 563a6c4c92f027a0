"""Companies and users of an older portal (原质检系统, another region), from a CSV file: read, checked, stored (M91, M215).

`docs/import.md` describes the file. Nothing here prints, logs or raises what stands in a cell.
"""

import codecs
import csv
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from blueprints.common import clock
from blueprints.common.checks import has_uscc_check_digit, is_email, is_id_number, is_mobile, is_uscc_shape, org_code_of
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from models.accounts import MIGRATED, Enterprise, User, holders_of, known_companies, people_of
from models.database import session
from models.types import blind

COLUMNS = {
    "company": "单位名称", "uscc": "统一社会信用代码", "org_code": "组织机构代码", "address": "单位地址", "customs_code": "海关编码",
    "user": "用户名", "role": "角色", "name": "姓名", "id_type": "证件类型", "id_number": "证件号码", "email": "邮箱", "mobile": "手机",
}  # fmt: skip
REQUIRED = ("company", "uscc", "user", "role", "name")
LIMITS = {"company": 200, "address": 200, "name": 100, "id_number": 40}
ROLES = {"管理员": "administrator", "操作员": "operator", "administrator": "administrator", "operator": "operator"}
ID_TYPES = {
    "": "id-card", "身份证": "id-card", "居民身份证": "id-card", "id-card": "id-card", "护照": "passport", "passport": "passport",
    "其他": "other", "其他证件": "other", "other": "other",
}  # fmt: skip
NEW, KNOWN, WRONG, ADVICE = "新建", "已有", "有问题", "提醒"
ALL_RIGHTS = {"exports": 3, "trade": 3, "access": 3}
UNSEEN = ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")  # Unicode categories of controls and spaces
CHUNK = 1000
_BLOCK = 1 << 20


class ImportRefused(Exception):
    """The file as a whole is not taken; `sentence` says why and what to do."""

    def __init__(self, number: str, template: str, **parts):
        self.sentence = Sentence(number, template, **parts)
        super().__init__(self.sentence)


@dataclass(slots=True)
class Row:
    """One user with his company. `problem`, `advice`: what the file itself tells; the outcome needs the tables too."""

    line: int
    company: str = ""
    uscc: str = ""
    org_code: str = ""
    address: str = ""
    customs_code: str = ""
    user: str = ""
    role: str = ""
    name: str = ""
    id_type: str = ""
    id_number: str = ""
    email: str = ""
    mobile: str = ""
    problem: Sentence | None = None
    advice: Sentence | None = None
    outcome: str = WRONG
    sentence: str = ""

    @property
    def key(self) -> str:
        """As `find_user` looks for it."""
        return self.user.casefold()

    @property
    def company_key(self) -> str:
        """组织机构代码 by the USCC; empty where that has not its shape."""
        return org_code_of(self.uscc) if is_uscc_shape(self.uscc) else ""

    def end(self, outcome: str, sentence: str = "") -> None:
        self.outcome, self.sentence = outcome, sentence


# -- reading


def read_rows(path: Path) -> Iterator[Row]:
    """The rows below the heading, blank ones left out. Raises `ImportRefused`."""
    with path.open(encoding=_encoding_of(path), newline="") as file:
        delimiter = "\t" if "\t" in file.readline(_BLOCK) else ","
        file.seek(0)
        records = _records(file, delimiter)
        columns = _columns(next(records, (0, []))[1])
        for line, cells in records:
            row = Row(line, **{key: _clean(key, cell) for key, cell in zip(columns, cells, strict=False)})
            if any(cell.strip() for cell in cells[len(columns) :]):
                row.problem = Sentence("90749", "这一行的格子比标题多，可能哪一格里有逗号却没有加引号")
            yield row


def _encoding_of(path: Path) -> str:
    with path.open("rb") as file:
        first = file.read(_BLOCK)
    if not first.strip(b"\xef\xbb\xbf \t\r\n"):
        raise ImportRefused("90741", "这个文件是空的")
    if b"\0" in first or first.startswith((b"PK\x03\x04", b"%PDF")):
        raise ImportRefused("90742", "这个文件不是CSV，请在Excel里另存为“CSV UTF-8（逗号分隔）”再导入")
    for encoding in ("utf-8-sig", "gb18030"):  # gb18030 holds all of GBK
        if _is_encoded(path, encoding):
            return encoding
    raise ImportRefused("90743", "文件的编码认不出，请存成UTF-8或GBK再导入")


def _is_encoded(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _records(file, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, cells). Strict: after a quote without its other half nothing could be trusted."""
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ImportRefused("90744", "第{line}行起格式不对，可能有引号没有成对，请改好再导入", line=line) from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _columns(heading: list[str]) -> list[str]:
    """The key of each column. What cannot be a heading is not repeated: a file without one begins with a person."""
    names = {title: key for key, title in COLUMNS.items()} | {key: key for key in COLUMNS}
    titles = [cell.strip().strip("*").casefold() for cell in heading]
    while titles and not titles[-1]:
        titles.pop()
    if not names.keys() & set(titles):
        raise ImportRefused("90745", "第一行要写列名，像“单位名称”“用户名”，请对照导入说明")
    for place, title in enumerate(titles, 1):
        if title not in names:
            raise ImportRefused("90746", "第{place}列「{title}」认不出，请对照导入说明改列名，或删掉这一列",
                                place=place, title=title[:20])  # fmt: skip
    keys = [names[title] for title in titles]
    for key, title in COLUMNS.items():
        if keys.count(key) > 1:
            raise ImportRefused("90747", "「{title}」这一列有两次，请留一列", title=title)
        if key in REQUIRED and key not in keys:
            raise ImportRefused("90748", "少了「{title}」这一列，请补上", title=title)
    return keys


def _clean(key: str, cell: str) -> str:
    """Codes and numbers in half width and capitals, without the ' or tab that keeps Excel from rounding them."""
    text = cell.strip().strip("\ufeff\u200b")
    if key in ("uscc", "org_code", "id_number", "mobile", "customs_code"):
        text = unicodedata.normalize("NFKC", text).lstrip("'").upper().replace(" ", "")
        return text.replace("-", "") if key in ("org_code", "mobile") else text
    return text.casefold() if key in ("role", "id_type") else text


# -- checking


@dataclass
class Check:
    """What the rows before say against a row: the same user name, person, a company said otherwise."""

    names: dict[str, int] = field(default_factory=dict)
    people: set[tuple[str, str]] = field(default_factory=set)
    companies: dict[str, Row] = field(default_factory=dict)
    administrators: dict[str, int] = field(default_factory=dict)

    def look_at(self, row: Row) -> Row:
        """Sets problem or advice. A row that is wrong itself still stands in the way of the ones after it."""
        clashes = list(self._clashes(row))
        row.problem = row.problem or next(_problems(row), None) or next(iter(clashes), None)
        if row.problem:
            row.end(WRONG, row.problem)
        else:
            row.advice = next(_advice(row), None)
        return row

    def _clashes(self, row: Row) -> Iterator[Sentence]:
        key = row.company_key
        first = self.names.setdefault(row.key, row.line)
        if row.key and first != row.line:
            yield Sentence("90761", "用户名和第{line}行的重复（不分大小写），请改一个", line=first)
        head = self.companies.setdefault(key, row)
        if key and (head.uscc, head.company) != (row.uscc, row.company):
            yield Sentence(
                "90766", "单位名称或统一社会信用代码和第{line}行的不一样，同一个单位要写得一样", line=head.line
            )
        if row.id_number and (key, row.id_number) in self.people:
            yield Sentence("90763", "这个证件号码在本单位已经有账号了，一人一个账号")
        self.people.add((key, row.id_number))
        is_administrator = ROLES.get(row.role) == "administrator"
        if key and is_administrator and self.administrators.setdefault(key, row.line) != row.line:
            yield Sentence("90764", "这个单位已经有管理员，一个单位只有一位；别的人请写操作员")


def _problems(row: Row) -> Iterator[Sentence]:
    for key, title in COLUMNS.items():
        text = getattr(row, key)
        if any(unicodedata.category(letter) == "Cc" for letter in text):
            yield Sentence("90750", "「{title}」里有换行或看不见的字符，请删掉", title=title)
        if key in REQUIRED and not text:
            yield Sentence("90751", "「{title}」没有填", title=title)
        if len(text) > LIMITS.get(key, len(text)):
            yield Sentence("90752", "「{title}」最多{limit}个字", title=title, limit=LIMITS[key])
    if not row.company_key:
        yield Sentence("90753", "统一社会信用代码要18位，只有数字和大写字母，没有I、O、S、V、Z，请对照证照")
    if row.org_code and row.org_code != row.company_key:
        yield Sentence("90754", "组织机构代码和统一社会信用代码的第9到17位不一样，请对照证照")
    if not is_user_name(row.user):
        yield Sentence("90755", "用户名要2到40个字，不能有空格")
    if row.role not in ROLES:
        yield Sentence("90756", "「角色」只写管理员或操作员")
    if row.id_type not in ID_TYPES:
        yield Sentence("90757", "「证件类型」只写身份证、护照或其他")
    if row.id_number and ID_TYPES.get(row.id_type) == "id-card" and not is_id_number(row.id_number):
        yield Sentence("90758", "身份证号码要18位，且校验位要对，请对照证件")
    if row.email and not is_email(row.email):
        yield Sentence("90759", "邮箱的格式不对，应像name@example.com这样")
    if row.mobile and not is_mobile(row.mobile):
        yield Sentence("90760", "手机号码要11位，以1开头")


def is_user_name(text: str) -> bool:
    """More than registration takes, since old systems had other rules; but nothing that cannot be typed or seen."""
    return 2 <= len(text) <= 40 and not any(unicodedata.category(letter) in UNSEEN for letter in text)


def _advice(row: Row) -> Iterator[Sentence]:
    if not row.email and not row.mobile:
        yield Sentence("90768", "没有邮箱也没有手机，第一次登录没法自己设密码，要打客服热线")
    if not has_uscc_check_digit(row.uscc):
        yield Sentence("90767", "统一社会信用代码的校验位不对，请对照证照")


# -- storing


@dataclass
class Tables:
    """What the tables hold of one chunk: company ids by USCC and 组织机构代码, whose the user names are, the people."""

    companies: dict[str, UUID]
    names: dict[str, UUID | None]
    people: set[tuple[UUID, bytes]]
    administrators: set[UUID]

    @classmethod
    def of(cls, rows: list[Row]) -> "Tables":
        names, codes = sorted({row.key for row in rows}), sorted({row.uscc for row in rows})
        holders = {name: holder for part in parts(names) for name, holder in holders_of(part)}
        found = [each for part in parts(codes) for each in known_companies(part, [org_code_of(uscc) for uscc in part])]
        companies = {code: company for company, *both in found for code in both if code}
        people = [each for part in parts(sorted(set(companies.values()))) for each in people_of(part)]
        return cls(companies, holders, {(company, person) for company, _, person in people if person},
                   {company for company, role, _ in people if role == "administrator"})  # fmt: skip

    def company_of(self, row: Row) -> UUID | None:
        return self.companies.get(row.company_key) or self.companies.get(row.uscc)


def import_rows(rows: list[Row], *, rights: dict, store: bool, all_or_nothing: bool = False) -> bool:
    """Sets the outcome of every right row and stores it, a transaction per chunk; gives whether anything may be stored.

    `all_or_nothing`: one transaction, taken back if any row has a problem. Raises `ImportRefused` where somebody took
    a name or company in the meantime; what is committed by then stays.
    """
    store = store and not (all_or_nothing and any(row.problem for row in rows))
    for companies in chunks(rows):
        import_chunk_again_if_taken(companies, rights, store, commits=not all_or_nothing)
    if store and not (all_or_nothing and any(row.outcome == WRONG for row in rows)):
        session.commit()
        return True
    session.rollback()
    return False


def import_chunk_again_if_taken(companies: list[list[Row]], rights: dict, store: bool, commits: bool) -> None:
    for _ in range(2 if commits else 1):
        try:
            import_chunk(companies, rights, store)
            if store and commits:
                session.commit()
            return
        except IntegrityError:  # not chained: its text holds the rows
            session.rollback()
    raise ImportRefused("90769", "有人正好在登记同样的单位或账号，没有导完；请再导入一次，已经存了的不会重复")


def chunks(rows: Iterable[Row]) -> Iterator[list[list[Row]]]:
    """Whole companies, together about `CHUNK` rows; wrong rows are left out."""
    companies: dict[str, list[Row]] = {}
    for row in rows:
        if not row.problem:
            companies.setdefault(row.company_key, []).append(row)
    chunk, size = [], 0
    for company in companies.values():
        chunk.append(company)
        size += len(company)
        if size >= CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def import_chunk(companies: list[list[Row]], rights: dict, store: bool) -> None:
    tables = Tables.of([row for company in companies for row in company])
    for company in companies:
        decide(company, tables)
    if store:
        made = (model for company in companies for model in models_of(company, tables, rights))
        while batch := list(islice(made, CHUNK)):
            session.add_all(batch)
            session.flush()
            for model in batch:
                session.expunge(model)


def decide(company: list[Row], tables: Tables) -> None:
    """The outcome of each row of one company."""
    known = tables.company_of(company[0])
    has_administrator = known in tables.administrators
    for row in company:
        is_taken = row.key in tables.names
        if is_taken and known and tables.names[row.key] == known:
            row.end(KNOWN)
        elif is_taken:
            row.end(WRONG, Sentence("90762", "这个用户名已有别的单位的人在用，请改一个"))
        elif known and row.id_number and (known, blind("users.id_number", row.id_number)) in tables.people:
            row.end(WRONG, Sentence("90763", "这个证件号码在本单位已经有账号了，一人一个账号"))
        elif ROLES[row.role] == "administrator" and has_administrator:
            row.end(WRONG, Sentence("90764", "这个单位已经有管理员，一个单位只有一位；别的人请写操作员"))
        else:
            row.end(ADVICE if row.advice else NEW, row.advice or ("加到已有的单位" if known else ""))
    fresh = [row for row in company if row.outcome in (NEW, ADVICE)]
    if not has_administrator and not any(ROLES[row.role] == "administrator" for row in fresh):
        for row in fresh:
            row.end(
                WRONG, Sentence("90765", "这个单位没有管理员，或管理员那一行有问题，整个单位没有导入；请改好那一行")
            )


def models_of(company: list[Row], tables: Tables, rights: dict) -> Iterator[Enterprise | User]:
    """Of one company: itself where it is not known yet, then its missing users; with its audit event."""
    fresh = [row for row in company if row.outcome in (NEW, ADVICE)]
    if not fresh:
        return
    known, head, now = tables.company_of(company[0]), company[0], clock.now()
    enterprise = known or Enterprise(name=head.company, uscc=head.uscc, org_code=head.company_key, address=head.address,
                                     origin=MIGRATED, details={}, created_at=now)  # fmt: skip
    if not known:
        yield enterprise
    company_id = known or enterprise.id
    record("迁移导入", f"enterprise:{company_id}", by="flask accounts import", enterprise_id=company_id,
           users=len(fresh), company="已有" if known else "新建")  # fmt: skip
    for row in fresh:
        role = ROLES[row.role]
        user = User(name=row.key, shown_name=row.user, password_hash=None, enterprise_id=company_id, role=role,
                    rights=rights if role == "operator" else {}, created_at=now)  # fmt: skip
        user.keep_person(row.name, row.id_number, row.email)
        user.keep_mobile(row.mobile)
        if ID_TYPES[row.id_type] != "id-card":
            user.papers = {"id_type": ID_TYPES[row.id_type]}
        yield user


def parts(values: list) -> Iterator[list]:
    """Slices for one IN query each."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
