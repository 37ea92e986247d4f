"""A payment order as ISO 20022 pain.001.001.09 (customer credit transfer initiation).

Written by hand with lxml: sepaxml 2.7 makes up the message's id and time itself, so that the same
order never gives the same bytes twice, and it only knows SEPA transfers in euro.
"""

from datetime import UTC
from typing import Any

from lxml import etree

from settlements.rails.orders import (
    NAME_LENGTH_MAX,
    REMITTANCE_LENGTH_MAX,
    NamedAccount,
    PaymentOrder,
    Transfer,
)
from settlements.rails.sepa_text import sepa_text

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"


def render_pain_001(order: PaymentOrder) -> bytes:
    """The message; the same order gives the same bytes.

    All transfers are one payment block, whose id is that of the message. `BtchBookg` is false: the
    bank's statement shows a line per transfer, with its end-to-end id.
    """
    root = etree.Element("Document", nsmap={None: NAMESPACE})
    message = etree.SubElement(root, "CstmrCdtTrfInitn")
    header = etree.SubElement(message, "GrpHdr")
    _add(header, "MsgId", order.message_id)
    _add(header, "CreDtTm", f"{order.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    _add_totals(header, order)
    _add(header, "InitgPty/Nm", _name(order.debtor))
    block = etree.SubElement(message, "PmtInf")
    _add(block, "PmtInfId", order.message_id)
    _add(block, "PmtMtd", "TRF")
    _add(block, "BtchBookg", "false")
    _add_totals(block, order)
    is_sepa = order.currency == "EUR"
    if is_sepa:
        _add(block, "PmtTpInf/SvcLvl/Cd", "SEPA")
    _add(block, "ReqdExctnDt/Dt", order.execution_on.isoformat())
    _add(block, "Dbtr/Nm", _name(order.debtor))
    account = etree.SubElement(block, "DbtrAcct")
    _add(account, "Id/IBAN", order.debtor.iban)
    _add(account, "Ccy", order.currency)
    if order.debtor.bic:
        _add(block, "DbtrAgt/FinInstnId/BICFI", order.debtor.bic)
    else:
        _add(block, "DbtrAgt/FinInstnId/Othr/Id", "NOTPROVIDED")
    _add(block, "ChrgBr", "SLEV" if is_sepa else "SHAR")
    for transfer in order.transfers:
        _add_transfer(etree.SubElement(block, "CdtTrfTxInf"), transfer)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add_totals(parent: Any, order: PaymentOrder) -> None:
    _add(parent, "NbOfTxs", str(len(order.transfers)))
    _add(parent, "CtrlSum", order.control_sum.text)


def _add_transfer(node: Any, transfer: Transfer) -> None:
    _add(node, "PmtId/EndToEndId", transfer.end_to_end_id)
    amount = etree.SubElement(
        etree.SubElement(node, "Amt"), "InstdAmt", Ccy=transfer.money.currency
    )
    amount.text = transfer.money.text
    if transfer.creditor.bic:
        _add(node, "CdtrAgt/FinInstnId/BICFI", transfer.creditor.bic)
    _add(node, "Cdtr/Nm", _name(transfer.creditor))
    _add(node, "CdtrAcct/Id/IBAN", transfer.creditor.iban)
    _add(node, "RmtInf/Ustrd", sepa_text(transfer.remittance, REMITTANCE_LENGTH_MAX))


def _name(account: NamedAccount) -> str:
    return sepa_text(account.holder, NAME_LENGTH_MAX)


def _add(parent: Any, path: str, text: str) -> None:
    for name in path.split("/"):
        parent = etree.SubElement(parent, name)
    parent.text = text
