"""Journeys of accounts, walked by any of the browsers: a new company, what was forgotten, a new code, 法定代表人身份认证."""

import re
import time

from blueprints.common.checks import org_check_digit, uscc_check_digit
from stack.seed import PASSWORD
from tests.tours import CAPTCHA, World, log_in, log_out, wait_for_mail

NEXT = "保存，去下一步"
OWN = "my own horse"


def uscc_of_newcomer(number: int) -> str:
    """A code in the self-defined range PDY that belongs to nobody."""
    body = f"PDY{number:05d}"
    first = f"91130100{body}{org_check_digit(body)}"
    return first + uscc_check_digit(first)


def id_number_of(number: int) -> str:
    """Somebody born in 1899, check digit right (GB 11643-1999)."""
    body = f"1301001899{number // 28 % 12 + 1:02d}{number % 28 + 1:02d}{number:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


# -- a new company with two operators


def new_company_with_two_operators(world: World, boss, official, colleague, number: int) -> None:
    """`boss` registers and becomes administrator; one operator is added, the other asks to join; both activate."""
    names = [f"{part}{number}" for part in ("guanli", "lurua", "lurub")]
    uscc = uscc_of_newcomer(number)
    register(world, boss, names[0], uscc, number)
    log_in(world, official, "shenhe1")
    official.follow(f"审核旅程{number}")
    official.submit("全部通过")
    log_out(official)
    wait_for_mail(world, f"{names[0]}@example.com", "通过")
    log_in(world, boss, names[0], OWN)
    boss.follow("我的操作员")
    first = add_operator(boss, names[1], number + 1)
    activate(world, official, names[1], first)
    assert "本单位还没有海关编码" in official.main, "what he may not do yet says why"
    ask_to_join(world, colleague, uscc, names[2])
    wait_for_mail(world, f"{names[0]}@example.com", "操作员账号")
    boss.open(f"{world.portal}/member")
    boss.follow("有人想加入本单位")
    boss.follow("开账号")
    second = add_operator(boss, names[2], number + 2)
    activate(world, colleague, names[2], second)
    assert "90104" in colleague.open(f"{world.portal}/account/operators").main
    boss.open(f"{world.portal}/account/operators")
    assert names[1] in boss.main and names[2] in boss.main and "等本人第一次登录" not in boss.main


def register(world: World, browser, name: str, uscc: str, number: int) -> None:
    browser.open(f"{world.portal}/registration/")
    browser.submit("开始填写")
    browser.submit(NEXT, type="three-in-one", agreed="agreed")
    browser.submit(NEXT, province="130000", city="130100", name=f"旅程{number}贸易有限公司", uscc=uscc,
                   address="石家庄市示例区样张路99号", entity_types=["cargo-owner"])  # fmt: skip
    browser.submit(NEXT)
    browser.submit(NEXT, user=name, password=OWN, password_again=OWN, name="管理一", id_number=id_number_of(number),
                   email=f"{name}@example.com", phone="0311-12345678", mobile="13000000088", fax="0311-12345678")  # fmt: skip
    browser.submit(NEXT, {"licence": ("执照.png", world.download("uscc-certificate.png"))})
    browser.submit("提交")
    assert "受理编号" in browser.main, browser.main[:400]


def add_operator(browser, name: str, number: int) -> str:
    """Gives the initial password, which the page shows once."""
    if browser.number != "4050":
        browser.follow("新增操作员")
    browser.submit("保存，生成初始密码", user=name, name="录入一", id_type="id-card", id_number=id_number_of(number),
                   email=f"{name}@example.com", exports="2", trade="1", access="0", agreements="0")  # fmt: skip
    found = re.search(r"[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}", browser.main)
    assert found, browser.main[:400]
    browser.follow("抄好了")
    return found[0]


def activate(world: World, browser, name: str, password: str) -> None:
    log_in(world, browser, name, password)
    assert browser.number == "3010"
    browser.submit("激活账号", password=OWN, again=OWN, mine=["mine"], agreed=["agreed"])
    assert browser.number == "1002", browser.main[:400]


def ask_to_join(world: World, browser, uscc: str, name: str) -> None:
    browser.open(f"{world.portal}/registration/join")
    browser.submit("发验证码到我的邮箱", code=uscc, name="录入二", email=f"{name}@example.com")
    assert "该单位已注册" in browser.main and "管理员姓" not in browser.main
    mail = wait_for_mail(world, f"{name}@example.com", "验证码")
    browser.submit("继续", code=re.search(r"\d{6}", mail["text"])[0])
    assert "管理员姓管" in browser.main
    browser.submit("转给管理员")


# -- forgotten user name and password


