"""`flask accounts import`: what an operator's file brings in, and what it must not."""

import csv

import pytest
from sqlalchemy import func, select

from blueprints.account import importing
from blueprints.account.importing import COLUMNS, ImportRefused, Tables, import_rows, read_rows
from blueprints.common.checks import has_uscc_check_digit, is_id_number
from models.accounts import MIGRATED, Enterprise, User, find_enterprise, find_user, users_of
from models.database import session
from models.documents import HistoryEvent
from tests.browsing import Browser
from tests.conftest import USCC, log_in, make_enterprise, make_user


def uscc(number: int) -> str:
    body = f"91130100MA{number:07}"
    return next(body + digit for digit in "0123456789ABCDEFGHJKLMNPQRTUWXY" if has_uscc_check_digit(body + digit))


def id_number(number: int) -> str:
    body = f"13010018990101{number:03}"
    return next(body + digit for digit in "0123456789X" if is_id_number(body + digit))


OWNER = {
    "company": "石家庄远航外贸有限公司", "uscc": uscc(1), "org_code": uscc(1)[8:17], "address": "石家庄市新华区联盟路699号",
    "customs_code": "", "user": "YuanHang01", "role": "管理员", "name": "李明", "id_type": "身份证", "id_number": id_number(1),
    "email": "liming@example.com", "mobile": "13000000001",
}  # fmt: skip
CLERK = OWNER | {
    "user": "caozuo01",
    "role": "操作员",
    "name": "钱小满",
    "id_number": id_number(2),
    "email": "qian@example.com",
}
OTHER = OWNER | {"company": "石家庄另一家有限公司", "uscc": uscc(2), "org_code": "", "user": "lingyijia"}


class Operator:
    """At the server's terminal, with a file from the old system."""

    def __init__(self, app, folder):
        self.app, self.folder = app, folder
        self.source, self.reports = folder / "old.csv", 0

    def writes(self, *rows, encoding="utf-8", columns=COLUMNS, titles=None):
        with self.source.open("w", encoding=encoding, newline="") as file:
            lines = csv.writer(file)
            lines.writerow(titles or [COLUMNS[key] for key in columns])
            lines.writerows([row[key] for key in columns] for row in rows)
        return self

    def imports(self, *options):
        self.reports += 1
        path = self.folder / f"report{self.reports}.csv"
        arguments = ["accounts", "import", str(self.source), "--report", str(path), *options]
        result = self.app.test_cli_runner().invoke(args=arguments)
        self.code, self.said = result.exit_code, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        text = path.read_text("utf-8-sig") if path.exists() else ""
        self.report = list(csv.reader(text.splitlines()))
        return self

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(line[3], line[4]) for line in self.report[1:]]


@pytest.fixture
def operator(app, tmp_path):
    return Operator(app, tmp_path)


def count(model) -> int:
    return session.scalar(select(func.count()).select_from(model))


@pytest.mark.item("M91", "M215")
def test_a_file_brings_a_company_with_its_administrator_and_operator(operator):
    operator.writes(OWNER, CLERK).imports()
    assert operator.code == 0
    assert "共2行：新建2行，提醒0行，已有0行，有问题0行" in operator.said
    company = find_enterprise(uscc(1))
    assert (company.origin, company.level, company.org_code) == (MIGRATED, 0, uscc(1)[8:17])
    assert (company.name, company.address) == (OWNER["company"], OWNER["address"])
    owner, clerk = users_of(company.id)
    assert (owner.name, owner.shown_name, owner.role) == ("yuanhang01", "YuanHang01", "administrator")
    person = owner.real_name, owner.id_number, owner.email, owner.mobile
    assert person == ("李明", id_number(1), "liming@example.com", "13000000001")
    assert owner.password_hash is None and owner.is_active and not owner.is_new
    assert (clerk.role, clerk.rights) == ("operator", {})
    assert operator.report[1] == ["2", "YuanHang01", OWNER["company"], "新建", "", ""]


