"""Canonical XML 1.0 of a message in one pass over the parser's events, refusing what a customs message never holds."""

from collections.abc import Callable
from xml.parsers import expat

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
DEEPEST = 32
Name = tuple[str, str]  # (namespace, local name)


class BadMessage(ValueError):
    """The message is not one that this bridge signs."""


class Canonicalizer:
    """Gives the inclusive C14N (REC-xml-c14n-20010315, without comments) of one document.

    Refused: DTD (entities could show one text and sign another), comments and instructions, namespace declarations
    below the root and xml: attributes (which inclusive C14N would copy into SignedInfo). What remains has one
    canonical form that needs no document tree. `on_end` is called with the path of names and the text of each element.
    """

    def __init__(self, on_end: Callable[[list[Name], str], None]) -> None:
        self.namespaces: dict[str, str] = {}
        self._out: list[str] = []
        self._path: list[Name] = []
        self._text: list[str] = []
        self._is_leaf = True
        self._on_end = on_end

    def run(self, data: bytes) -> bytes:
        """Returns the canonical bytes; raises BadMessage."""
        parser = expat.ParserCreate("UTF-8")
        parser.buffer_text = parser.ordered_attributes = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        parser.CommentHandler = parser.ProcessingInstructionHandler = self._refuse
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise BadMessage("not well formed") from error
        return "".join(self._out).encode("utf-8")

    def _refuse(self, *_: object) -> None:
        raise BadMessage("DTD, comment or instruction")

    def _start(self, tag: str, attributes: list[str]) -> None:
        pairs = list(zip(attributes[::2], attributes[1::2], strict=True))
        declared = {name.partition(":")[2]: uri for name, uri in pairs if name == "xmlns" or name.startswith("xmlns:")}
        if len(self._path) >= DEEPEST or (declared and self._path):
            raise BadMessage("too deep, or a namespace below the root")
        if not self._path:
            if not all(declared.values()) or XML_NAMESPACE in declared.values() or "xml" in declared:
                raise BadMessage("namespace")
            self.namespaces = declared
        plain = [(name, value) for name, value in pairs if name != "xmlns" and not name.startswith("xmlns:")]
        named = [(self._name(name, True), name, value) for name, value in plain]
        if len({name for name, _, _ in named}) != len(named):
            raise BadMessage("attribute twice")
        if "".join(self._text).strip():
            raise BadMessage("text beside elements")
        self._path.append(self._name(tag, False))
        self._text, self._is_leaf = [], True
        spaces = declared_text(declared) if len(self._path) == 1 else ""
        values = "".join(f' {name}="{attribute_text(value)}"' for _, name, value in sorted(named))
        self._out.append(f"<{tag}{spaces}{values}>")

    def _name(self, qualified: str, is_attribute: bool) -> Name:
        prefix, colon, local = qualified.rpartition(":")
        if colon and (prefix not in self.namespaces or not local):
            raise BadMessage("prefix")
        return ("" if is_attribute and not colon else self.namespaces.get(prefix, "")), local

    def _characters(self, text: str) -> None:
        self._text.append(text)
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
        self._out.append(escaped)

    def _end(self, tag: str) -> None:
        text = "".join(self._text)
        if text.strip() and not self._is_leaf:
            raise BadMessage("text beside elements")
        self._on_end(self._path, text)
        self._path.pop()
        self._text, self._is_leaf = [], False
        self._out.append(f"</{tag}>")


def declared_text(namespaces: dict[str, str]) -> str:
    """Namespace declarations in canonical order: the default one first, then by prefix."""
    return "".join(
        f' xmlns{":" + prefix if prefix else ""}="{attribute_text(uri)}"' for prefix, uri in sorted(namespaces.items())
    )


def attribute_text(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")
