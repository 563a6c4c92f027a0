"""Page 1020, 卡和读卡程序的编号: for every number that a person can meet with a card, what to ask and what to do.

The bridge's own outcomes come from its list; the portal's refusals have their question and mend here.
"""

import unicodedata

from flask import request

from blueprints.common.access import PUBLIC, page
from blueprints.common.bridge_words import UNKNOWN_PART, WORDS, CardWords
from blueprints.common.challenges import REFUSALS
from blueprints.common.pages import show

from .device_findings import FINDINGS
from .routes import bp

ASK_AGAIN = "请用户回到原来的页面，在同一个浏览器里重新开始。"
NOT_SAFE = "重新开始一次；还是这样，不要再试，报技术组。"
OTHER_CARD = "换用本单位的卡；单位改了名称或代码的，先到制卡中心更新卡。"
ADVICE = {
    "90511": ("从点开始到输卡密码，过了几分钟？", ASK_AGAIN),
    "90512": ("读卡程序是不是开了两个？", NOT_SAFE),
    "90513": ("电脑上装过来历不明的软件吗？", NOT_SAFE),
    "90514": ("是不是在两个窗口里都输了卡密码？", NOT_SAFE),
    "90515": ("链接是别人发来的，还是换了浏览器？", "别人发来的链接一律不开；自己办就用同一个浏览器重新开始。"),
    "90516": ("中间换过账号登录吗？", "退出别的账号，用自己的账号登录，重新开始。"),
    "90517": ("同一个任务是不是点了两次推送？", "关掉旧页面，看最新的那一页。"),
    "90518": ("刚才点了多少次？", "请用户等页面上写的几分钟，再点一次。"),
    "90520": ("是您点的取消吗？", "要办就重新开始；不是本人点的，请记下。"),
    "90521": ("卡是哪一年办的？", "带卡到制卡中心检查。"),
    "90522": ("卡面上印着中国电子口岸吗？", "换用中国电子口岸的卡；就是口岸的卡，报技术组查签发机构。"),
    "90523": ("卡是今天刚领的吗？", "等到证书生效那一天再办。"),
    "90524": ("卡证书到哪一天？", "预约制卡中心更新证书，更新后重新绑定。"),
    "90525": ("这是法人卡还是操作员卡？", "换用法人卡或操作员卡。"),
    "90526": ("挂失过这张卡吗，是谁挂失的？", "卡找回来了，核对身份后解除挂失；没找回来，补卡。"),
    "90527": ("有没有别的卡？", "换一张卡；只有这一张，报技术组。"),
    "90528": ("卡最近摔过、泡过水吗？", "重新开始一次；还是这样，换一张卡，报技术组。"),
    "90127": ("操作员的权限最近改过吗？", "请本单位的管理员在“我的操作员”里开通推送。"),
    "90283": ("账号的所有人是不是换过？", "用用户名和密码登录，再绑定账号所有人本人的卡。"),
    "90507": ("账号是管理员停用的吗？", "操作员请找本单位的管理员启用；管理员账号停用，转审核岗位。"),
    "90531": ("卡绑定过账号吗？", "先用用户名和密码登录，到“我的IC卡”绑定；单位没注册的先注册。"),
    "90532": ("单位改过名称或代码吗？", "用用户名和密码登录，重新绑定这张卡。"),
    "90533": ("有没有本单位的法人卡？", "第一次用法人卡登录来注册；没有法人卡，从首页注册。"),
    "90541": ("卡面上是哪个单位？", OTHER_CARD),
    "90542": ("卡是谁的，账号是谁的？", "用账号所有人本人的卡；别人要用卡，用别人自己的账号来绑定。"),
    "90543": ("这张卡以前绑过哪个账号？", "核对身份后，在原来的账号里解除绑定，再绑定到新账号。"),
    "90551": ("卡面上是哪个单位？", OTHER_CARD),
    "90552": ("账号的所有人换过吗？", "用账号所有人本人的卡；账号换了人管，先改账号所有人。"),
    "90553": ("账号信息里有没有证件号码？", "核对身份后补上账号所有人的证件号码，再来认证。"),
    "90554": ("单位是从老系统迁来的吗？", "不用办，什么也没有变。"),
    "90580": ("今天去银行试了几次？", "请用户等页面上写的几分钟，或者换IC卡认证。"),
    "90581": ("用的是哪一家银行？", "换页面上列出的银行，或者换一种办法认证。"),
    "90594": ("Ukey是哪个单位的对公账号？", "换用本单位对公账号的Ukey。"),
    "90595": ("单位最近改过名吗？", "旧名字在银行的，到开户网点改；旧名字在这里的，先变更单位信息。"),
    "90596": ("账号信息里有没有证件号码？", "核对身份后补上账号所有人的证件号码，再来认证。"),
    "90597": ("Ukey是发给谁用的？", "到开户网点登记Ukey的使用人，再来认证。"),
    "90598": ("账号的所有人换过吗？", "用账号所有人本人的Ukey；账号换了人管，先改账号所有人。"),
    "90920": ("管理员刚移交给别人了吗？", "请新的管理员登录，从“单位实名认证”重新开始。"),
    "90651": ("卡面上是哪个单位？", "换用本单位的法人卡或操作员卡，再推送一次。"),
}
"""{number of a refusal of the portal: (question, mend)}."""
SAID = {refusal.number: str(refusal) for refusal in REFUSALS.values()} | {
    "90518": "开始的次数太多，请过{wait}分钟再试",
    "90127": "您的账号现在没有推送的权限了，请找本单位的管理员开通",
    "90283": "账号的所有人换了，这张卡不能再登录；请用用户名和密码登录，再绑定账号所有人本人的卡",
    "90507": "这个账号已经停用，请找本单位的管理员，或打客服热线",
    "90531": "卡{card}还没有绑定账号。请先用用户名和密码登录，到“我的IC卡”绑定；单位还没有注册的，请先注册",
    "90532": "卡里的单位和账号的单位不一样了，不能用它登录；请用用户名和密码登录后重新绑定",
    "90533": "“{company}”还没有在这里注册。第一次请用本单位的法人卡登录，系统会按卡里的资料替您填好注册表",
    "90541": "这是“{company}”的卡，不是本单位的卡，不能绑定。请换本单位的卡；单位改了名称或代码的，先到制卡中心更新卡",
    "90542": "持卡人（{holder}）和账号所有人不是同一个人，不能绑定。请用您本人的卡；{holder}要用这张卡，请用自己的账号来绑定",
    "90543": "卡{card}已经绑定了另一个账号，一张卡只能绑定一个账号。要换绑，请打客服热线",
    "90551": "企业信息不一致：这是“{company}”的卡，不是本单位的卡。请换本单位的卡再认证；单位改了名称或代码的，先到制卡中心更新卡",
    "90552": "账号所有人不一致：持卡人（{holder}）和账号所有人的证件号码不一样。请换账号所有人本人的卡；账号换了人管的，请打客服热线更正",
    "90553": "账号里还没有所有人的证件号码，没法和卡核对。请打客服热线补上，再来认证",
    "90554": "本单位不用办实名认证，什么也没有变",
    "90580": "这个账号去银行认证的次数太多，请过{wait}分钟再来，或换一种办法",
    "90581": "本地区还没有接通{bank}，请换一家，或换一种办法",
    "90594": "企业信息不一致：这是“{company}”的Ukey，不是本单位的。请换本单位对公账号的Ukey再认证",
    "90595": "企业名称不一致：银行登记的是“{company}”，这里是“{name}”。请先把旧的那一处改过来，再来认证",
    "90596": "账号里还没有所有人的证件号码，没法和Ukey核对。请打客服热线补上，再来认证",
    "90597": "银行没有说Ukey发给了谁，没法核对账号所有人。请到开户网点登记Ukey的使用人，再来认证",
    "90598": "账号所有人不一致：Ukey是发给{owner}的，和账号所有人的证件号码不一样。请用账号所有人本人的Ukey；账号换了人管的，请打客服热线更正",
    "90920": "认证要由本单位现在的管理员来办，您的账号现在不是；请新的管理员登录后认证",
    "90651": "这张卡是「{company}」的，不能签本单位的订单，请换本单位的卡",
}
"""What the portal says where a card is refused; areas do not know one another, so `test_devices.py` compares them."""


def all_words() -> list[tuple[str, list[CardWords]]]:
    """[(where the number is seen, its lines)]."""
    refusals = [CardWords(number, UNKNOWN_PART.sub("…", SAID[number]), *ADVICE[number]) for number in sorted(SAID)]
    doctor = [CardWords(row.number, row.sentence, row.question, row.mend) for row in FINDINGS.values()]
    return [
        ("读卡程序的页面上", list(WORDS.values())),
        ("网站上，用卡或银行Ukey的时候", refusals),
        ("“检查电脑和卡”这一页", doctor),
    ]


def find_words(asked: str) -> list[tuple[str, list[CardWords]]]:
    """By a number or a part of it, by its last digits as callers say them, or by words that the caller sees."""
    wanted = "".join(unicodedata.normalize("NFKC", asked).split())
    rows = [
        (where, [row for row in lines if wanted in row.number or wanted in row.sentence])
        for where, lines in all_words()
    ]
    return [(where, lines) for where, lines in rows if lines]


@bp.get("/card-words")
@page("1020", "卡和读卡程序的编号", PUBLIC)
def show_card_words():
    asked = request.args.get("q", "").strip()[:30]
    return show("portal/card_words.html", asked=asked, groups=find_words(asked))
