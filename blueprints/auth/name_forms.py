"""The two pages of `name-recovery`: who asks, and the papers that prove it."""

from blueprints.common.checks import email_shape, id_number_shape, mobile_shape, uscc_shape
from blueprints.common.fields import DocumentForm, Text, Upload

IMAGES = ("jpg", "gif", "bmp", "jpeg", "png")
SCAN_HINT = "原件扫描件，格式为 jpg/gif/bmp/jpeg/png，单张大小不可超过 10M，最多3张"


class AskerForm(DocumentForm):
    company = Text("单位名称", number="302101", limit=100, span=True, hint="和营业执照上一字不差", group="单位",
                   attributes={"autocomplete": "organization"})  # fmt: skip
    uscc = Text("统一社会信用代码", uscc_shape, number="302102", code=True, group="单位", hint="18位，见证照")
    name = Text("姓名", number="302103", limit=40, group="您本人", hint="账号是谁的，写谁")
    id_number = Text(
        "证件号码", id_number_shape, number="302104", personal=True, code=True, group="您本人", hint="身份证"
    )
    email = Text("新的邮箱", email_shape, number="302105", personal=True, group="您本人",
                 hint="办好以后，用户名和设密码的链接发到这里", attributes={"autocomplete": "email"})  # fmt: skip
    mobile = Text("手机", mobile_shape, number="302106", personal=True, code=True, group="您本人",
                  hint="审核人员有问题时打给您")  # fmt: skip
    remark = Text("说明", number="302107", long=True, limit=500, required=False, span=True, group="您本人",
                 hint="原来的邮箱和手机为什么不能用了；还记得的用户名也可以写")  # fmt: skip


def scans(label: str, number: str, hint: str = SCAN_HINT, **rest) -> Upload:
    return Upload(label, number=number, types=IMAGES, limit=10 << 20, pages=3, hint=hint, **rest)


class ProofsForm(DocumentForm):
    licence = scans("法人营业执照", "302201")
    person = scans("本人证件", "302202", "正反两面；" + SCAN_HINT)
    mandate = scans("授权委托书", "302203", "写明委托谁找回哪个单位的账号，盖单位公章；" + SCAN_HINT)