def test_the_audit_has_one_event_a_company_without_anything_personal(operator):
    operator.writes(OWNER, CLERK, OTHER).imports()
    events = session.scalars(select(HistoryEvent).where(HistoryEvent.act == "迁移导入").order_by(HistoryEvent.id)).all()
    assert [event.details for event in events] == [{"users": 2, "company": "新建"}, {"users": 1, "company": "新建"}]
    assert events[0].subject == f"enterprise:{find_enterprise(uscc(1)).id}"
    assert events[0].enterprise_id == find_enterprise(uscc(1)).id


def test_operators_get_all_rights_only_when_that_is_asked_for(operator):
    operator.writes(OWNER, CLERK).imports("--full-rights")
    assert find_user("caozuo01").rights == {"exports": 3, "trade": 3, "access": 3}
    assert find_user("yuanhang01").rights == {}


@pytest.mark.item("M91", "M215")
def test_a_migrated_company_is_asked_for_its_real_name(operator):
    operator.writes(OWNER).imports()
    browser = log_in(Browser(operator.app), find_user("yuanhang01")).open("/realname/")
    assert "本单位还没有实名认证，轮到您了。" in browser.text


def test_a_migrated_user_cannot_log_in_before_setting_a_password(operator, browser):
    operator.writes(OWNER).imports()
    for password in ("correct horse", "None", " "):
        browser.open("/login")
        browser.submit("登 录", user="yuanhang01", password=password, captcha="XXXXX")
        assert browser.url == "/login"
    browser.open("/login")
    browser.submit("登 录", user="YuanHang01", password="yuanhang01", captcha="XXXXX")
    assert "用户名或密码不对" in browser.text


def test_the_same_file_twice_doubles_nothing(operator):
    advised = OTHER | {"email": "", "mobile": ""}
    operator.writes(OWNER, CLERK, advised).imports()
    assert operator.outcomes == [("新建", ""), ("新建", ""), ("提醒", "90768")]
    before = count(Enterprise), count(User), count(HistoryEvent)
    operator.imports()
    assert operator.outcomes == [("已有", "")] * 3
    assert operator.code == 0
    assert (count(Enterprise), count(User), count(HistoryEvent)) == before


def test_a_dry_run_says_what_would_be_and_writes_nothing(operator):
    operator.writes(OWNER, CLERK, OTHER | {"role": "经理"}).imports("--dry-run")
    assert operator.outcomes == [("新建", ""), ("新建", ""), ("有问题", "90756")]
    assert operator.report[1][5] == "没有存"
    assert "这是试运行，数据库里什么也没有写。" in operator.said
    assert operator.code == 1
    assert (count(Enterprise), count(User), count(HistoryEvent)) == (0, 0, 0)


def test_right_rows_are_stored_beside_wrong_ones(operator):
    operator.writes(OWNER, CLERK | {"mobile": "123"}, OTHER).imports()
    assert operator.outcomes == [("新建", ""), ("有问题", "90760"), ("新建", "")]
    assert operator.code == 1
    assert find_user("yuanhang01") and find_user("lingyijia") and not find_user("caozuo01")
    assert "90760 手机号码要11位，以1开头：1行" in operator.said


