"""The one list of outcomes: numbers, the sentence for the user, the question and the mend for helpdesk (客服)."""

from enum import Enum


class Outcome(Enum):
    """(number told to the portal, number shown and spoken, sentence, question, mend)."""

    OK = (100, 9700, "已经办好。", "网页上现在写着什么？", "请用户回到网页继续。")
    NO_SERVICE = (
        *(101, 9701, "这台电脑的智能卡服务没有运行。请插好读卡器，重新启动电脑再试。"),
        *("读卡器的灯亮不亮？", "在“服务”里启动 Smart Card；Linux 装好并启动 pcscd。"),
    )
    NO_READER = (
        *(102, 9702, "没有找到读卡器。请插好读卡器，再试一次。"),
        *("换一个USB口，灯亮不亮？", "重装读卡器的驱动程序；不要接在显示器或分线器上。"),
    )
    NO_CARD = (
        *(103, 9703, "读卡器里没有卡。请插入电子口岸卡，再试一次。"),
        *("芯片朝哪一面，插到底了吗？", "把卡拔出擦净再插；换一台电脑试，还不行就换卡。"),
    )
    WRONG_CARD = (
        *(104, 9704, "这不是本页写的那张卡。请插入原来那张卡，或者回到网站重新开始。"),
        *("卡面上的卡号和页面上的一样吗？", "换回原来的卡；确实要换卡，从网页重新开始。"),
    )
    PIN_WRONG = (
        *(105, 9705, "卡密码不对，还可以试{left}次，用完卡会锁住。"),
        *("最近改过密码吗？", "请想好再试；想不起来，到制卡中心重设。"),
    )
    PIN_REINSERT = (
        *(106, 9706, "请把卡拔出再插入，然后再输密码。还可以试{left}次。"),
        *("卡拔出来过吗？", "连错两次，或只剩一次时，要先拔插一次，防止别的程序替您乱试。"),
    )
    PIN_BLOCKED = (
        *(107, 9707, "卡已经锁住。请带卡到制卡中心解锁。"),
        *("卡是本人在用吗？", "带卡和证件到制卡中心解锁；单位卡由法人卡持卡人陪同。"),
    )
    CARD_RESET = (
        *(108, 9708, "卡被别的程序重置。请再输一次密码，已经签好的不会丢。"),
        *("还开着别的读卡软件吗？", "关掉其他口岸客户端、网银控件，再输密码。"),
    )
    HELD = (
        *(109, 9709, "卡正被别的程序占用。请关掉其他读卡软件，再试一次。"),
        *("还有一批正在签吗，或开着别的读卡软件吗？", "等那一批签完，或关掉别的软件。"),
    )
    ORIGIN = (
        *(110, 9710, "这个网站没有得到允许，不能用本程序签名。"),
        *("网址和单一窗口的一样吗？", "核对网址无误，请用户在读卡程序的设置页写入，再从网页重新开始。"),
    )
    EXPIRED = (
        *(111, 9711, "这次请求已经失效。请回到网站重新开始。"),
        *("打开读卡页面到输密码，过了几分钟？", "从网页重新开始，5分钟内输密码；一批最长2小时。"),
    )
    REDIRECT = (
        *(112, 9712, "网站要转到别处，本程序没有跟着去，什么也没签。"),
        *("单位上网要先登录吗？", "先完成单位的上网登录；还不行，报技术组查网站设置。"),
    )
    UNREACHABLE = (
        *(113, 9713, "连不上网站，或者网站的证书不可信。已经签好的不会丢，请稍后再试。"),
        *("网页还打得开吗，单位装了代理或上网检查吗？", "请单位网管放行读卡程序直接连网站的443端口。"),
    )
    CONTENT = (
        *(114, 9714, "要签的内容和清单不一样，什么也没签。请回到网站重新开始。"),
        *("开始推送后又改过订单吗？", "重新推送一次；还是这样，报技术组，不要再试。"),
    )
    NOT_RELEASED = (
        *(115, 9715, "网站没有等到同一个浏览器的确认，什么报文也没签。请回到网站重新开始。"),
        *("输密码后页面有没有回到网站？", "用同一个浏览器从网页重新开始，不要复制链接。"),
    )
    FORM = (
        *(116, 9716, "这一页已经过时，或者不是从本程序发出的。请从网站重新打开。"),
        *("用了后退，或开了两个窗口吗？", "关掉旧页面，从网页的链接重新打开。"),
    )
    REFUSED = (
        117,
        9717,
        "您已经取消，什么也没签。",
        "是您点的取消吗？",
        "要办就从网页重新开始；不是本人点的，请记下。",
    )
    STOPPED = (
        *(118, 9718, "签名中断，已经签好的不会丢。请再输一次密码继续。"),
        *("停在第几份？", "再输密码，从第一份没签的继续；连续中断，换读卡器试。"),
    )
    CARD_EXPIRED = (
        *(119, 9719, "这张卡的证书已经过期。请到制卡中心更新。"),
        *("电脑上的日期对吗？", "日期不对先改日期；日期对就预约制卡中心更新证书。"),
    )
    CARD_NOT_YET_VALID = (
        *(120, 9720, "这张卡的证书还没到生效的日子。请先看看电脑的日期对不对。"),
        *("电脑上的日期对吗？", "日期不对先改日期；新卡请等到生效那一天。"),
    )
    CARD_REVOKED = (
        *(121, 9721, "这张卡已经挂失或注销，不能再用。"),
        *("挂失过这张卡吗？", "误挂失请单位解除；已注销的到制卡中心换卡。"),
    )
    REMOVED = (
        *(122, 9722, "卡被拔出来了。已经签好的不会丢，请插回同一张卡，再输密码继续。"),
        *("有人碰过读卡器吗？", "插回同一张卡再输密码；没碰也断，换USB口或读卡器。"),
    )
    TOO_OLD = (
        *(123, 9723, "读卡程序的版本太旧。请从网站下载新版安装，再重新开始。"),
        *("页面下边写的是哪一版？", "从网站的下载中心装新版，重新启动电脑。"),
    )
    PORT_TAKEN = (
        *(124, 9724, "端口{port}已经被别的程序占用，读卡程序没有启动。"),
        *("读卡程序是不是已经开着一个？", "注销其他登录的用户或重启；还不行，请网管查谁占了这个端口。"),
    )
    BROWSER_DIFFERS = (
        *(125, 9725, "这次请求是在另一个浏览器里开始的，已经作废，什么报文也没签。"),
        *("链接是别人发来的，还是换了浏览器？", "别人发来的链接一律不开；自己办就用同一个浏览器重新开始。"),
    )
    UNKNOWN_CARD = (
        *(126, 9726, "读卡器里的卡不是电子口岸卡，或者卡里没有证书。"),
        *("卡面上印着中国电子口岸吗？", "换成电子口岸卡；是口岸卡就到制卡中心检查。"),
    )
    SEVERAL_CARDS = (
        *(127, 9727, "读卡器里不止一张卡。请在本页选一张，再输密码。"),
        *("插了几张卡？", "在页面上选卡，或者只留一张。"),
    )
    ALGORITHM = (
        *(128, 9728, "这张卡的算法，网站这次不收。请换一张卡，从网站重新开始。"),
        *("是哪一年办的卡？", "换用新卡；只有旧卡，报技术组。"),
    )
    PIN_FORMAT = (
        *(129, 9729, "卡密码是4到16位。这次没有送进卡里，次数没有少。"),
        *("输了几位？", "请看清输入法是不是半角，再输一次。"),
    )
    PIN_WRONG_1 = (131, 9731, *PIN_WRONG[2:])
    PIN_WRONG_2 = (132, 9732, *PIN_WRONG[2:])
    PIN_WRONG_3 = (133, 9733, *PIN_WRONG[2:])
    PIN_WRONG_4 = (134, 9734, *PIN_WRONG[2:])
    PIN_WRONG_5 = (135, 9735, *PIN_WRONG[2:])
    PIN_CHANGED = (
        *(141, 9741, "卡密码已经改好，下次请用新密码。这一页可以关掉。"),
        *("新密码记住了吗？", "请用户回到网页，用新密码登录一次。"),
    )
    PIN_CHANGED_TO_KNOWN = (
        *(142, 9742, "卡密码已经改好。可是88888888是出厂密码，谁都知道，请再改一次。"),
        *("卡只有本人在用吗？", "请用户再打开“修改卡密码”，换一个别人猜不到的。"),
    )
    NEW_PIN_FORMAT = (
        *(143, 9743, "新密码要6到8位数字。卡密码没有改，次数也没有少。"),
        *("新密码输了几位，有没有字母？", "请看清输入法是不是半角，输6到8位数字。"),
    )
    NEW_PIN_DIFFERS = (
        *(144, 9744, "两次输的新密码不一样。卡密码没有改，次数也没有少。"),
        *("两次输的是同一个吗？", "请慢慢再输一遍，两次要一样。"),
    )
    NEW_PIN_SAME = (
        *(145, 9745, "新密码和旧密码一样。卡密码没有改，次数也没有少。"),
        *("是要换一个新的吗？", "请换一个不同的新密码；不想改就点“取消”。"),
    )
    NEW_PIN_REFUSED = (
        *(146, 9746, "卡不收这个新密码，卡密码没有改。请换一个新密码。"),
        *("新密码是不是连号，或者都是同一个数字？", "换一个不连号的6到8位数字；还不收，到制卡中心问。"),
    )
    PIN_UNSURE = (
        *(147, 9747, "改到一半卡没有回音，不知道改成没有。请把卡拔出再插好，用新密码试一次；不对，就还是旧密码。"),
        *("卡重新插过吗，用新密码试过没有？", "先用新密码登录一次，不对再用旧密码；两个都不对就不要再试，到制卡中心。"),
    )
    PIN_KEPT = (
        *(148, 9748, "您已经取消，卡密码没有改。"),
        *("是您点的取消吗？", "要改就再打开“修改卡密码”；不是本人点的，请记下。"),
    )
    PIN_NOT_CHANGED = (
        *(149, 9749, "没有办成，卡密码没有改。请把卡拔出再插好，再输一次。"),
        *("有人碰过读卡器，或开着别的读卡软件吗？", "关掉其他读卡软件，插好卡再输；还不行，换USB口或读卡器。"),
    )

    def __init__(self, number: int, shown: int, sentence: str, question: str, mend: str) -> None:
        self.number, self.shown, self.sentence, self.question, self.mend = number, shown, sentence, question, mend


