"""Page 4090: 活动记录, the company's own audit events in words; operators see their own, administrators all."""

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import request, send_file
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from blueprints.common import clock
from blueprints.common.access import MEMBER, current, page
from blueprints.common.numbers import in_fours
from blueprints.common.periods import day_after, read_day
from blueprints.common.wizard_base import office
from models.database import session
from models.documents import (
    EXACT_EVENTS,
    HistoryEvent,
    company_events,
    count_events,
    names_of_documents,
    page_of_events,
)

from .base import bp, show_here

ROWS = 20
MOST = 50_000  # rows of a workbook
LARGEST = 2**31 - 1  # id of an event
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
HEADS = ("时间", "用户名", "做了什么", "对什么", "内容")

GROUPS = {
    "login": ("登录", {
        "登录": "", "登录失败": "", "退出": "", "激活账号": "", "找回密码": "", "找回用户名": "", "告知账号联系人": "",
        "对找回提出异议": "",
    }),
    "accounts": ("账号和操作员", {
        "请求加入单位": "", "回绝加入请求": "", "迁移导入": "", "新增操作员": "", "修改操作员权限": "", "停用操作员": "", "启用操作员": "",
        "重发初始密码": "", "移交管理员": "", "修改账号所有人": "", "修改登录密码": "", "绑定手机": "", "修改邮箱": "", "申请注销账号": "",
        "撤回注销账号": "", "注销账号": "", "修改单位信息": "", "修改法定代表人信息": "", "变更接入地区": "",
    }),
    "cards": ("卡和认证", {"card-bound": "绑定IC卡", "解除绑定卡": "", "发送检查结果": "", "verified": "单位实名认证通过",
                        "realname step": "法定代表人身份认证核验了一步", "realname hand-over": "请法定代表人在手机上核验"}),
    "documents": ("申请", {
        "开始填写": "", "提交申请": "", "审核通过": "", "退回修改": "", "不予通过": "", "撤回申请": "",
    }),
    "exports": ("出口申报", {
        "保存企业资料": "", "保存海外仓": "", "保存业务策略": "", "启用策略": "", "停用策略": "", "创建申报任务": "", "导入订单": "",
        "推送": "", "删除申报任务": "", "删除订单": "", "录入单证": "", "下载查询结果": "",
        "保存客户资料": "", "关掉自动加签": "", "再发报文": "", "打开自动加签": "", "报障": "", "报障已解决": "", "推送检查": "", "暂停发送": "", "继续发送": "",
    }),
    "declarations": ("报关单", {"关掉导入客户端文件夹": "", "删除报关单": "", "打开导入客户端文件夹": "", "新建报关单": "", "生成报关单": ""}),
    "seals": ("印章", {"新增印章": "", "启用印章": "", "停用印章": "", "使用印章": ""}),
    "clients": ("客户端", {"登记客户端": "", "作废客户端": "", "保存通知地址": "", "重新打开通知": "", "删除通知地址": ""}),
    "codes": ("我的资质", {
        "codes-refreshed": "从海关登记更新", "code-chosen": "选用海关编码", "修改报检资质备案": "",
    }),
}  # fmt: skip
"""{key: (title, {act as it is kept: in words, "" where it is words already})}."""
WORDS = {act: words for _, acts in GROUPS.values() for act, words in acts.items() if words}
SUBJECTS = {
    "document": "申请", "task": "申报任务", "push": "推送", "profile": "企业资料", "strategy": "业务策略", "seal": "印章",
    "client": "客户端", "device-report": "检查报告", "enterprise": "本单位", "user": "账号", "card": "卡",
}  # fmt: skip
DETAILS = {
    "name": "名称", "number": "编号", "code": "海关编码", "valid": "有效的编码", "messages": "报文", "orders": "订单", "stage": "环节",
    "round": "第几次提交", "medium": "登录方式", "level": "认证等级", "users": "账号", "company": "单位", "way": "方式", "count": "几个", "rights": "权限", "region": "地区", "before": "原来是",
}  # fmt: skip
VALUES = {"password": "密码", "sms": "短信", "mail": "邮件", "card": "卡"}


