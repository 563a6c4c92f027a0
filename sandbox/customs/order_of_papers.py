"""What must come before what, and what a document taken changes: numbers given, papers used, lists ended."""

import datetime
from decimal import Decimal

from sandbox.customs import codes
from sandbox.customs.codes import RELEASED, SAVED, STORED
from sandbox.customs.envelope import SHANGHAI
from sandbox.customs.ledger import Filed, Ledger
from sandbox.customs.message import Document
from sandbox.customs.papers import Problem, fits_order
from sandbox.store import Store

OPEN_TO_CHANGE = (SAVED, STORED, 300, 500, 600)  # of a list: 暂存, 海关入库, 人工审核, 查验, 挂起
ENDED = 899  # 结关


def is_released_at_once(store: Store) -> bool:
    """Whether a list is 放行 as soon as it is 入库, or waits for a hand on the page."""
    kept = store.find("customs", "release")
    return kept is None or kept["at_once"]


class Papers:
    """Rules between documents. `register` tells whether two codes name one company."""

    def __init__(self, ledger: Ledger, register, store: Store):
        self._ledger, self._register, self._store = ledger, register, store
        self._checks = {"603": self._check_list, "605": self._check_cancellation}
        self._checks |= {"607": self._check_manifest, "701": self._check_summary, "213": self._check_refund}
        self._effects = {
            "603": self._file_list,
            "605": self._cancel,
            "607": self._file_manifest,
            "701": self._summarise,
        }

    def look_into_ledger(self, kind: str) -> bool:
        """Whether the rules of the kind must see the documents before it, also those of the same message."""
        return kind in self._checks

    def check(self, document: Document, replaced: str | None) -> Problem | None:
        """`replaced`: guid of the live document of the same number, where one is changed or deleted."""
        code = document.kind.code
        if code in self._checks:
            try:
                self._checks[code](document, replaced)
            except Problem as problem:
                return problem
        elif document.app_type != "1" and (user := self._ledger.find_user(code, *document.key)):
            return Problem(f"该{document.kind.title}已向海关申报清单[{user.number}]，状态不符", codes.USED)
        return None

    def file(self, document: Document, paper: Filed, replaced: str | None) -> list[tuple[str, str, str, str]]:
        """Fills in what customs gives the taken document; returns what it uses, as the ledger's `uses` has it."""
        effect = self._effects.get(document.kind.code)
        if effect is None or document.app_type == "3":
            return []
        return [(*use, paper.guid) for use in effect(document, paper, replaced)]

    def repeat(self, document: Document, paper: Filed) -> list[str]:
        """The values that the receipts of the document repeat, with the numbers that customs gave it."""
        head = document.head
        if document.kind.code in self._checks:  # the kinds that customs numbers
            head = head | {"sumNo": (paper.facts or {}).get("sumNo", "")}
            head["preNo"] = f"B{_today()}{self._ledger.next_serial():09}"
            if document.kind.code == "603":
                head["invtNo"] = paper.customs_number or ""
        return [head.get(name, "") for name in document.kind.said]

    # 清单

    def _check_list(self, document: Document, replaced: str | None) -> None:
        head = document.head
        if replaced and self._find(replaced).status not in OPEN_TO_CHANGE:
            raise Problem(f"清单[{document.number}]的申报状态不符合改单申报的条件，放行以后请申请撤销", codes.STATE)
        if document.app_type == "3":
            return
        order = self._ledger.find_one("303", head["ebpCode"], head["orderNo"])
        if order is None or order.status == SAVED or not self._register.is_same(order.said[1], head["ebcCode"]):
            raise Problem(f"订单信息查询不存在[{head['orderNo']}]", codes.NO_ORDER)
        if not fits_order(head["tradeMode"], order.sort):
            raise Problem(f"订单[{head['orderNo']}]的类型{order.sort}和贸易方式{head['tradeMode']}不一致")
        waybill = self._ledger.find_one("505", head["logisticsCode"], head["logisticsNo"])
        if waybill is None or waybill.status == SAVED:
            raise Problem(f"清单申报失败，运单[{head['logisticsNo']}]不存在", codes.NO_WAYBILL)
        if head["tradeMode"] == "9610":
            receipt = self._ledger.find_one("403", head["ebcCode"], head["orderNo"])
            if receipt is None or receipt.status == SAVED:
                raise Problem(f"支付凭证查询不存在[{head['orderNo']}]", codes.NO_RECEIPT)
        for use in (("303", order.scope, order.number), ("505", waybill.scope, waybill.number)):
            user = self._ledger.find_user(*use)
            if user and user.guid != replaced:
                raise Problem(f"清单[{user.number}]已经申报过{use[2]}，请勿重复申报", codes.TAKEN)

    def _file_list(self, document: Document, paper: Filed, replaced: str | None) -> list[tuple[str, str, str]]:
        head = document.head
        paper.customs_number = self._find(replaced).customs_number if replaced else None
        paper.customs_number = paper.customs_number or self._new_number(head["customsCode"])
        paper.facts = {
            "ebc": head["ebcCode"], "flag": head["statisticsFlag"], "gross": head["grossWeight"], "net": head["netWeight"],
            "waybill": head["logisticsNo"], "lines": [[line[name] for name in ("gnum", "gcode", "qty")] for line in document.lines],
            "taken": f"{datetime.datetime.now(SHANGHAI):%Y%m%d%H%M%S}",
        }  # fmt: skip
        if is_released_at_once(self._store):
            paper.status = RELEASED
        return [
            ("303", head["ebpCode"], head["orderNo"]), ("505", head["logisticsCode"], head["logisticsNo"]),
            ("403", head["ebcCode"], head["orderNo"]),
        ]  # fmt: skip

    def _new_number(self, customs_code: str) -> str:
        """清单编号: 4 digits of the customs house, 4 of the year, E, 9 of the serial."""
        return f"{customs_code}{_today()[:4]}E{self._ledger.next_serial():09}"

    # 撤销申请

    def _check_cancellation(self, document: Document, replaced: str | None) -> None:
        if document.app_type != "1":
            raise Problem("撤销申请已经审结，不能改也不能删", codes.NOTHING)
        number = document.head["invtNo"]
        found = self._ledger.find_list(number)
        if found is None or not self._register.is_same(found.facts["ebc"], document.head["ebcCode"]):
            raise Problem(f"系统中不存在清单编号为[{number}]的清单", codes.NO_LIST)
        if found.status == ENDED or self._user_of_list(number):
            raise Problem(f"清单的状态不符合撤单申报要求(清单编号[{number}])", codes.STATE)

    def _cancel(self, document: Document, paper: Filed, replaced: str | None) -> list[tuple[str, str, str]]:
        self._ledger.end_documents([self._ledger.find_list(document.head["invtNo"]).guid])
        return []

    # 清单总分单

    def _check_manifest(self, document: Document, replaced: str | None) -> None:
        for line in document.lines:
            found = self._list_of(document, line)
            if found is None or line.get("invtNo", found.customs_number) != found.customs_number:
                raise Problem(f"第{line['gnum']}项：运单[{line['logisticsNo']}]没有这份清单", codes.NO_LIST)
            if found.status != RELEASED:
                raise Problem(f"第{line['gnum']}项：清单[{found.customs_number}]还没有放行", codes.STATE)
            user = self._ledger.find_user("603", "607", found.customs_number)
            if user and user.guid != replaced:
                raise Problem(f"清单[{found.customs_number}]已在总分单[{user.number}]里", codes.USED)

    def _file_manifest(self, document: Document, paper: Filed, replaced: str | None) -> list[tuple[str, str, str]]:
        return [("603", "607", self._list_of(document, line).customs_number) for line in document.lines]

    def _list_of(self, document: Document, line: dict[str, str]) -> Filed | None:
        return self._ledger.find_user("505", document.head["logisticsCode"], line["logisticsNo"])

    # 汇总申请

    def _check_summary(self, document: Document, replaced: str | None) -> None:
        if document.app_type == "3":
            return
        if not document.head.get("startTime"):
            for number in [line["invtNo"] for line in document.lines]:
                self._check_summarised(document, number, replaced)
        elif not self._lists_in(document, replaced):
            raise Problem("这段时间里没有可以汇总的清单", codes.NO_LIST)

    def _check_summarised(self, document: Document, number: str, replaced: str | None) -> None:
        found = self._ledger.find_list(number)
        if found is None or not self._register.is_same(found.facts["ebc"], document.head["ebcCode"]):
            raise Problem(f"系统中不存在清单编号为[{number}]的清单", codes.NO_LIST)
        if found.status not in (RELEASED, ENDED):
            raise Problem(f"清单[{number}]还没有放行，不能汇总", codes.STATE)
        if found.facts["flag"] != "B":
            raise Problem(f"清单[{number}]是简化申报，不用汇总", codes.STATE)
        user = self._ledger.find_user("603", "701", number)
        if user and user.guid != replaced:
            raise Problem(f"清单[{number}]已由汇总申请[{user.number}]汇总", codes.USED)

    def _lists_in(self, document: Document, replaced: str | None) -> list[Filed]:
        """The lists to be summarised that customs took in the span of time of the application."""
        start, end = document.head["startTime"], document.head["endTime"]
        found = []
        for one in self._ledger.find_lists(document.head["agentCode"], RELEASED):
            try:
                self._check_summarised(document, one.customs_number, replaced)
            except Problem:
                continue
            found += [one] if start <= one.facts["taken"] <= end else []
        return found

    def _summarise(self, document: Document, paper: Filed, replaced: str | None) -> list[tuple[str, str, str]]:
        if document.head.get("startTime"):
            lists = self._lists_in(document, replaced)
        else:
            lists = [self._ledger.find_list(line["invtNo"]) for line in document.lines]
        number = f"S{_today()}{self._ledger.next_serial():09}"
        paper.facts = {"sumNo": number, "result": _result(document, lists, number, self._ledger.next_serial())}
        return [("603", "701", one.customs_number) for one in lists]

    # 退货申请

    def _check_refund(self, document: Document, replaced: str | None) -> None:
        number = document.head["invtNo"]
        found = self._ledger.find_list(number)
        if found is None or not self._register.is_same(found.facts["ebc"], document.head["ebcCode"]):
            raise Problem(f"未找到清单编号为[{number}]的清单", codes.NO_LIST)
        if found.status not in (RELEASED, ENDED):
            raise Problem(f"退货申请单申报失败，清单[{number}]还没有放行", codes.STATE)
        listed = {(gnum, gcode): Decimal(quantity) for gnum, gcode, quantity in found.facts["lines"]}
        for line in document.lines:
            most = listed.get((line["gnum"], line["gcode"]))
            if most is None or Decimal(line["qty"]) > most:
                words = f"在关联的清单中未找到表体序号为[{line['gnum']}]的商品，或数量大于清单"
                raise Problem(words, codes.OTHER_GOODS)

    def _find(self, guid: str) -> Filed:
        return self._ledger.find_documents([guid])[guid]

    def _user_of_list(self, number: str) -> Filed | None:
        return self._ledger.find_user("603", "607", number) or self._ledger.find_user("603", "701", number)


def _today() -> str:
    return f"{datetime.datetime.now(SHANGHAI):%Y%m%d}"


def _result(document: Document, lists: list[Filed], number: str, serial: int) -> dict:
    """汇总结果: head values and lines [invtNo, logisticsNo, gseqno, gnum, gcode]; goods of one code make one row."""
    head = document.head
    rows: dict[str, int] = {}
    lines = [
        [one.customs_number, one.facts["waybill"], rows.setdefault(gcode, len(rows) + 1), gnum, gcode]
        for one in lists
        for gnum, gcode, _ in one.facts["lines"]
    ]
    names = ("agentCode", "agentName", "ebcCode", "ebcName", "declAgentCode", "declAgentName")
    return {
        "customsCode": head["customsCode"], "sumNo": number, "declSeqNo": f"D{_today()}{serial:09}", "decState": "A",
        "companies": {name: head[name] for name in names},
        "weights": {
            f"{name}Weight": f"{sum(Decimal(one.facts[name]) for one in lists):f}" for name in ("gross", "net")
        },
        "lines": lines,
    }  # fmt: skip
