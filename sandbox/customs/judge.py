"""What customs decides about each document of a message, and why."""

from pathlib import Path

from sandbox.customs import codes
from sandbox.customs.codes import REFUSED, SAVED, WORDS
from sandbox.customs.ledger import Filed, Ledger
from sandbox.customs.message import Document, Message
from sandbox.customs.order_of_papers import Papers
from sandbox.customs.papers import Problem
from sandbox.customs.signature import BadSignature, Signer, load_authorities, verify
from sandbox.moods import Mood
from sandbox.store import Store


class Judge:
    """`decide` gives one verdict per document: [guid, status, words, what the receipt repeats, result or None]."""

    def __init__(self, store: Store, ledger: Ledger, authorities: Path):
        self.ledger = ledger
        self._register = Register(store)
        self._papers = Papers(ledger, self._register, store)
        self._folder, self._authorities = authorities, ()

    def decide(self, message: Message, sender: str, folder: str, mood: Mood) -> list[list]:
        """Stores the new documents too. Call it inside the ledger's transaction."""
        kind = message.kind
        whole = message.problem or self._check_message(message, sender, folder)
        known = self.ledger.find_documents([document.guid for document in message.documents])
        taken = self.ledger.find_live(kind.code, [document.key for document in message.documents])
        verdicts, filed, ended, uses = [], [], [], []
        companies: dict[tuple, Problem | None] = {}  # most documents of a message name the same ones
        for document in message.documents:
            old = known.get(document.guid)
            if old and (old.digest, old.folder) == (document.digest, folder):  # the same again: the same answer
                verdicts.append(_verdict(old, _words(old.status, mood)))
                continue
            if old:
                verdicts.append(self._violation(document, folder, old))
                continue
            problem = whole or document.problem or self._check_companies(document, companies)
            problem = problem or _check_key(document, taken)
            problem = problem or self._papers.check(document, taken.get(document.key))
            status, words = self._outcome(document, problem, mood)
            paper = Filed(
                document.guid, kind.code, document.digest, folder, sender, *document.key, status, False,
                document.head.get("orderType", ""), [],
            )  # fmt: skip
            if status in (kind.way[0], SAVED):
                replaced = taken.get(document.key) if document.app_type != "1" else None
                ended += [replaced] if replaced else []
                paper.live = document.app_type != "3"
                taken[document.key] = document.guid
                uses += self._papers.file(document, paper, replaced) if status != SAVED else []
            paper.said = self._papers.repeat(document, paper)
            known[document.guid] = paper
            filed.append(paper)
            verdicts.append(_verdict(paper, words))
            if self._papers.look_into_ledger(kind.code):
                self._store(filed, ended, uses)
        self._store(filed, ended, uses)
        return verdicts

    def _store(self, filed: list[Filed], ended: list[str], uses: list[tuple]) -> None:
        """Empties the lists into the ledger."""
        self.ledger.add_documents(filed)
        self.ledger.end_documents(ended)
        self.ledger.add_uses(uses)
        if filed:
            self.ledger.count(filed[0].kind, distinct_guids=len(filed))
        for done in (filed, ended, uses):
            done.clear()

    def _outcome(self, document: Document, problem: Problem | None, mood: Mood) -> tuple[int, str]:
        if problem:
            return document.kind.code_of(problem.what), str(problem)
        if document.head["appStatus"] == "1":
            return SAVED, WORDS[SAVED]
        if mood.name == "refuse":
            return REFUSED, f"海关退单：{mood.reason}"
        status = document.kind.way[0]
        return status, WORDS[status]

    def _violation(self, document: Document, folder: str, old: Filed) -> list:
        words = "同一guid来自两家企业" if old.folder != folder else "同一guid有两份不同的内容"
        self.ledger.count(violations=1)
        self.ledger.note("violation", folder, document.guid, words)
        status = document.kind.code_of(codes.PARAMETERS)
        return [document.guid, status, words, self._papers.repeat(document, old), None]

    def _check_message(self, message: Message, sender: str, folder: str) -> Problem | None:
        """Channel, declaring company and signature."""
        transfer = message.transfer
        if transfer["dxpId"] != sender:
            return Problem("dxpId与信封的SenderId不一致")
        company = self._register.find(transfer["copCode"])
        if company is None:
            return Problem(f"copCode {transfer['copCode']}没有备案", codes.NO_SUCH_COMPANY)
        if company["name"] != transfer["copName"]:
            return Problem("copName与备案名称不一致（请检查多余的空格）")
        if self.ledger.channel_owner(sender, folder, company["uscc"]) != company["uscc"]:
            return Problem("传输ID属于另一家企业")
        if not self._authorities:
            self._authorities = load_authorities(self._folder)
        try:
            signer = verify(message.root, self._authorities)
        except BadSignature as error:
            return Problem(f"签名：{error}", codes.SIGNATURE)
        return self._check_signer(signer, message, company)

    def _check_signer(self, signer: Signer, message: Message, company: dict) -> Problem | None:
        """The card must be the declaring company's, that of the owner of all documents or a customs broker's (报关企业)."""
        holder = self._register.find(signer.uscc)
        if holder is None or holder["name"] != signer.company:
            return Problem("签名：证书上的企业没有登记，或名称与登记不一致", codes.SIGNATURE)
        if holder["uscc"] == company["uscc"] or any(code["category"] == "报关企业" for code in holder["customs_codes"]):
            return None
        owners = {owner["uscc"] for paper in message.documents if (owner := self._register.find(paper.owner))}
        return None if owners == {holder["uscc"]} else Problem("签名：证书不是申报企业的", codes.SIGNATURE)

    def _check_companies(self, document: Document, known: dict[tuple, Problem | None]) -> Problem | None:
        """`known`: what was found out about the same companies."""
        named = tuple(map(document.head.get, document.kind.company_elements))
        if named not in known:
            known[named] = self._look_up(document)
        return known[named]

    def _look_up(self, document: Document) -> Problem | None:
        for role, wanted in document.kind.roles.items():
            code, name = document.head.get(f"{role}Code", ""), document.head.get(f"{role}Name", "")
            company = self._register.find(code)
            if company is None and wanted == "?":
                continue
            if company is None:
                return Problem(f"{role}Code {code}没有备案", codes.NO_SUCH_COMPANY)
            types = [kind for number in company["customs_codes"] for kind in number["ecommerce_types"]]
            if wanted not in ("", "?") and wanted not in types:
                return Problem(f"{code}的跨境电商企业类型里没有{wanted}", codes.NO_SUCH_TYPE)
            if company["name"] != name:
                return Problem(f"{role}Name与备案名称不一致（请检查多余的空格）")
        return None


def _check_key(document: Document, taken: dict[tuple[str, str], str]) -> Problem | None:
    exists, title = document.key in taken, document.kind.title
    if document.app_type == "1" and exists:
        return Problem(f"已存在相同编号的{title}", codes.TAKEN)
    if document.app_type != "1" and not exists:
        return Problem(f"{title}标识(appType)不正确，未找到操作的{title}", codes.NOTHING)
    return None


def _words(status: int, mood: Mood) -> str:
    return f"海关退单：{mood.reason}" if status == REFUSED else WORDS.get(status, "参数校验不通过")


def _verdict(paper: Filed, words: str) -> list:
    result = paper.facts.get("result") if paper.facts else None
    return [paper.guid, paper.status, words, paper.said, result]


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

    def is_same(self, one: str, other: str) -> bool:
        """Whether two codes, each of 10 or 18 characters, name one company."""
        first, second = self.find(one), self.find(other)
        return one == other or (first is not None and second is not None and first["uscc"] == second["uscc"])
