"""A form whose edition changed while drafts were open (海外仓): 2027 asks one thing more, words one anew, drops one."""

from dataclasses import replace

from blueprints.common.fields import DocumentForm, Text
from blueprints.common.kinds import Desk, Kind, Stage, Step


class WarehouseForm(DocumentForm):
    name = Text("海外仓名称", number="975101")
    address = Text("海外仓地址", number="975102")


class WarehouseForm2027(DocumentForm):
    name = Text("海外仓全称", number="975101")
    country = Text("海外仓所在国", number="975103")


WAREHOUSE = Kind(
    "9751", "warehouse", "海外仓备案", edition="2026", steps=(Step("975110", "warehouse", "海外仓", WarehouseForm),),
    stages=(Stage("975120", "customs", "海关审核", Desk("customs")),),
)  # fmt: skip
WAREHOUSE_2027 = replace(WAREHOUSE, edition="2027", steps=(Step("975110", "warehouse", "海外仓", WarehouseForm2027),))