@pytest.mark.parametrize("wrong", [{"mobile": "123"}, {"user": "demo01"}], ids=["in the file", "in the table"])
def test_all_or_nothing_stores_nothing_beside_a_wrong_row(operator, administrator, wrong):
    operator.writes(OWNER, CLERK | wrong, OTHER).imports("--all-or-nothing")
    assert operator.code == 1
    assert [outcome for outcome, _ in operator.outcomes] == ["新建", "有问题", "新建"]
    assert "有的行有问题，按要求一行也没有存。" in operator.said
    assert count(User) == 1
    operator.writes(OWNER, CLERK, OTHER).imports("--all-or-nothing")
    assert operator.code == 0
    assert count(User) == 4


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"name": "钱\n小满"}, "90750"), ({"address": "石家庄\x01市"}, "90750"), ({"company": ""}, "90751"),
        ({"user": ""}, "90751"), ({"role": ""}, "90751"), ({"name": ""}, "90751"), ({"uscc": ""}, "90751"),
        ({"company": "长" * 300}, "90752"), ({"name": "长" * 300}, "90752"), ({"address": "长" * 300}, "90752"),
        ({"id_type": "护照", "id_number": "E" * 300}, "90752"), ({"uscc": uscc(1)[:17]}, "90753"),
        ({"uscc": uscc(1)[:16] + "IO"}, "90753"), ({"org_code": "MA0000009"}, "90754"),
        ({"user": "a"}, "90755"), ({"user": "长" * 300}, "90755"), ({"user": "cao zuo"}, "90755"),
        ({"user": "cao　zuo"}, "90755"), ({"user": "cao\u200bzuo"}, "90755"), ({"role": "经理"}, "90756"),
        ({"id_type": "驾照"}, "90757"), ({"id_number": id_number(2)[:17] + "?"}, "90758"),
        ({"id_type": "", "id_number": "1.301E+17"}, "90758"), ({"email": "qian.example.com"}, "90759"),
        ({"mobile": "0311-1234567"}, "90760"), ({"user": "YUANHANG01"}, "90761"),
        ({"id_number": id_number(1)}, "90763"), ({"role": "管理员"}, "90764"), ({"company": "石家庄远航外贸公司"}, "90766"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_told_by_its_number_and_not_stored(operator, change, number):
    operator.writes(OWNER, CLERK | {"org_code": ""} | change).imports()
    assert operator.outcomes == [("新建", ""), ("有问题", number)]
    assert operator.report[2][0] == "3" and operator.report[2][5]
    assert count(User) == 1
    for personal in (OWNER["name"], OWNER["id_number"], OWNER["email"], OWNER["mobile"], CLERK["name"], CLERK["email"]):
        assert personal not in operator.said
        assert all(personal not in cell for line in operator.report for cell in line)


def test_one_organisation_code_under_two_usccs_is_a_problem(operator):
    operator.writes(OWNER, CLERK | {"uscc": "12" + uscc(1)[2:]}).imports()
    assert operator.outcomes == [("新建", ""), ("有问题", "90766")]


def test_a_row_with_more_cells_than_the_heading_is_wrong(operator):
    operator.writes(OWNER, CLERK)
    lines = operator.source.read_text("utf-8").splitlines()
    operator.source.write_text("\n".join([lines[0], lines[1] + ",,", lines[2] + ",又一格"]), "utf-8")
    operator.imports()
    assert operator.outcomes == [("新建", ""), ("有问题", "90749")]


def test_a_name_of_another_company_or_of_an_official_is_taken_in_any_case(operator, administrator, reviewer):
    operator.writes(
        OWNER, CLERK | {"user": "DEMO01"}, CLERK | {"user": "Reviewer1", "id_number": id_number(3)}
    ).imports()
    assert operator.outcomes == [("新建", ""), ("有问题", "90762"), ("有问题", "90762")]
    assert find_user("demo01").enterprise_id == administrator.enterprise_id


def test_a_known_company_stays_as_it_is_and_gets_its_missing_users(operator, company, administrator):
    known = {"company": "旧名称有限公司", "uscc": USCC, "org_code": "", "address": "旧地址"}
    there, another = OWNER | known | {"user": "Demo01"}, OWNER | known | {"user": "guanli02"}
    operator.writes(there, CLERK | known, another | {"role": "操作员", "id_number": ""}).imports()
    assert operator.outcomes == [("已有", ""), ("新建", ""), ("新建", "")]
    assert operator.report[2][5] == "加到已有的单位"
    found = find_enterprise(USCC)
    assert (found.name, found.origin, found.address) == (company.name, "registered", company.address)
    assert {user.name for user in users_of(company.id)} == {"demo01", "caozuo01", "guanli02"}
    assert find_user("demo01").password_hash == administrator.password_hash


def test_a_known_company_takes_no_second_administrator_and_no_person_twice(operator, company, administrator):
    known = {"company": company.name, "uscc": USCC, "org_code": ""}
    second = OWNER | known | {"id_number": id_number(3)}
    operator.writes(second, CLERK | known | {"id_number": administrator.id_number}).imports()
    assert operator.outcomes == [("有问题", "90764"), ("有问题", "90763")]
    assert len(users_of(company.id)) == 1


def test_the_same_person_may_work_for_two_companies(operator):
    operator.writes(OWNER, OTHER).imports()
    assert operator.outcomes == [("新建", ""), ("新建", "")]


@pytest.mark.parametrize("owner", [[], [OWNER | {"email": "nobody"}], [OWNER | {"user": "demo01"}]],
                         ids=["none", "wrong in the file", "taken in the table"])  # fmt: skip
def test_a_company_without_a_usable_administrator_is_refused_whole(operator, administrator, owner):
    operator.writes(CLERK, *owner).imports()
    assert operator.outcomes[0] == ("有问题", "90765")
    assert find_enterprise(uscc(1)) is None and find_user("caozuo01") is None


def test_a_second_administrator_does_not_step_in_for_a_wrong_first_one(operator):
    operator.writes(OWNER | {"mobile": "123"}, CLERK | {"role": "管理员"}).imports()
    assert operator.outcomes == [("有问题", "90760"), ("有问题", "90764")]
    assert count(User) == 0


def test_a_wrong_check_digit_is_stored_with_advice(operator):
    wrong = next(uscc(1)[:17] + digit for digit in "0123456789" if not has_uscc_check_digit(uscc(1)[:17] + digit))
    operator.writes(OWNER | {"uscc": wrong}).imports()
    assert operator.outcomes == [("提醒", "90767")]
    assert operator.code == 0 and find_enterprise(wrong)


def test_codes_are_read_as_excel_and_people_leave_them(operator):
    typed = {"uscc": "'" + uscc(1).lower(), "org_code": f"{uscc(1)[8:16]}-{uscc(1)[16]}", "mobile": "130 0000-0001",
             "id_number": id_number(1).lower() + "\t"}  # fmt: skip
    operator.writes(OWNER | typed).imports()
    assert operator.outcomes == [("新建", "")]
    assert find_user("yuanhang01").id_number == id_number(1)
    assert find_user("yuanhang01").mobile == "13000000001"


def test_a_passport_is_kept_as_what_it_is(operator):
    operator.writes(OWNER | {"id_type": "护照", "id_number": "E00000001"}).imports()
    user = find_user("yuanhang01")
    assert (user.id_number, user.papers) == ("E00000001", {"id_type": "passport"})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_a_file_is_read_in_each_encoding(operator, encoding):
    operator.writes(OWNER, CLERK, encoding=encoding).imports()
    assert operator.outcomes == [("新建", "")] * 2
    assert find_enterprise(uscc(1)).name == OWNER["company"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_rare_characters_stay_as_they_are(operator, encoding):
    rare = {"company": "𠮷野家🚢（石家庄）有限公司", "name": "𠮷👨‍👩‍👧·阿卜杜拉", "user": "用户𠮷🚀"}
    operator.writes(OWNER | rare, encoding=encoding).imports()
    assert operator.outcomes == [("新建", "")]
    user = find_user("用户𠮷🚀")
    assert (user.real_name, user.enterprise.name) == (rare["name"], rare["company"])


def test_columns_may_have_english_names_stand_in_any_order_and_partly_be_absent(operator):
    columns = ("role", "uscc", "name", "user", "company")
    operator.writes(OWNER, columns=columns, titles=["Role", "uscc", "*姓名", "USER", "单位名称"]).imports()
    assert operator.outcomes == [("提醒", "90768")]
    assert find_user("yuanhang01").real_name == "李明"


@pytest.mark.parametrize(
    ("titles", "number", "words"),
    [
        ([*COLUMNS.values(), "传真"], "90746", "第13列「传真」认不出"),
        ([*COLUMNS.values(), "用户名"], "90747", "「用户名」这一列有两次"),
        ([*COLUMNS.values(), "user"], "90747", "「用户名」这一列有两次"),
        (["单位名称", "用户名", "角色", "姓名"], "90748", "少了「统一社会信用代码」这一列"),
    ],
)
def test_a_heading_that_is_wrong_is_refused_with_words(operator, titles, number, words):
    operator.writes(OWNER, titles=titles).imports()
    assert operator.code == 1
    assert number in operator.said and words in operator.said
    assert count(User) == 0 and operator.report == []


def test_a_file_without_a_heading_is_refused_without_repeating_the_person(operator):
    operator.writes(CLERK, titles=list(OWNER.values())).imports()
    assert operator.code == 1 and "90745" in operator.said
    assert OWNER["name"] not in operator.said and OWNER["id_number"] not in operator.said


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (b"", "90741"),
        (b"\xef\xbb\xbf\r\n \r\n", "90741"),
        (b"PK\x03\x04" + bytes(range(256)) * 2, "90742"),
        (b"%PDF-1.7\n%", "90742"),
        ("单位名称,用户名".encode("utf-16"), "90742"),
        (b"\x81\xff,\xff\xff", "90743"),
        ((",".join(COLUMNS) + '\n"没有成对,b\n').encode(), "90744"),
        ("<html><body>登录</body></html>".encode(), "90745"),
    ],
)
def test_what_is_not_a_csv_file_is_refused(operator, data, number):
    operator.source.write_bytes(data)
    operator.imports()
    assert operator.code == 1 and number in operator.said


