"""Parses XML from outside: no DTD, entities or network, nothing larger than a size limit."""

from lxml import etree

MAX_BYTES = 4 * 1024 * 1024  # the platform takes nothing larger (MQ, AMQP: 4096 KB)


class BadXml(ValueError):
    """The bytes are not a message of the expected form."""


def parse(data: bytes, *, for_signature: bool = False) -> etree._Element:
    """The root element. Raises BadXml.

    Comments are dropped, so that none can cut a value in two; processing instructions too, unless `for_signature`,
    as a signature covers them.
    """
    if len(data) > MAX_BYTES:
        raise BadXml("too large")
    parser = _parser(keep_instructions=for_signature)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        # The platform's own DxpRep declares xmlns:ns2="##other", which is no address but does no harm.
        if for_signature or not len(parser.error_log) or any(e.type_name != "WAR_NS_URI" for e in parser.error_log):
            raise BadXml("not well formed") from error
        root = etree.fromstring(data, _parser(recover=True))
    document = root.getroottree().docinfo
    if document.internalDTD is not None or document.doctype:
        raise BadXml("document type declaration")
    return root


def _parser(*, keep_instructions: bool = False, recover: bool = False) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=not keep_instructions,
        recover=recover,
    )