WRONG_PIN = {
    1: Outcome.PIN_WRONG_1,
    2: Outcome.PIN_WRONG_2,
    3: Outcome.PIN_WRONG_3,
    4: Outcome.PIN_WRONG_4,
    5: Outcome.PIN_WRONG_5,
}
# With these a PIN change is at its end; after any other the page asks again.
PIN_CHANGE_ENDS = {Outcome.PIN_CHANGED, Outcome.PIN_CHANGED_TO_KNOWN, Outcome.PIN_KEPT}
# After these the user can go on from the same page; after any other the request is at its end.
CAN_GO_ON = {
    *(Outcome.NO_SERVICE, Outcome.NO_READER, Outcome.NO_CARD, Outcome.WRONG_CARD, Outcome.UNKNOWN_CARD),
    *(Outcome.SEVERAL_CARDS, Outcome.PIN_WRONG, *WRONG_PIN.values(), Outcome.PIN_REINSERT, Outcome.PIN_BLOCKED),
    *(Outcome.CARD_RESET, Outcome.REMOVED, Outcome.HELD, Outcome.UNREACHABLE, Outcome.STOPPED),
    *(Outcome.CARD_EXPIRED, Outcome.CARD_NOT_YET_VALID),
}


class Stop(Exception):
    """Raised wherever the work cannot go on; carries the outcome and, for PIN outcomes, the tries left."""

    def __init__(self, outcome: Outcome, left: int | None = None) -> None:
        super().__init__(outcome.name)
        self.outcome, self.left = outcome, left

    @property
    def sentence(self) -> str:
        return self.outcome.sentence.format(left=self.left)

    @property
    def bare(self) -> "Stop":
        """The same, to be kept: what was raised holds on to the frames it came through, and they to the PIN."""
        return Stop(self.outcome, self.left)


def wrong_pin(left: int) -> Stop:
    """The outcome of a refused PIN: its number alone says how many tries are left, up to 5."""
    return Stop(WRONG_PIN.get(left, Outcome.PIN_WRONG), left)
