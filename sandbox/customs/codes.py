"""Parameter codes that a document may use: 计量单位 and 币制 (3-digit customs codes), and what customs says."""

_UNITS = """
001 002 003 004 005 006 007 008 009 010 011 012 013 014 015 016 017 018 019 020 021 022 023 025 026 027 028
029 030 031 032 033 034 035 036 037 038 039 040 041 042 043 044 045 046 047 048 049 050 051 052 053 054 055
056 057 058 059 060 061 062 063 067 070 071 072 073 074 075 076 077 078 079 080 081 083 084 085 086 088 089
095 096 097 098 099 101 110 111 112 115 116 118 120 121 122 123 124 125 126 127 128 129 130 131 132 133 134
135 136 139 140 141 142 143 144 145 146 147 148 149 163 164
"""
_CURRENCIES = "110 112 116 121 122 129 132 133 136 142 143 300 302 303 326 330 331 344 501 502 601 609"
UNITS, CURRENCIES = frozenset(_UNITS.split()), frozenset(_CURRENCIES.split())

# What can be wrong with a document; each kind has its codes for it (table 7-2 of the 202205 specification).
PARAMETERS, SIGNATURE, TAKEN, NOTHING, USED = "parameters", "signature", "taken", "nothing to change", "used"
NO_LINES, DOUBLE_GNUM, STATE = "no lines", "double gnum", "state"
NO_ORDER, NO_RECEIPT, NO_WAYBILL, NO_LIST = "no order", "no receipt", "no waybill", "no list"
NO_SUCH_TYPE, NO_SUCH_COMPANY = "no such type", "no such company"

_COMPANY = {NO_SUCH_TYPE: -10101, NO_SUCH_COMPANY: -10102}
ORDER = _COMPANY | {
    PARAMETERS: -301008, NO_LINES: -301001, DOUBLE_GNUM: -301002, NOTHING: -301009, TAKEN: -301010, USED: -301011,
}  # fmt: skip
RECEIPT = _COMPANY | {PARAMETERS: -401009, NOTHING: -401006, TAKEN: -401007, USED: -401008}
WAYBILL = _COMPANY | {PARAMETERS: -504011, NOTHING: -504014, TAKEN: -504015, USED: -504016}
# The table names 621 进口清单 and 623 撤单; it has no numbers for the export forms, so these stand for them.
LIST = _COMPANY | {
    PARAMETERS: -621001, NO_LINES: -621000, DOUBLE_GNUM: -621027, NOTHING: -621011, TAKEN: -621004, STATE: -621012,
    SIGNATURE: -621029, NO_ORDER: -301003, NO_RECEIPT: -401001, NO_WAYBILL: -621003, USED: -621012,
}  # fmt: skip
CANCELLATION = _COMPANY | {
    PARAMETERS: -623014, NOTHING: -623013, TAKEN: -623009, STATE: -623005, SIGNATURE: -623029, NO_LIST: -623003,
}  # fmt: skip

SAVED, SENT, REFUSED, STORED, CLOSED, RELEASED = 1, 3, 100, 120, 399, 800
WORDS = {
    1: "电子口岸已暂存", 2: "电子口岸申报中", 3: "发送海关成功", 4: "发送海关失败", 100: "海关退单", 120: "海关入库",
    300: "人工审核", 399: "海关审结", 500: "查验", 505: "移交", 600: "挂起", 800: "放行", 899: "结关",
}  # fmt: skip
