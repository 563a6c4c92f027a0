"""推送检查: the manual's checks of a stuck push (M199–M201), one after the other, and the 报障 made of what they found.

diagnose(order row or None, principal) → Diagnosis; file_ticket(diagnosis, {story, contact, phone}, principal).
"""

import base64
import unicodedata
from dataclasses import dataclass, field

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.history import record
from blueprints.common.notices import notify
from blueprints.common.numbers import Sentence
from gateways.customs_dxp import hardened_xml
from models import channels as channel_rows
from models import orders, tickets
from models.accounts import Enterprise
from models.codes import codes_of
from models.database import session
from models.documents import next_serial
from models.exports import CompanyProfile, Strategy
from models.orders import Push
from models.tickets import Diagnosis, Ticket

from . import channels
from .base import region
from .forms import ProfileForm
from .generating import problems_of_strategy
from .modes import TYPES, said_by_customs
from .profiles import FULL_SET
from .sending import as_row, from_row
from .standing import standing_of

IDENTITY, PROFILES, WINDOW, CHANNEL, CERTIFICATE = "identity", "profiles", "window", "channel", "certificate"
CHECKS = {
    IDENTITY: "电商身份备案", PROFILES: "企业资料维护", WINDOW: "单一窗口的订单查询", CHANNEL: "发送和接收通道",
    CERTIFICATE: "签名的证书",
}  # fmt: skip
OK, BAD, UNKNOWN = "ok", "bad", "unknown"
OF_SIGNER = ("90796", "90797", "90798", "90799")  # what `channels.test` says of the signer, not of a channel
MESSAGE_STATES = {
    "unsigned": "没有签名", "ready": "签好待发", "sending": "正在发", "sent": "已发出", "refused": "被退回",
}  # fmt: skip
DS = "{http://www.w3.org/2000/09/xmldsig#}"


@dataclass(frozen=True)
class Finding:
    """`endpoint` and `values`: the page that mends it, "" where there is none."""

    check: str
    standing: str
    sentence: Sentence
    endpoint: str = ""
    values: dict = field(default_factory=dict)

    @property
    def row(self) -> dict:
        return {"check": self.check, "standing": self.standing, "sentence": as_row(self.sentence),
                "endpoint": self.endpoint, "values": self.values}  # fmt: skip

    @classmethod
    def of(cls, row: dict) -> "Finding":
        return cls(row["check"], row["standing"], from_row(row["sentence"]), row["endpoint"], row["values"])


def findings_of(diagnosis: Diagnosis) -> list[Finding]:
    return [Finding.of(row) for row in diagnosis.findings]


def diagnose(found, principal: Principal) -> Diagnosis:
    """Runs all checks for (Order, Message, Task, state), or without an order for the strategy changed last. Asks the
    company's hosts, so it commits before; the caller commits what it gives."""
    order = found.Order if found else None
    strategy = found.Task.strategy if found else tickets.newest_strategy(principal.enterprise_id, principal.code)
    findings = [*check_identity(strategy, principal), *check_profiles(strategy, principal), *check_window(found)]
    if strategy is None:
        findings += [not_looked_at(CHANNEL), not_looked_at(CERTIFICATE)]
    else:
        findings += check_ways(strategy.sender, found and found.Message)
    diagnosis = Diagnosis(
        enterprise_id=principal.enterprise_id, customs_code=principal.code, order_id=order and order.id,
        order_no=order.order_no if order else "", dxp_ids=[strategy.sender.dxp_id] if strategy else [],
        findings=[each.row for each in findings], at=clock.now(), by=principal.name,
    )  # fmt: skip
    session.add(diagnosis)
    record("推送检查", f"diagnosis:{diagnosis.id}", principal, order=diagnosis.order_no)
    session.flush()
    return diagnosis


def not_looked_at(check: str) -> Finding:
    return Finding(check, UNKNOWN, Sentence("", "前面的改好以后才能查"))


# -- 1: 电商身份备案


