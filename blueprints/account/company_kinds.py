"""修改单位信息 (M78), 修改法定代表人信息 (M79) and 变更接入地区: applications of the company, reviewed where a paper must prove them."""

from blueprints.common import clock
from blueprints.common.access import ADMINISTRATOR
from blueprints.common.checks import (
    PASSPORT_HINT,
    PERSON_PAPERS,
    date_shape,
    not_expired,
    paper_fits,
    paper_is_ours,
    until_shape,
)
from blueprints.common.fields import Choice, DocumentForm, Locked, Problem, Text, Upload
from blueprints.common.history import record
from blueprints.common.kinds import Claim, Desk, Fact, Kind, Stage, Step
from blueprints.common.numbers import Sentence
from models.accounts import Enterprise, lock_enterprise
from models.database import session
from models.realname import ask_anew

IMAGES = ("jpg", "gif", "bmp", "jpeg", "png")
COUNTRIES = [
    ("CHN", "CHN-中国"),
    ("HKG", "HKG-中国香港"),
    ("MAC", "MAC-中国澳门"),
    ("TWN", "TWN-中国台湾"),
    ("OTH", "其他国家或地区"),
]


def own_company(case) -> Enterprise | None:
    return session.get(Enterprise, case.applicant.enterprise_id) if case.applicant else None


def company_fact(case) -> Fact | None:
    """What stands in the account now; an official who decides later is told when it changed meanwhile."""
    row = own_company(case)
    if row is None:
        return None
    person = row.representative or {}
    parts = {"name": row.name, "uscc": row.uscc or "—", "org_code": row.org_code or "—", "address": row.address,
             "legal_name": person.get("name", ""), "region": row.access_region or case.region.slug}  # fmt: skip
    return Fact(parts, "单位信息", "|".join(map(str, parts.values())))


def scans(label: str, number: str, **rest) -> Upload:
    return Upload(label, number=number, types=IMAGES, limit=10 << 20, pages=5, span=True,
                  hint="原件扫描件，格式为 jpg/gif/bmp/jpeg/png，单张大小不可超过 10M", **rest)  # fmt: skip


def is_renamed(case) -> bool:
    return case["company-data/name"] != case.known("company/name")


class CompanyDataForm(DocumentForm):
    uscc = Locked("统一社会信用代码", fact="company/uscc", number="401101")
    org_code = Locked("组织机构代码", fact="company/org_code", number="401102")
    name = Text("单位中文名称", number="401103", limit=100, span=True, hint="改名称要审核；和营业执照上一字不差")
    address = Text("单位地址", number="401104", limit=200, span=True, hint="只改地址，保存后马上生效")
    licence = scans("营业执照", "401105", required=lambda case: case.here["name"] != case.known("company/name"))


def nothing_changed(case) -> list[Problem]:
    same = all(case[f"company-data/{name}"] == case.known(f"company/{name}") for name in ("name", "address"))
    words = Sentence("90261", "和现在的一样，没有要改的；不用改就点“先不提交”")
    return [Problem("company-data/name", "90261", words)] if same else []


def take_company_data(document, case) -> None:
    company = lock_enterprise(case.applicant.enterprise_id)
    if company.name != case["company-data/name"]:
        ask_anew(company, "单位中文名称", clock.now())
    company.name, company.address = case["company-data/name"], case["company-data/address"]
    record("修改单位信息", f"enterprise:{company.id}", case.applicant)


def one_at_a_time(scope: str, path: str):
    words = "本单位的这一项修改正在审核，不用再提交"
    return lambda case: [Claim(scope, str(case.applicant.enterprise_id), path, words)]


