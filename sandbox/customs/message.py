"""A CEB message as customs reads it: its frame, and each document's elements, in the order and length of 规范 202205."""

import hashlib
import re
from dataclasses import dataclass
from operator import gt, lt

from lxml import etree

from sandbox.customs import codes, papers
from sandbox.customs.envelope import BadEnvelope, parse
from sandbox.customs.kinds import BY_ROOT, TRANSFER, Kind, Rules
from sandbox.customs.papers import Problem

CEB = "{http://www.chinaport.gov.cn/ceb}"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
MOST = 100  # documents in a message
_guid = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}").fullmatch
_good_shapes: dict[tuple, tuple[list[str], list[int], list[int]]] = {}


@dataclass(slots=True)
class Document:
    kind: Kind
    guid: str
    head: dict[str, str]
    lines: list[dict[str, str]]
    digest: bytes  # of everything that the document says
    problem: Problem | None
    key: tuple[str, str]  # scope and number
    owner: str

    @property
    def app_type(self) -> str:
        return self.head.get("appType", "")

    @property
    def number(self) -> str:
        return self.key[1]


@dataclass(slots=True)
class Message:
    root: etree._Element
    kind: Kind
    documents: list[Document]
    transfer: dict[str, str]
    problem: Problem | None  # with the message as a whole


def read(content: bytes, root_name: str) -> Message:
    """`root_name`: what the envelope calls it. Raises BadEnvelope when there is no document to answer."""
    root = parse(content)
    kind = BY_ROOT.get(root_name)
    if kind is None or root.tag != CEB + root_name:
        raise BadEnvelope(f"根元素不是ceb:{root_name}，而是{etree.QName(root).localname}")
    documents = [_read_document(kind, element) for element in root.iterfind(CEB + kind.node)]
    documents = [document for document in documents if document is not None]
    if not documents:
        raise BadEnvelope(f"报文里没有带guid的{kind.title}")
    try:
        transfer, problem = _read_frame(root, CEB + kind.node), None
    except Problem as error:
        transfer, problem = {}, error
    if problem is None and len({document.guid for document in documents}) < len(documents):
        problem = Problem("同一报文内guid重复")
    return Message(root, kind, documents, transfer, problem)


def _read_frame(root: etree._Element, node: str) -> dict[str, str]:
    """Root attributes, the order of the children, and BaseTransfer as a dict."""
    if len(root.get("guid", "")) != 36 or not 1 <= len(root.get("version", "")) <= 10:
        raise Problem("报文的guid应为36位，version应为1至10位")
    tags = [child.tag for child in root]
    count = tags.count(node)
    frame = [CEB + "BaseTransfer"] + [CEB + "BaseSubscribe"] * tags.count(CEB + "BaseSubscribe")
    frame += [SIGNATURE] * (SIGNATURE in tags) + [CEB + "ExtendMessage"] * (CEB + "ExtendMessage" in tags)
    name = node.removeprefix(CEB)
    if not 1 <= count <= MOST or tags.count(CEB + "BaseSubscribe") > 5 or tags[:count] != [node] * count:
        raise Problem(f"报文应以1至100个{name}开头，BaseSubscribe至多5个")
    if tags[count:] != frame:
        raise Problem(f"{name}之后应依次为BaseTransfer（1个）、BaseSubscribe、ds:Signature、ExtendMessage")
    transfer = _values(root[count], TRANSFER)
    if transfer["dxpMode"] != "DXP":
        raise Problem("dxpMode应为DXP")
    return transfer


def _values(element: etree._Element, rules: Rules) -> dict[str, str]:
    """The children's texts by name. Raises Problem for a child that is missing, misplaced, empty or too long."""
    shape = (element.tag, *[child.tag for child in element])
    known = _good_shapes.get(shape)
    if known is None:
        known = _good_shapes[shape] = _check_shape(shape, rules)
    names, shortest, longest = known
    texts = [child.text or "" for child in element]
    lengths = list(map(len, texts))
    if any(map(gt, lengths, longest)) or any(map(lt, lengths, shortest)):
        wrong = next(n for n, length in enumerate(lengths) if not shortest[n] <= length <= longest[n])
        raise Problem(f"{names[wrong]}超过{longest[wrong]}位" if lengths[wrong] else f"{names[wrong]}不得为空")
    return dict(zip(names, texts, strict=True))


def _check_shape(shape: tuple, rules: Rules) -> tuple[list[str], list[int], list[int]]:
    """Names of the children, their shortest and their longest length."""
    where = etree.QName(shape[0]).localname
    names = [str(tag).removeprefix(CEB) for tag in shape[1:]]
    expected = [name for name in rules.longest if name not in rules.optional or name in names]
    for name, wanted in zip(names, expected, strict=False):
        if name != wanted:
            raise Problem(f"{where}中{wanted}的位置上是{name}")
    if len(names) != len(expected):
        raise Problem(
            f"{where}缺少{expected[len(names)]}" if len(names) < len(expected) else f"{where}中多出{names[-1]}"
        )
    return names, [int(name not in rules.optional) for name in names], [rules.longest[name] for name in names]


def _read_document(kind: Kind, element: etree._Element) -> Document | None:
    """None when not even a guid can be read."""
    head, lines, problem = {}, [], None
    try:
        head = _values(_head_of(kind, element), kind.head)
        if not _guid(head["guid"]):
            raise Problem("guid应为36位大写")
        if head["appType"] not in ("1", "2", "3") or head["appStatus"] not in ("1", "2"):
            raise Problem("appType应为1、2、3，appStatus应为1、2")
        papers.check_head(kind.code, head)
        if kind.line is not None:
            _count_lines(kind, element)
            lines = [_values(child, kind.line) for child in element[1:]]
        papers.check_lines(kind.code, head, lines)
    except Problem as error:
        problem = error
    if not head:
        path = f"{CEB}{kind.head_node}/{CEB}" if kind.head_node else CEB
        head = {name: (element.findtext(path + name) or "")[:longest] for name, longest in kind.head.longest.items()}
    guid = head["guid"]
    if len(guid) != 36:
        return None
    says = element.itertext() if problem else [text for part in (head, *lines) for text in part.values()]
    digest = hashlib.blake2b("\x1f".join(says).encode(), digest_size=16).digest()
    scope, number = kind.key
    return Document(kind, guid, head, lines, digest, problem, (head[scope], head[number]), head[kind.owner])


def _head_of(kind: Kind, element: etree._Element) -> etree._Element:
    if not kind.head_node:
        return element
    tags = [child.tag for child in element]
    if tags != [CEB + kind.head_node] + [CEB + kind.line_node] * (len(tags) - 1):
        raise Problem(f"{kind.node}应为一个{kind.head_node}和若干{kind.line_node}")
    return element[0]


def _count_lines(kind: Kind, element: etree._Element) -> None:
    count = len(element) - 1
    if kind.most_lines is not None and not 1 <= count <= kind.most_lines:
        raise Problem(f"商品应为1至{kind.most_lines}项", codes.NO_LINES)