def check_identity(strategy: Strategy | None, principal: Principal) -> list[Finding]:
    code = strategy.sender.customs_code if strategy else principal.code
    held = {row.code: row for row in codes_of(principal.enterprise_id, clock.today())}.get(code)
    mend = ("account.show_qualifications", {})
    if held is None:
        return [
            Finding(
                IDENTITY, BAD, Sentence("90881", "海关编码{code}今天不在本单位有效的编码里，请先核对", code=code), *mend
            )
        ]
    if not held.ecommerce_types:
        words = Sentence("90882", "海关编码{code}还没有备案电商身份，请先做电商企业资质备案，批下来再推", code=code)
        return [Finding(IDENTITY, BAD, words, *mend)]
    words = Sentence("", "海关编码{code}已备案：{types}", code=code, types="、".join(held.ecommerce_types))
    return [Finding(IDENTITY, OK, words)]


# -- 2: 企业资料维护


def check_profiles(strategy: Strategy | None, principal: Principal) -> list[Finding]:
    """「检查是否有错误或内容中多空格」: every field that the strategy's 企业资料 hold, then what declaring asks of them."""
    if strategy is None:
        words = Sentence("90883", "还没有启用的业务策略，请先建好企业资料，再建业务策略")
        return [Finding(PROFILES, BAD, words, "exports.list_strategies")]
    profiles = {row.id: row for row in (strategy.sender, strategy.seller, strategy.platform) if row.kind == "domestic"}
    found = [finding for row in profiles.values() for finding in mistakes_in(row)]
    found += mistakes_of_sender(strategy, session.get(Enterprise, principal.enterprise_id))
    found += [
        Finding(PROFILES, BAD, Sentence("90888", "{problem}", problem=each), "exports.list_profiles")
        for each in problems_of_strategy(strategy, principal.code)
    ]
    return found or [Finding(PROFILES, OK, Sentence("", "{count}份企业资料填得完整，没有空格", count=len(profiles)))]


def mistakes_in(profile: CompanyProfile) -> list[Finding]:
    return [at(profile, Sentence("90884", "企业资料「{name}」的「{label}」里有空格，请去掉再推", name=profile.name, label=label))
            for label, text in texts_of(profile) if has_spaces(text)]  # fmt: skip


def at(profile: CompanyProfile, words: Sentence) -> Finding:
    return Finding(PROFILES, BAD, words, "exports.edit_profile", {"id": str(profile.id)})


def texts_of(profile: CompanyProfile) -> list[tuple[str, str]]:
    """(label on page 8002, text) of all that is kept, passwords too."""
    settings = channel_rows.find_settings(profile.id)
    kept = {name: getattr(profile, name) for name in ("name", "customs_code", "dxp_id", "remark")}
    kept |= (settings and settings.accounts) or {}
    return [(LABELS[name], text) for name, text in kept.items()]


LABELS = {
    name: getattr(ProfileForm, name).args[0]
    for name in ("name", "customs_code", "dxp_id", "remark", *channels.NAMES, *channels.SECRETS)
}


def has_spaces(text: str) -> bool:
    """Full-width ones and those of no width too."""
    return any(letter.isspace() or unicodedata.category(letter) in ("Cf", "Cc") for letter in text)


def mistakes_of_sender(strategy: Strategy, company: Enterprise) -> list[Finding]:
    sender, found = strategy.sender, []
    for label, value in (("海关编码", sender.customs_code), ("传输ID", sender.dxp_id), ("企业类型", sender.types)):
        if not value:
            found.append(
                at(sender, Sentence("90885", "企业资料「{name}」没有填「{label}」", name=sender.name, label=label))
            )
    lacking = [TYPES[each] for each in FULL_SET if each not in sender.types]
    if sender.types and lacking and sender.id == strategy.seller_id == strategy.platform_id:
        words = "企业资料「{name}」的企业类型要3项都勾选，还差{lacking}"
        found.append(at(sender, Sentence("90886", words, name=sender.name, lacking="、".join(lacking))))
    if sender.name != company.name:
        words = "企业资料里的企业名称「{name}」和本单位登记的「{own}」不一样，括号也要一样"
        found.append(at(sender, Sentence("90887", words, name=sender.name, own=company.name)))
    return found


# -- 3: 单一窗口的订单查询