def test_blank_lines_are_left_out_and_lines_keep_their_numbers(operator):
    operator.writes(OWNER, CLERK)
    lines = operator.source.read_text("utf-8").splitlines()
    operator.source.write_text("\n".join([*lines[:2], "", ",,,", lines[2]]), "utf-8")
    operator.imports()
    assert [line[0] for line in operator.report[1:]] == ["2", "5"]


def test_a_report_is_for_the_operator_only_and_never_replaces_a_file(operator):
    operator.writes(OWNER | {"user": "=1+1", "company": "@SUM(A1)"}).imports()
    assert operator.report[1][1:3] == ["'=1+1", "'@SUM(A1)"]
    assert (operator.folder / "report1.csv").stat().st_mode & 0o077 == 0
    before = operator.source.read_bytes()
    arguments = ["accounts", "import", str(operator.source), "--report", str(operator.source)]
    result = operator.app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 1 and "报告存不到" in result.output
    assert operator.source.read_bytes() == before


def test_companies_larger_than_a_chunk_and_many_companies_go_in_whole(operator, monkeypatch):
    monkeypatch.setattr(importing, "CHUNK", 3)
    clerks = [CLERK | {"user": f"caozuo{each:02}", "id_number": ""} for each in range(10)]
    others = [OTHER | {"user": f"guanli{each:02}", "uscc": uscc(each + 10)} for each in range(10)]
    operator.writes(*clerks, OWNER, *others).imports()
    assert operator.outcomes == [("新建", "")] * 21
    assert (count(Enterprise), count(User)) == (11, 21)
    operator.imports()
    assert operator.outcomes == [("已有", "")] * 21


def test_a_name_that_is_taken_while_the_import_runs_is_noticed(operator, monkeypatch):
    """The look-up of the first try does not see it yet; the second does."""
    look_up, tries = Tables.of, []

    def late(rows):
        tables = look_up(rows)
        if not tries:
            make_user("caozuo01", enterprise=make_enterprise())
        tries.append(1)
        return tables

    monkeypatch.setattr(Tables, "of", late)
    operator.writes(OWNER, CLERK).imports()
    assert operator.outcomes == [("新建", ""), ("有问题", "90762")]
    assert len(tries) == 2


def test_what_is_taken_again_and_again_ends_the_import_in_words(operator, context, monkeypatch):
    operator.writes(OWNER)
    rows = [importing.Check().look_at(row) for row in read_rows(operator.source)]
    make_user("yuanhang01", enterprise=make_enterprise())
    monkeypatch.setattr(Tables, "of", lambda rows: Tables({}, {}, set(), set()))
    with pytest.raises(ImportRefused) as refused:
        import_rows(rows, rights={}, store=True)
    assert refused.value.sentence.number == "90769"
    assert refused.value.__cause__ is None and refused.value.__context__ is None
