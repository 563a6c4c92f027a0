"""Parses XML from outside: no DTD, entities or network, nothing larger than a size limit."""

from lxml import etree

MAX_BYTES = 4 * 1024 * 1024  # the platform takes nothing larger (MQ, AMQP: 4096 KB)


class BadXml(ValueError):
    """The bytes are not a message of the expected form."""


def parse(data: bytes, *, keep_instructions: bool = False) -> etree._Element:
    """The root element. Raises BadXml.

    Comments are dropped, so that none can cut a value in two; processing instructions too, unless `keep_instructions`
    (a signature covers them).
    """
    if len(data) > MAX_BYTES:
        raise BadXml("too large")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=not keep_instructions,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadXml("not well formed") from error
    document = root.getroottree().docinfo
    if document.internalDTD is not None or document.doctype:
        raise BadXml("document type declaration")
    return root