def check_window(found) -> list[Finding]:
    """「单一窗口上能查到订单」 is what success means (M205)."""
    if found is None:
        return [Finding(WINDOW, UNKNOWN, Sentence("", "还没有要推的订单"), "exports.list_orders")]
    order, message, _, state = found
    no, where = order.order_no, ("trade_queries.show_order", {"id": str(order.id)})
    if state == orders.SUCCESS:
        listing = "订单查询(已审结)" if order.return_status == orders.CONCLUDED else "订单查询(未审结)"
        words = Sentence("", "「{listing}」里有订单{no}，推送成功，可以申报了", listing=listing, no=no)
        return [Finding(WINDOW, OK, words, *where)]
    return [Finding(WINDOW, BAD, why_not_there(order, message, state), *(way_of(message, state) or where))]


def way_of(message, state: str) -> tuple[str, dict] | None:
    if state != orders.WAITING:
        return None
    if message.push_id:
        return "exports.show_push", {"id": str(message.push_id)}
    return "exports.list_orders", {"state": orders.WAITING}


def why_not_there(order, message, state: str) -> Sentence:
    no = order.order_no
    if state == orders.DELETED:
        return Sentence("90889", "订单{no}已经向海关申报删除，所以查不到", no=no)
    if state == orders.FAILED:
        why = said_by_customs(order.return_status, order.return_info) or message.problem
        return Sentence("90890", "订单{no}推送失败：{why}", no=no, why=why)
    if state == orders.WAITING and message.state == "unsigned":
        return Sentence("90891", "订单{no}还没有签名，没有发出去，请先推送并签名", no=no)
    if state == orders.WAITING or message.state == "sending":
        return Sentence("90892", "订单{no}签好了，还没有全部发出去", no=no)
    if order.return_status is None:
        moment = f"{clock.local(message.sent_at):%m月%d日%H:%M}" if message.sent_at else ""
        return Sentence("90893", "订单{no}{moment}已经发出去，海关还没有回执，单一窗口上查不到", no=no, moment=moment)
    why = said_by_customs(order.return_status, order.return_info)
    return Sentence("90894", "订单{no}海关正在处理：{why}", no=no, why=why)


# -- 4 and 5: channels and certificate


def check_ways(sender: CompanyProfile, message) -> list[Finding]:
    push = message and message.push_id and session.get(Push, message.push_id)
    held = [words for _, _, words in (standing_of(push) if push else []) if words.number not in ("", "90807")]
    row, company = channel_rows.find_settings(sender.id), session.get(Enterprise, sender.enterprise_id)
    certificate = check_card(sender, company) if not (row and row.signer) else None
    tested = channels.test(sender.id)  # commits, then asks
    is_well, of_signer = tested.number == channels.ALL_WELL.number, tested.number in OF_SIGNER
    mend = ("exports.edit_profile", {"id": str(sender.id)})
    found = [Finding(CHANNEL, BAD, words, "exports.show_sending") for words in held if words.number != tested.number]
    if is_well or of_signer:
        found += [] if found else [Finding(CHANNEL, OK, Sentence("", "通道能用"))]
    else:
        found.append(Finding(CHANNEL, BAD, tested, *mend))
    if certificate:
        return [*found, certificate]
    if of_signer:
        return [*found, Finding(CERTIFICATE, BAD, tested, *mend)]
    words = Sentence("", "加签的证书能用")
    return [*found, Finding(CERTIFICATE, OK, words) if is_well else not_looked_at(CERTIFICATE)]


def check_card(sender: CompanyProfile, company: Enterprise) -> Finding:
    """The card that signed last: a certificate that ran out or was reported lost since then."""
    signed = tickets.newest_signed(sender.enterprise_id, sender.dxp_id)
    session.commit()  # what is parsed below may be megabytes
    if signed is None:
        return Finding(
            CERTIFICATE, UNKNOWN, Sentence("", "还没有用卡签过名；到「设备检查」可以查卡"), "portal.show_device_check"
        )
    der = base64.b64decode(hardened_xml.parse(signed).findtext(f".//{DS}X509Certificate") or "")
    try:
        card = channels.check_signer(der, company)
    except channels.Problem as problem:
        why = problem.sentence.parts.get("why", "不是本单位的")
        words = Sentence("90895", "上次签名的卡现在不能用：{why}", why=why)
        return Finding(CERTIFICATE, BAD, words, "portal.show_device_check")
    words = Sentence(
        "", "卡{number}的证书能用，{day}到期", number=card.card_number, day=f"{clock.local(card.not_after):%Y-%m-%d}"
    )
    return Finding(CERTIFICATE, OK, words)


