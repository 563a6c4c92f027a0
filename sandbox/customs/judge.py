"""What customs decides about each order of a message, and why."""

from pathlib import Path

from sandbox.customs.codes import NO_SUCH_COMPANY, NO_SUCH_TYPE, NOTHING_TO_CHANGE, NUMBER_TAKEN, PARAMETERS
from sandbox.customs.ledger import Ledger
from sandbox.customs.message import Message, Order, Problem
from sandbox.customs.signature import BadSignature, Signer, load_authorities, verify
from sandbox.moods import Mood
from sandbox.store import Store

STORED, REFUSED, SAVED = 120, 100, 1  # 海关入库, 海关退单, 电子口岸已暂存


class Judge:
    """`decide` gives one verdict per order: [guid, ebpCode, ebcCode, orderNo, status, words]."""

    def __init__(self, store: Store, ledger: Ledger, authorities: Path):
        self.ledger = ledger
        self._register = Register(store)
        self._folder, self._authorities = authorities, ()

    def decide(self, message: Message, sender: str, folder: str, mood: Mood) -> list[list]:
        """Stores the new orders too. Call it inside the ledger's transaction."""
        whole = message.problem or self._check_message(message, sender, folder)
        known = self.ledger.find_orders([order.guid for order in message.orders])
        platforms: dict[str, list[str]] = {}
        for order in message.orders:
            platforms.setdefault(order.ebp, []).append(order.order_no)
        taken = {
            (ebp, number): guid
            for ebp, numbers in platforms.items()
            for number, guid in self.ledger.find_live(ebp, numbers).items()
        }
        verdicts, rows, ended = [], [], []
        for order in message.orders:
            old = known.get(order.guid)
            if old and old[:2] == (order.digest, folder):  # declared before: the same answer, nothing new
                verdicts.append(_verdict(order, old[2], _words(old[2], mood)))
                continue
            if old:
                verdicts.append(self._violation(order, folder, old))
                continue
            problem = whole or order.problem or self._check_company(order) or _check_number(order, taken)
            status, words = self._outcome(order, problem, mood)
            if status in (STORED, SAVED):
                ended += [taken[order.ebp, order.order_no]] if order.app_type != "1" else []
                taken[order.ebp, order.order_no] = order.guid
            live = status in (STORED, SAVED) and order.app_type != "3"
            known[order.guid] = (order.digest, folder, status)
            rows.append((order.guid, order.digest, folder, sender, order.ebp, order.ebc, order.order_no, status, live))
            verdicts.append(_verdict(order, status, words))
        self.ledger.add_orders(rows)
        self.ledger.end_orders(ended)
        self.ledger.count(distinct_guids=len(rows))
        return verdicts

    def _outcome(self, order: Order, problem: Problem | None, mood: Mood) -> tuple[int, str]:
        if problem:
            return problem.code, str(problem)
        if order.app_status == "1":
            return SAVED, "电子口岸已暂存"
        if mood.name == "refuse":
            return REFUSED, f"海关退单：{mood.reason}"
        return STORED, _words(STORED, mood)

    def _violation(self, order: Order, folder: str, old: tuple[bytes, str, int]) -> list:
        words = "同一guid来自两家企业" if old[1] != folder else "同一guid有两份不同的内容"
        self.ledger.count(violations=1)
        self.ledger.note("violation", folder, order.guid, words)
        return _verdict(order, PARAMETERS, words)

    def _check_message(self, message: Message, sender: str, folder: str) -> Problem | None:
        """Channel, declaring company and signature."""
        transfer = message.transfer
        if transfer["dxpId"] != sender:
            return Problem("dxpId与信封的SenderId不一致")
        company = self._register.find(transfer["copCode"])
        if company is None:
            return Problem(f"copCode {transfer['copCode']}没有备案", NO_SUCH_COMPANY)
        if company["name"] != transfer["copName"]:
            return Problem("copName与备案名称不一致（请检查多余的空格）")
        if self.ledger.channel_owner(sender, folder, company["uscc"]) != company["uscc"]:
            return Problem("传输ID属于另一家企业")
        if not self._authorities:
            self._authorities = load_authorities(self._folder)
        try:
            signer = verify(message.root, self._authorities)
        except BadSignature as error:
            return Problem(f"签名：{error}")
        return self._check_signer(signer, message, company)

    def _check_signer(self, signer: Signer, message: Message, company: dict) -> Problem | None:
        """The card must be the declaring company's, the e-commerce company's or a customs broker's (报关企业)."""
        holder = self._register.find(signer.uscc)
        if holder is None or holder["name"] != signer.company:
            return Problem("签名：证书上的企业没有登记，或名称与登记不一致")
        if holder["uscc"] == company["uscc"] or any(code["category"] == "报关企业" for code in holder["customs_codes"]):
            return None
        owners = {owner["uscc"] for order in message.orders if (owner := self._register.find(order.ebc))}
        return None if owners == {holder["uscc"]} else Problem("签名：证书不是申报企业的")

    def _check_company(self, order: Order) -> Problem | None:
        company = self._register.find(order.ebc)
        if company is None:
            return Problem(f"ebcCode {order.ebc}没有备案", NO_SUCH_COMPANY)
        types = [kind for code in company["customs_codes"] for kind in code["ecommerce_types"]]
        if "电子商务企业" not in types:
            return Problem(f"{order.ebc}的跨境电商企业类型里没有电子商务企业", NO_SUCH_TYPE)
        if company["name"] != order.ebc_name:
            return Problem("ebcName与备案名称不一致（请检查多余的空格）")
        platform = self._register.find(order.ebp)
        if platform is not None and platform["name"] != order.ebp_name:
            return Problem("ebpName与备案名称不一致（请检查多余的空格）")
        return None


def _check_number(order: Order, taken: dict[tuple[str, str], str]) -> Problem | None:
    exists = (order.ebp, order.order_no) in taken
    if order.app_type == "1" and exists:
        return Problem("已存在相同编号的订单", NUMBER_TAKEN)
    if order.app_type != "1" and not exists:
        return Problem("订单标识(appType)不正确，未找到操作的订单", NOTHING_TO_CHANGE)
    return None


def _words(status: int, mood: Mood) -> str:
    return {STORED: "海关入库", SAVED: "电子口岸已暂存", REFUSED: f"海关退单：{mood.reason}"}.get(
        status, "参数校验不通过"
    )


def _verdict(order: Order, status: int, words: str) -> list:
    return [order.guid, order.ebp, order.ebc, order.order_no, status, words]


class Register:
    """The company register as customs sees it: by 海关编码 and by USCC, without companies that are 注销."""

    def __init__(self, store: Store):
        self._store = store
        self._seen, self._companies = -1, {}

    def find(self, code: str) -> dict | None:
        if self._seen != self._store.changes:
            self._seen = self._store.changes
            companies = [company for company in self._store.all("company") if company["status"] == "存续"]
            self._companies = {company["uscc"]: company for company in companies} | {
                number["code"]: company for company in companies for number in company["customs_codes"]
            }
        return self._companies.get(code)