@dataclass(frozen=True)
class Search:
    """The search line. Wrong dates are said, not searched; an operator finds only what he did himself."""

    group: str
    person: str
    since: str
    until: str
    only: str  # the name of the operator who asks

    @classmethod
    def from_request(cls):
        given, who = request.args, current()
        texts = [given.get(name, "").strip()[:60].replace("\0", "") for name in ("group", "person", "from", "to")]
        return cls(*texts, only="" if who.role == "administrator" else who.name)

    @property
    def wrong_dates(self) -> bool:
        return any(text and read_day(text) is None for text in (self.since, self.until))

    @property
    def conditions(self) -> dict:
        """As `company_events` takes them."""
        acts = tuple(GROUPS[self.group][1]) if self.group in GROUPS else ()
        since, until = read_day(self.since), day_after(self.until)
        return {"acts": acts, "text": self.person, "name": self.only, "since": since, "until": until}

    @property
    def arguments(self) -> dict:
        """For links that keep the search."""
        values = {"group": self.group, "person": self.person, "from": self.since, "to": self.until}
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True)
class Line:
    """One event in words."""

    at: datetime
    who: str
    act: str
    subject: str
    details: str


@bp.get("/activity")
@page("4090", "活动记录", MEMBER)
def list_activity():
    company, search, given = current().enterprise_id, Search.from_request(), request.args
    before, ordinal = (min(max(0, given.get(name, 0, int)), LARGEST) for name in ("after", "n"))
    rows = page_of_events(company, before, ROWS + 1, **search.conditions)
    count = count_events(company, **search.conditions)
    return show_here(
        "activity.html", rows=lines_of_events(rows[:ROWS]), search=search, ordinal=ordinal,
        groups={key: title for key, (title, _) in GROUPS.items()}, heads=HEADS, most=MOST,
        cursor=rows[ROWS - 1].id if len(rows) > ROWS else None,
        total=f"{EXACT_EVENTS}以上" if count > EXACT_EVENTS else str(count),
    )  # fmt: skip


@bp.get("/activity.xlsx")
@page(None, "活动记录，导出", MEMBER)
def export_activity():
    """What was found, at most 50 000 rows, newest first."""
    query = company_events(current().enterprise_id, **Search.from_request().conditions).limit(MOST)
    book = activity_book(session.scalars(query.execution_options(yield_per=1000)).partitions())
    return send_file(book, XLSX, as_attachment=True, download_name=f"活动记录{clock.today():%Y%m%d}.xlsx")


def activity_book(parts: Iterable[Iterable[HistoryEvent]]):
    """The workbook; `parts`: events, some at a time. Every cell is text: what begins with = stays what was typed."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("活动记录")
    for column, width in zip("ABCDE", (20, 20, 20, 40, 60), strict=True):
        sheet.column_dimensions[column].width = width
    sheet.append([text_cell(sheet, head) for head in HEADS])
    for events in parts:
        for line in lines_of_events(events):
            at = f"{clock.local(line.at):%Y-%m-%d %H:%M:%S}"
            sheet.append([text_cell(sheet, text) for text in (at, line.who, line.act, line.subject, line.details)])
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    return out


def text_cell(sheet, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, NOT_IN_XML.sub("", text)[:32_000])
    cell.data_type, cell.number_format = "s", "@"
    return cell


def lines_of_events(events: Iterable[HistoryEvent]) -> list[Line]:
    """In words; the documents among the subjects are looked up at once."""
    events = list(events)
    documents = names_of_documents({id for event in events if (id := document_id(event.subject))})
    return [
        Line(event.at, event.user_name, WORDS.get(event.act, event.act), subject_words(event.subject, documents),
             "；".join(details_words(event.details)))
        for event in events
    ]  # fmt: skip


def document_id(subject: str) -> UUID | None:
    kind, _, id = subject.partition(":")
    try:
        return UUID(id) if kind == "document" else None
    except ValueError:
        return None


def subject_words(subject: str, documents: dict) -> str:
    """「传输ID申请 2026 1121 0004 7318」, 「印章」; ids that nobody can read are left out."""
    if known := documents.get(document_id(subject)):
        slug, number = known
        kind = office().kinds.get(slug)
        return f"{kind.title if kind else SUBJECTS['document']} {in_fours(number) if number else '（草稿）'}"
    kind, _, rest = subject.partition(":")
    return f"{SUBJECTS['card']}{rest}" if kind == "card" else SUBJECTS.get(kind, kind)


def details_words(details: dict) -> Iterator[str]:
    for name, value in details.items():
        if name in DETAILS:
            yield f"{DETAILS[name]}：{VALUES.get(value, value) if isinstance(value, str) else value}"