# -- what follows


def verdict_of(findings: list[Finding], was_successful: bool) -> tuple[str, str, Sentence]:
    """(icon, tone, words) for the head of the result; the last two are the manual's advice (M200, M201)."""
    bad = [each for each in findings if each.standing == BAD]
    if any(each.check == WINDOW and each.standing == OK for each in findings):
        return "tick", "ok", Sentence("", "这一单已经推送成功，可以申报了，不用再推")
    mendable = [each for each in bad if each.check != WINDOW]
    if mendable:
        return "warn", "bad", Sentence("", "查到{count}处要改，改好以后再推送", count=len(mendable))
    if not bad:
        return "tick", "ok", Sentence("", "查过的都没有问题，可以推送")
    if was_successful:
        words = "企业之前推送都成功，个别票出现问题，需要报分中心技术部门排查，请点「报障」"
        return "warn", "todo", Sentence("", words)
    return "warn", "todo", Sentence("", "资料、通道和证书都没有问题，订单还是查不到，请点「报障」")


def file_ticket(diagnosis: Diagnosis, told: dict, principal: Principal) -> Ticket:
    """One ticket a diagnosis: stored with its evidence and mailed to the region's address, with 公司名称 and 传输ID号 (M30).

    Two clicks give one: the second waits for the first and gets its ticket.
    """
    session.refresh(diagnosis, with_for_update=True)
    if before := tickets.ticket_of(diagnosis.id):
        return before
    day = f"{clock.today():%Y%m%d}"
    ticket = Ticket(
        number=f"BZ{day}{next_serial(f'ticket:{day}'):04d}", enterprise_id=diagnosis.enterprise_id,
        customs_code=diagnosis.customs_code, company=principal.enterprise_name,
        dxp_id="、".join(diagnosis.dxp_ids) or "还没有", diagnosis_id=diagnosis.id, evidence=evidence_of(diagnosis),
        mailed_to=region()["contact"].get("report_address", ""), at=clock.now(), by=principal.name,
    )  # fmt: skip
    ticket.told = told
    session.add(ticket)
    record("报障", f"ticket:{ticket.id}", principal, number=ticket.number)
    session.flush()
    if ticket.mailed_to:
        notify(ticket.mailed_to, f"报障{ticket.number}：{ticket.company}", "\n".join(mail_lines(ticket)))
    return ticket


def mail_lines(ticket: Ticket) -> list[str]:
    told = ticket.told
    lines = [f"公司名称：{ticket.company}", f"传输ID号：{ticket.dxp_id}", f"海关编码：{ticket.customs_code}",
             f"遇到了什么事：{told['story']}", f"联系人：{told['contact']}，{told['phone']}", ""]  # fmt: skip
    return lines + [f"{label}：{value}" for label, value in ticket.evidence]


def evidence_of(diagnosis: Diagnosis) -> list[list[str]]:
    """[label, value]: what each check said, then every trace of the order."""
    words = {OK: "正常", BAD: "有问题", UNKNOWN: "没有查"}
    lines = [[CHECKS[each.check], " ".join((words[each.standing], each.sentence, each.sentence.number)).strip()]
             for each in findings_of(diagnosis)]  # fmt: skip
    traces = diagnosis.order_id and tickets.traces_of(diagnosis.enterprise_id, diagnosis.order_id)
    if not traces:
        return lines
    order, message, refusal, receipts = traces
    lines += [["订单号", order.order_no], ["订单guid", order.guid]]
    if message:
        lines += [
            ["报文编号（CopMsgId）", message.guid],
            ["报文状态", MESSAGE_STATES[message.state]],
            ["报文SHA-256", message.sha256.hex()],
        ]
        lines += [[label, f"{clock.local(moment):%Y-%m-%d %H:%M:%S}"] for label, moment in
                  (("签名时间", message.signed_at), ("发出时间", message.sent_at)) if moment]  # fmt: skip
        lines += [["平台的答复", message.problem]] if message.problem else []
    lines += [["通道的答复", str(from_row(refusal.sentence))]] if refusal else []
    return lines + [[f"回执{row.time}", said_by_customs(row.status, row.info)] for row in receipts]
