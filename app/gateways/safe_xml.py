"""XML from strangers, read without a document type: that is where entities come from that expand or open files."""

from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from app.gateways.base import Malformed


def document(body: bytes, what: str) -> Element:
    """Return the root of a document; raises `Malformed`, saying that `what` is no XML."""
    parser = XMLParser(target=_NoDoctype())  # noqa: S314  # without a document type there are no entities to abuse
    try:
        parser.feed(body)
        found: Element = parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise Malformed(f"{what} is no XML.") from error
    return found


class _NoDoctype(TreeBuilder):
    """Builds elements, and refuses a document type: no protocol of ours has one (for XMPP see RFC 6120, 11.1)."""

    def doctype(self, name: str, public_id: str | None, system_id: str | None) -> None:
        """Refuse."""
        raise ValueError("a document type")
