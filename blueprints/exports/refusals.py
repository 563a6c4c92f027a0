"""Why declaration data cannot be made: each document that customs would not take, what in it, and its row in the workbook."""

from uuid import uuid4

from blueprints.common import clock
from blueprints.common.files import read_file
from gateways.customs_dxp.messages import fields
from gateways.customs_dxp.messages.ceb303 import BadOrder
from models import orders
from models.exports import BLOCK, Task, imports_of
from models.files import find_file

from .columns import layout_of
from .kinds import Maker, build
from .reading import open_book, shown

MOST = 20  # causes that are told at once
TITLES = {
    field.name: field.title
    for text in (fields.RECEIPT, fields.WAYBILL, fields.INVENTORY, fields.INVENTORY_LINE, fields.ORDER, fields.ORDER_LINE)
    for field in fields.read_fields(text)
}  # fmt: skip


def causes_of(task: Task) -> list[str]:
    """Of the documents without a message, each that `kinds.build` refuses, as sentences; at most `MOST`."""
    now = clock.local(clock.now())
    maker, found = Maker(task.strategy, f"{now:%Y%m%d%H%M%S}", f"{now:%Y%m%d}"), []
    for block in orders.blocks_without_message(task.id):
        for row in orders.raw_orders(task.id, block * BLOCK + 1, (block + 1) * BLOCK):
            try:
                build(row[5], [row], maker, str(uuid4()).upper())
            except BadOrder as error:
                found.append((row[7].get("order_no", row[2]) if row[5] != orders.WAYBILL else row[2], error.element))
        if len(found) >= MOST:
            break
    places = rows_in_workbooks(task, {number for number, _ in found})
    return [
        f"{number}{places.get(number, '')}的{TITLES.get(element, element)}海关不收，请删掉它，改好再补充导入"
        for number, element in found[:MOST]
    ]


def rows_in_workbooks(task: Task, numbers: set[str]) -> dict[str, str]:
    """{number: （file第n行）} of the newest workbook that has it."""
    places: dict[str, str] = {}
    for each in imports_of(task.id):
        if each.state != "done" or numbers <= places.keys():
            continue
        file = find_file(each.file_id)
        for row, cells in open_book(read_file(file), file.kind, layout_of(task.strategy.mode)).rows:
            number = shown(cells[0]).strip()
            if number in numbers:
                places.setdefault(number, f"（{file.name}第{row}行）")
    return places
