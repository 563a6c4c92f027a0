"""Files to try the portal with: four scans, a good, a bad and a GBK workbook."""

import csv
import io
from pathlib import Path

from flask import Blueprint, abort, send_file
from openpyxl import Workbook

bp = Blueprint("downloads", __name__, url_prefix="/downloads")
SCANS = Path(__file__).with_name("scans")
HEAD = ("订单号", "商品货号", "商品名称", "数量", "总额", "单价", "计量单位")
GOOD = (
    ("TYDH005", "8711100010", "微马力摩托车及脚踏两用车", "10", "25", "2.5", "011"),
    ("TYDH006", "8135000000", "本章的什锦坚果或干果", "10", "25", "2.5", "011"),
    ("TYDH007", "6804301000", "手用琢磨油石", "10", "25", "2.5", "011"),
)
BAD = (
    GOOD[0],
    ("TYDH006", "8135000000", "本章的什锦坚果或干果", "10", "25", "2.5", "个个"),  # row 3: no such unit
    ("TYDH007", "6804301000", "手用琢磨油石", "10", "26", "2.5", "011"),  # 单价×数量 is not 总额
    ("TYDH008", "6804301000", "手用琢磨油石", "1.234567", "25", "2.5", "011"),  # more than 5 decimals
)
FILES = {
    "uscc-certificate.png": "统一社会信用代码证扫描件（样张）",
    "declaration-certificate.png": "报关注册登记证书扫描件（样张）",
    "inspection-certificate.jpg": "报检注册登记证书扫描件（样张）",
    "other-papers.jpg": "其他资料扫描件（样张）",
    "orders-good.xlsx": "订单表，三行都对",
    "orders-bad.xlsx": "订单表，第3、4、5行有错",
    "orders-gbk.csv": "订单表，GBK编码的CSV",
}


@bp.get("/<name>")
def download(name: str):
    if name not in FILES:
        abort(404)
    if name in ("orders-good.xlsx", "orders-bad.xlsx"):
        return send_file(io.BytesIO(workbook(GOOD if "good" in name else BAD)), download_name=name, as_attachment=True)
    if name == "orders-gbk.csv":
        return send_file(io.BytesIO(gbk()), "text/csv; charset=GBK", download_name=name, as_attachment=True)
    return send_file(io.BytesIO((SCANS / name).read_bytes()), download_name=name, as_attachment=True)


def workbook(rows: tuple) -> bytes:
    """The template's columns A–G, every cell as text."""
    book = Workbook()
    for row in (HEAD, *rows):
        book.active.append(row)
    for cells in book.active.iter_rows():
        for cell in cells:
            cell.number_format = "@"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def gbk() -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows((HEAD, *GOOD))
    return out.getvalue().encode("gbk")
