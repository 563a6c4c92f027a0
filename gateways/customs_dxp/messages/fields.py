"""The elements of each export document, in the order of ceb_export_202205.xsd, in the specification's own notation.

A line is: element, `?` behind it where it may be missing; type; Chinese title; then the values allowed (`1|2|3`) and
what stands there when nothing is given (`=1`). Types: `C36` text of 36 characters, `C..18` 1 to 18 characters, `K4` or
`K3..4` a code of customs (digits and capital letters), `N19,5` an amount, `N5,0` a whole number, `T14` yyyyMMddHHmmss,
`T8` yyyyMMdd.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One element. type: "text" | "code" | "number" (N19,5) | "integer" | "date"; lengths in characters.

    A number's `longest` counts its digits; 19 of them may be 5 decimals and a point.
    """

    name: str
    title: str
    type: str
    shortest: int
    longest: int
    required: bool
    choices: tuple[str, ...] = ()
    default: str = ""


_TYPES = {"C": "text", "K": "code", "T": "date"}


def read_fields(notation: str) -> tuple[Field, ...]:
    """The fields of the notation above."""
    return tuple(_field(*line.split()) for line in notation.strip().splitlines())


def _field(name: str, kind: str, title: str, *more: str) -> Field:
    choices = next((tuple(word.split("|")) for word in more if word[0] != "="), ())
    default = next((word[1:] for word in more if word.startswith("=")), "")
    first, _, last = kind[1:].partition("..")
    if kind[0] == "N":
        digits, _, decimals = kind[1:].partition(",")
        how, shortest, longest = "number" if decimals == "5" else "integer", 1, int(digits)
    else:
        how, shortest, longest = _TYPES[kind[0]], int(first or 1), int(last or first)
    return Field(name.rstrip("?"), title, how, shortest, longest, not name.endswith("?"), choices, default)


_OPENING = """guid C36 系统唯一序号
appType C1 报送类型 1|2|3
appTime T14 报送时间
appStatus C1 报送状态 1|2 =2"""