def forgotten_name_and_password(world: World, browser, user: str) -> None:
    """The name comes by mail, a new password by a link; delicate pages wait afterwards. `user` gets the old one back."""
    address = f"{user}@example.com"
    browser.open(f"{world.portal}/login")
    browser.follow("忘记用户名")
    if browser.number == "3006":
        browser.follow("找回用户名")
    browser.submit("确认", way="mail", email=address, captcha=CAPTCHA)
    mail = wait_for_mail(world, address, "用户名")
    assert user in mail["text"]
    browser.open(f"{world.portal}/login")
    browser.follow("忘记密码")
    if browser.number == "3006":
        browser.follow("找回密码")
    browser.submit("确认", way="mail", user=user, captcha=CAPTCHA)
    browser.open(newest_link(world, address))
    browser.submit("启用新密码", password=OWN, again=OWN)
    log_in(world, browser, user, OWN)
    assert browser.number == "1002", browser.main[:300]
    browser.open(f"{world.portal}/account/mail")
    assert "90110" in browser.main and "用卡登录" in browser.main
    log_out(browser)
    log_in(world, browser, user, PASSWORD)
    assert "90501" in browser.main, "the old password opens nothing any more"


def newest_link(world: World, address: str) -> str:
    mail = wait_for_mail(world, address, "密码")
    return re.search(r"http://\S+/login/recovery/link/\S+", mail["text"])[0]


# -- a new customs code while tasks are open


def code_change_with_open_tasks(world: World, browser, old: str = "1301960003", new: str = "1301960013") -> None:
    """③ changes its code, sees what stays behind and what to sign again, logs in anew by one button, and changes back."""
    log_in(world, browser, "demo03")
    change_code(browser, new)
    assert "要在新的编码下重新签" in browser.main
    for words in ("申报任务", "三方协议"):
        assert words in browser.main, words
    browser.submit("确认更换")
    assert browser.number == "4082" and "石家庄海关" in browser.main, browser.main[:400]
    browser.submit("重新登录")
    browser.open(f"{world.portal}/exports/tasks")
    assert new in browser.main and "总共 0 条记录" in browser.main, browser.main[:400]
    browser.open(f"{world.portal}/agreements/")
    assert "石家庄海关" not in browser.main
    change_code(browser, old)
    browser.submit("确认更换")
    browser.submit("重新登录")
    browser.open(f"{world.portal}/agreements/")
    assert old in browser.main and "石家庄海关" in browser.main


def change_code(browser, code: str) -> None:
    browser.open(re.match(r"https?://[^/]+", browser.url)[0] + "/account/qualifications")
    browser.follow("编辑")
    browser.submit("保存", code=code)
    assert browser.number == "4081", browser.main[:400]


# -- 法定代表人身份认证, the 法定代表人 at his own telephone

SONG = {"name": "宋长宁", "id_type": "id-card", "id_number": "130100189904040045"}
SONG_PHONE = "13000000004"


def verified_with_the_representative_on_his_telephone(world: World, clerk, telephone) -> None:
    """②: a wrong name is refused in the seeds' words and mended; step 2 is done on another device by link and SMS code."""
    log_in(world, clerk, "demo02")
    clerk.follow("单位实名认证")
    clerk.open(f"{world.portal}/realname/representative?again=1")
    clerk.submit("下一步", legal_name="宋常宁")
    assert "法定代表人信息验证不通过，请核对后重新填写" in clerk.main
    clerk.follow("取消")
    assert clerk.value("legal_name") == "宋常宁"
    clerk.submit("下一步", legal_name=SONG["name"])
    if clerk.number == "5012":
        before = len(world.messages_to(SONG_PHONE))
        clerk.follow("请法定代表人在手机上办")
        clerk.submit("做一个核验码", mobile=SONG_PHONE)
        assert re.search(r"\d{4} \d{4} \d{4}", clerk.main)
        telephone.open(newest_sms(world, SONG_PHONE, r"http://\S+/realname/phone/\d{12}", before))
        assert telephone.number == "5021" and SONG["name"] not in telephone.main
        telephone.submit("获取验证码", valid_from="20200101", valid_to="00000000", phone=SONG_PHONE, **SONG)
        assert "10分钟内有效" in telephone.main
        telephone.submit("是我本人，同意核验", code=newest_sms(world, SONG_PHONE, r"(?<=验证码是 )\d{6}", before + 1))
        assert telephone.number == "5022", telephone.main[:300]
        clerk.open(f"{world.portal}/realname/representative")
    assert clerk.number == "5014" and "账号所有人就是法定代表人" in clerk.main
    clerk.submit("下一步")
    assert clerk.number == "5016"
    clerk.submit("重新登录")
    clerk.open(f"{world.portal}/realname/")
    assert "本单位已经通过法定代表人身份认证，安全级别：" in clerk.main
    log_out(clerk)


def newest_sms(world: World, to: str, pattern: str, after: int, seconds: float = 20) -> str:
    """The match in the newest message to a number that had `after` of them before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        messages = world.messages_to(to)
        found = re.search(pattern, messages[0]["text"]) if len(messages) > after else None
        if found:
            return found[0]
        time.sleep(0.3)
    raise AssertionError(f"no SMS {pattern} to {to}")
