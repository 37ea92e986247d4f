"""Reading small XML messages of banks without trusting them.

No DTD, no entity, no network, no more than MESSAGE_BYTES_MAX. Names are local: the namespace only
tells the version, and some banks leave it out.
"""

from typing import Any

from lxml import etree

from ledger.errors import Invalid

MESSAGE_BYTES_MAX = 32 << 20


class UnreadableMessage(Invalid):
    code = "unreadable_message"


def read_message(content: bytes, name: str) -> Any:
    """The element `name` right below the document's root. Raises UnreadableMessage."""
    if len(content) > MESSAGE_BYTES_MAX:
        raise UnreadableMessage(f"it has more than {MESSAGE_BYTES_MAX} bytes")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise UnreadableMessage(f"it is not XML: {problem}") from None
    if root.getroottree().docinfo.doctype:
        raise UnreadableMessage("it declares a DOCTYPE")
    message = child(root, name)
    if message is None:
        raise UnreadableMessage(f"there is no {name} in it")
    return message


def local_name(element: Any) -> str:
    tag: str = element.tag
    return tag[tag.rfind("}") + 1 :]


def children(element: Any, name: str) -> list[Any]:
    """The elements of this name right below another, in their order."""
    return [each for each in element if local_name(each) == name]


def child(element: Any, path: str) -> Any:
    """The first element at a path of names below another; None if there is none."""
    for name in path.split("/"):
        found = children(element, name)
        if not found:
            return None
        element = found[0]
    return element


def text(element: Any, path: str) -> str:
    """The text of the first element at a path, on one line; "" if there is none."""
    found = child(element, path)
    return "" if found is None else one_line(found)


def one_line(element: Any) -> str:
    return " ".join((element.text or "").split())