ORDER = f"""{_OPENING}
orderType C1 订单类型 E|B|W
orderNo C..60 订单编号
ebpCode C..18 电商平台代码
ebpName C..100 电商平台名称
ebcCode C..18 电商企业代码
ebcName C..100 电商企业名称
goodsValue N19,5 商品金额
freight N19,5 运杂费
currency K3 币制
note? C..1000 备注
"""
ORDER_LINE = """
gnum N5,0 序号
itemNo C..30 企业商品货号
itemName C..250 企业商品名称
itemDescribe? C..1000 企业商品描述
barCode? C..50 条形码
unit K3 计量单位
currency K3 币制
qty N19,5 数量
price N19,5 单价
totalPrice N19,5 总价
note? C..1000 备注
"""
RECEIPT = f"""{_OPENING}
ebpCode C..18 电商平台代码
ebpName C..100 电商平台名称
ebcCode C..18 电商企业代码
ebcName C..100 电商企业名称
orderNo C..60 订单编号
payCode? C..18 支付企业代码
payName C..100 支付企业名称
payNo? C..60 支付交易编号
charge N19,5 收款金额
currency K3 币制
accountingDate T14 到账时间
note? C..1000 备注
"""
WAYBILL = f"""{_OPENING}
logisticsCode C..18 物流企业代码
logisticsName C..100 物流企业名称
logisticsNo C..32 物流运单编号
freight N19,5 运费
insuredFee N19,5 保价费
currency K3 币制
grossWeight N19,5 毛重
packNo N9,0 件数
goodsInfo C..200 主要货物信息
ebcCode? C..18 收发货人代码
ebcName? C..100 收发货人名称
ebcTelephone? C..50 收发货人电话
note? C..1000 备注
"""
ARRIVAL = f"""{_OPENING}
customsCode K4 申报地海关代码
copNo C..30 企业唯一编号
preNo? C18 预录入编号
operatorCode C..18 监管场所经营人代码
operatorName C..100 监管场所经营人名称
loctNo? C..10 监管场所代码
ieFlag C1 进出口标记 I|E =E
trafMode K1 运输方式
billNo? C..37 提运单号
domesticTrafNo C..100 境内运输工具编号
logisticsCode C..18 物流企业代码
logisticsName C..100 物流企业名称
msgCount N9,0 报文总数 =1
msgSeqNo N9,0 报文序号 =1
note? C..1000 备注
"""
ARRIVAL_LINE = """
gnum N5,0 序号
logisticsNo C..32 物流运单编号
totalPackageNo? C..37 总包号
note? C..1000 备注
"""
DEPARTURE = f"""{_OPENING}
customsCode K4 申报地海关代码
copNo C..30 企业唯一编号
preNo? C18 预录入编号
logisticsCode C..18 物流企业代码
logisticsName C..100 物流企业名称
trafMode K1 运输方式
trafName? C..100 运输工具名称
voyageNo? C..32 航班航次号
billNo? C..37 提运单号
leaveTime T14 离境时间
msgCount N9,0 报文总数 =1
msgSeqNo N9,0 报文序号 =1
note? C..1000 备注
"""
DEPARTURE_LINE = """
gnum N5,0 序号
totalPackageNo? C..37 总包号
logisticsNo C..32 物流运单编号
note? C..1000 备注
"""
INVENTORY = f"""{_OPENING}
customsCode K4 申报海关代码
ebpCode C..18 电商平台代码
ebpName C..100 电商平台名称
orderNo C..60 订单编号
logisticsCode C..18 物流企业代码
logisticsName C..100 物流企业名称
logisticsNo C..32 物流运单编号
copNo C..30 企业唯一编号
preNo? C18 预录入编号
invtNo? C..20 清单编号
ieFlag C1 进出口标志 I|E =E
portCode K4 出口口岸海关代码
ieDate T8 出口日期
statisticsFlag C1 申报业务类型 A|B
agentCode C..18 报关企业代码
agentName C..100 报关企业名称
ebcCode C..18 收发货人代码
ebcName C..100 收发货人名称
ownerCode C..18 生产销售单位代码
ownerName C..100 生产销售单位名称
iacCode? C..18 区内企业代码
iacName? C..100 区内企业名称
emsNo? C..30 账册编号
tradeMode K4 贸易方式
trafMode K1 运输方式
trafName? C..100 运输工具名称
voyageNo? C..32 航班航次号
billNo? C..37 提运单号
totalPackageNo? C..37 总包号
loctNo? C..10 监管场所代码
licenseNo? C..19 许可证号
country K3 运抵国（地区）
POD K3..4 指运港代码
freight N19,5 运费
fCurrency K3 运费币制
fFlag C1 运费标志 3 =3
insuredFee N19,5 保费
iCurrency K3 保费币制
iFlag C1 保费标志 3 =3
wrapType K1 包装种类代码
packNo N9,0 件数
grossWeight N19,5 毛重
netWeight N19,5 净重
note? C..1000 备注
"""
INVENTORY_LINE = """
gnum N5,0 商品项号
itemNo C..20 企业商品编号
itemRecordNo? C..30 账册备案料号
itemName? C..250 企业商品名称
gcode K10 商品编码
gname C..250 商品名称
gmodel C..250 规格型号
barCode C..50 条形码 =无
country K3 最终目的国（地区）
currency K3 币制
qty N19,5 申报数量
qty1 N19,5 法定数量
qty2? N19,5 第二数量
unit K3 申报计量单位
unit1 K3 法定计量单位
unit2? K3 第二计量单位
price N19,5 单价
totalPrice N19,5 总价
note? C..1000 备注
"""
CANCELLATION = f"""{_OPENING}
customsCode K4 申报海关代码
copNo C..30 企业唯一编号
preNo? C18 预录入编号
invtNo C..20 清单编号
reason C..1000 原因
agentCode C..18 申报单位代码
agentName C..100 申报单位名称
ebcCode C..18 收发货人代码
ebcName C..100 收发货人名称
note? C..1000 备注
"""
MANIFEST = f"""{_OPENING}
customsCode K4 申报海关代码
copNo C..30 企业唯一编号
preNo? C18 预录入编号
agentCode C..18 申报企业代码
agentName C..100 申报企业名称
loctNo? C..10 监管场所代码
trafMode K1 运输方式
trafName C..100 运输工具名称
voyageNo C..32 航班航次号
billNo C..37 提运单号
domesticTrafNo? C..100 境内运输工具编号
grossWeight N19,5 毛重
logisticsCode C..18 物流企业代码
logisticsName C..100 物流企业名称
msgCount N9,0 报文总数 =1
msgSeqNo N9,0 报文序号 =1
note? C..1000 备注
"""
MANIFEST_LINE = """
gnum N5,0 项号
totalPackageNo? C..60 总包号
logisticsNo C..32 物流运单编号
invtNo? C..20 清单编号
note? C..1000 备注
"""
SUMMARY = f"""{_OPENING}
customsCode K4 申报地海关代码
copNo C..30 企业唯一编号
preNo? C..18 预录入编号
sumNo? C..18 汇总申请编号
agentCode C..18 申报单位代码
agentName C..100 申报单位名称
ebcCode C..18 收发货人代码
ebcName C..100 收发货人名称
declAgentCode C..18 报关单位代码
declAgentName C..100 报关单位名称
startTime? T14 汇总开始时间
endTime? T14 汇总结束时间
loctNo? C..10 监管场所代码
summaryFlag C1 汇总标志 1|2
itemNameFlag C1 按商品名汇总标志 0|1 =0
msgCount N9,0 报文总数 =1
msgSeqNo N9,0 报文序号 =1
note? C..1000 备注
"""
SUMMARY_LINE = "invtNo C..20 清单编号"
REFUND = f"""{_OPENING}
customsCode K4 申报地海关代码
loctNo? C..10 监管场所代码
ebpCode C..18 电商平台代码
ebpName C..100 电商平台名称
ebcCode C..18 电商企业代码
ebcName C..100 电商企业名称
logisticsNo C..80 物流运单编号
logisticsCode C..18 物流企业代码
logisticsName C..100 物流企业名称
coElNo C..30 企业唯一编号
preNo? C..18 预录入编号
invtNo C..20 原出口清单编号
tradeMode? K4 贸易方式
agentCode C..18 申报单位代码
agentName C..100 申报单位名称
billNo C..37 提运单号
ieFlag C1 进出口标志 I|E =I
trafMode K1 运输方式
trafName C..100 运输工具名称
portCode K4 口岸海关代码
reason C..500 退货原因
country K3 起运国（地区）
voyageNo C..32 航班航次号
note? C..500 备注
"""
REFUND_LINE = """
gnum N4,0 商品项号
gcode K10 商品编码
gname C..250 商品名称
gmodel C..250 规格型号
qty N19,5 申报数量
qty1 N19,5 法定数量
unit K3 申报计量单位
unit1 K3 法定计量单位
qty2? N19,5 第二数量
unit2? K3 第二计量单位
note? C..500 备注
"""