COMPANY_CHANGE = Kind(
    "40", "company-change", "修改单位信息", needs=ADMINISTRATOR, facts={"company": company_fact}, reasons="registration",
    initial=lambda case: {"company-data": {name: case.known(f"company/{name}") for name in ("name", "address")}},
    checks=nothing_changed, effect=take_company_data, claims=one_at_a_time("company-change", "company-data/name"),
    index=("company-data/name",), prepare=("改名称的，准备新的营业执照扫描件",),
    steps=(Step("4011", "company-data", "单位信息", CompanyDataForm),),
    stages=(Stage("4012", "review", "单位信息审核", Desk("registration"), promise=2, when=is_renamed),),
)  # fmt: skip


class RepresentativeForm(DocumentForm):
    name = Text("法定代表人姓名", number="402101", limit=40)
    id_type = Choice("法定代表人证件类型", number="402102", options=PERSON_PAPERS, hint=PASSPORT_HINT, span=True)
    id_number = Text(
        "法定代表人证件号码", paper_fits, paper_is_ours, number="402103", limit=30, personal=True, code=True
    )
    valid_from = Text("身份证有效起始日期", date_shape, number="402104", code=True, hint="日期格式:YYYYMMDD")
    valid_to = Text("身份证有效截至日期", until_shape, not_expired, number="402105", code=True,
                    hint="日期格式:YYYYMMDD,长期有效请输入8个0")  # fmt: skip
    country = Choice("法定代表人国家/地区", number="402106", options=COUNTRIES)
    paper = scans("法定代表人证件", "402107")
    licence = scans("营业执照", "402108")


REPRESENTATIVE = ("name", "id_type", "id_number", "valid_from", "valid_to", "country")


def present_representative(case) -> dict:
    row = own_company(case)
    person = {name: (row.representative or {}).get(name) for name in REPRESENTATIVE} if row else {}
    return {"representative": {"id_type": "id-card", "country": "CHN"} | {k: v for k, v in person.items() if v}}


def take_representative(document, case) -> None:
    company = lock_enterprise(case.applicant.enterprise_id)
    company.representative = {name: case[f"representative/{name}"] for name in REPRESENTATIVE}
    ask_anew(company, "法定代表人", clock.now())
    record("修改法定代表人信息", f"enterprise:{company.id}", case.applicant)


REPRESENTATIVE_CHANGE = Kind(
    "40", "representative-change", "修改法定代表人信息", needs=ADMINISTRATOR, reasons="registration", initial=present_representative,
    facts={"company": company_fact}, effect=take_representative, index=("representative/name",),
    claims=one_at_a_time("representative-change", "representative/name"), prepare=("新的营业执照和法定代表人证件的扫描件",),
    steps=(Step("4021", "representative", "法定代表人信息", RepresentativeForm, template="account/representative.html"),),
    stages=(Stage("4022", "review", "法定代表人信息审核", Desk("registration"), promise=2),),
)  # fmt: skip


def other_regions(case):
    return [(row["slug"], row["name"]) for row in case.region["regions"] if row["slug"] != case.region.slug]


class RegionForm(DocumentForm):
    now = Locked("现在的接入地区", text=lambda case: case.region["short"], number="404101")
    region = Choice("要换到的地区", number="404102", options=other_regions)
    reason = Text("换地区的原因", number="404103", limit=300, long=True, span=True)


def take_region(document, case) -> None:
    company = lock_enterprise(case.applicant.enterprise_id)
    company.access_region = case["region/region"]
    record("变更接入地区", f"enterprise:{company.id}", case.applicant, region=company.access_region)


REGION_CHANGE = Kind(
    "40", "region-change", "变更接入地区", needs=ADMINISTRATOR, effect=take_region, index=("region/region",), reasons="registration",
    facts={"company": company_fact}, claims=one_at_a_time("region-change", "region/region"),
    prepare=("先把正在办的业务办完；换了以后，新业务到新的地区办，这里的还能查",),
    steps=(Step("4041", "region", "接入地区", RegionForm),),
    stages=(Stage("4042", "review", "接入地区审核", Desk("registration"), promise=5),),
)  # fmt: skip
KINDS = (COMPANY_CHANGE, REPRESENTATIVE_CHANGE, REGION_CHANGE)
