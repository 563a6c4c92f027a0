"""How each outside party behaves today: yes, refuse, silent, late, twice, reversed, garbled, down."""

from dataclasses import dataclass

from sandbox.store import Store

NAMES = {
    "yes": "照常办理",
    "refuse": "拒绝",
    "silent": "不作声",
    "late": "迟到",
    "twice": "答两遍",
    "reversed": "先后颠倒",
    "garbled": "答非所答（乱码）",
    "down": "停机",
}
PARTIES = {"mail": "邮箱", "sms": "短信", "register": "企业登记库", "identity": "身份核验", "customs": "海关"}
BANKS = {"bank-ccb": "中国建设银行", "bank-abc": "中国农业银行", "bank-cmbc": "中国民生银行"}
LINES = {"customs-line": "海关HTTP通道", "signing": "加签服务", "single-window": "货物申报和导入客户端"}
PARTIES |= LINES | BANKS

# What a mood means for a party; a mood that is not listed makes no sense there and WITHOUT_SENSE says why.
MEANINGS = {
    "mail": {
        "yes": "收下邮件",
        "refuse": "答550，不收",
        "silent": "收信时一分钟不答话",
        "late": "收下，过几秒才出现在邮箱里",
        "twice": "同一封邮件出现两次",
        "garbled": "答一行不是SMTP的话",
        "down": "答421，暂停服务",
    },
    "sms": {
        "yes": "收下短信",
        "refuse": "答400，号码不对",
        "silent": "一分钟不答话",
        "late": "收下，过几秒才送到手机",
        "twice": "同一条短信送到两次",
        "garbled": "答一段坏的JSON",
        "down": "答503",
    },
    "register": {
        "yes": "照登记答",
        "refuse": "什么企业都答“查无此企业”",
        "silent": "一分钟不答话",
        "late": "过几秒才答",
        "garbled": "答一段坏的JSON",
        "down": "答503维护中，两小时后恢复",
    },
    "identity": {
        "yes": "照名册答一致或不一致",
        "refuse": "一律答不一致",
        "silent": "一分钟不答话",
        "late": "过几秒才答",
        "garbled": "答一段坏的JSON",
        "down": "答503维护中，两小时后恢复",
    },
    "customs": {
        "yes": "查验通过：先发3（发送海关成功），再发120（海关入库）",
        "refuse": "先发3，再发100（海关退单）和下面的理由",
        "silent": "取走报文，不发回执",
        "late": "取走报文，过几秒才发回执",
        "twice": "每份回执发两遍",
        "reversed": "先发120，再发时间较早的3",
        "garbled": "回执文件是坏的：一份XML断了，一份base64不对",
        "down": "不取报文",
    },
    "customs-line": {
        "yes": "收下报文，回执来取就给",
        "refuse": "答400，不收报文，说下面的理由",
        "silent": "报文收下了，却一分钟不答话",
        "late": "报文收下，过几秒才答",
        "twice": "每份回执给两遍，第二遍换个文件名",
        "garbled": "报文收下，答一段坏的JSON",
        "down": "答503，什么也不收不给",
    },
    "single-window": {
        "yes": "收下报关单，算暂存，再当作有人申报了：7（申报成功）、L（海关已接收）",
        "refuse": "不收，说下面的理由",
        "silent": "取走文件，不作声",
        "late": "取走文件，过几秒才答",
        "twice": "每份回执给两遍",
        "reversed": "先给海关的回执，后给导入结果",
        "garbled": "导入结果是坏的，XML断了",
        "down": "不取文件",
    },
    "signing": {
        "yes": "用户名密码对，就替它签",
        "refuse": "答403，说这个用户停用了",
        "silent": "一分钟不答话",
        "late": "过几秒才签",
        "garbled": "签的是别的内容，签名验不过",
        "down": "答503",
    },
}
MEANINGS |= {
    bank: {
        "yes": "Ukey和密码都对，就说是谁家的",
        "refuse": "Ukey和密码都对，也说“今天不办”",
        "silent": "状态和页面一分钟不答话",
        "late": "办完过几秒才送回单一窗口",
        "twice": "同一次认证的结果送回两份",
        "garbled": "送回的结果是坏的，签名对不上",
        "down": "状态答503维护中，两小时后恢复；页面打不开",
    }
    for bank in BANKS
}
WITHOUT_SENSE = {
    "mail": {"reversed": "邮件各自独立，没有先后可颠倒"},
    "sms": {"reversed": "短信各自独立，没有先后可颠倒"},
    "register": {"twice": "一问只有一答", "reversed": "一问只有一答，没有先后"},
    "identity": {"twice": "一问只有一答", "reversed": "一问只有一答，没有先后"},
    "customs": {},
    "customs-line": {"reversed": "通道不管先后，请在“海关”那一页选"},
    "single-window": {},
    "signing": {"twice": "一问只有一答", "reversed": "一问只有一答，没有先后"},
    **{bank: {"reversed": "一次认证只有一个结果，没有先后"} for bank in BANKS},
}
REASON = "商品名称与商品货号不符，请核对后重新申报"
LONGEST_SILENCE = 60  # seconds


class NoSuchMood(Exception):
    """The party does not know this mood; the text says why."""


@dataclass(frozen=True)
class Mood:
    name: str = "yes"
    seconds: float = 20  # how late, for "late"
    reason: str = REASON  # why customs, or its line, refuses


def get_mood(store: Store, party: str) -> Mood:
    kept = store.find("mood", party)
    return Mood(kept["name"], kept["seconds"], kept["reason"]) if kept else Mood()


def set_mood(store: Store, party: str, name: str, seconds: float = 20, reason: str = "") -> Mood:
    """Raises NoSuchMood when the party or the mood does not exist or makes no sense for it."""
    if party not in PARTIES:
        raise NoSuchMood(f"没有这个外部单位：{party}")
    if name not in MEANINGS[party]:
        raise NoSuchMood(WITHOUT_SENSE[party].get(name, f"没有这种表现：{name}"))
    mood = Mood(name, max(0.0, seconds), reason.strip() or REASON)
    store.put("mood", party, {"name": mood.name, "seconds": mood.seconds, "reason": mood.reason})
    return mood
