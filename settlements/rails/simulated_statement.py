"""The simulated bank's camt.053."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from lxml import etree

from ledger.money import Money
from settlements.models import SimulatedBankEntry

CAMT_053 = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
# An account, its opening balance and what was booked on it.
Part = tuple[str, Money, Sequence[SimulatedBankEntry]]


def statement_of(day: date, parts: Sequence[Part]) -> bytes:
    """The camt.053.001.08 of a day, a statement per account."""
    root = etree.Element("Document", nsmap={None: CAMT_053})
    message = etree.SubElement(root, "BkToCstmrStmt")
    header = etree.SubElement(message, "GrpHdr")
    _add(header, "MsgId", f"SIMBANK-{day:%Y%m%d}")
    _add(header, "CreDtTm", f"{day.isoformat()}T23:00:00+00:00")
    for iban, opening, entries in parts:
        _add_statement(message, day, iban, opening, entries)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add_statement(
    message: Any, day: date, iban: str, opening: Money, entries: Sequence[SimulatedBankEntry]
) -> None:
    closing = sum((entry.money for entry in entries), opening)
    statement = etree.SubElement(message, "Stmt")
    _add(statement, "Id", f"{iban}-{day:%Y%m%d}")
    _add(statement, "CreDtTm", f"{day.isoformat()}T23:00:00+00:00")
    period = etree.SubElement(statement, "FrToDt")
    _add(period, "FrDtTm", f"{day.isoformat()}T00:00:00+00:00")
    _add(period, "ToDtTm", f"{day.isoformat()}T23:59:59+00:00")
    owner = etree.SubElement(statement, "Acct")
    _add(owner, "Id/IBAN", iban)
    _add(owner, "Ccy", opening.currency)
    for code, money in (("OPBD", opening), ("CLBD", closing)):
        balance = etree.SubElement(statement, "Bal")
        _add(balance, "Tp/CdOrPrtry/Cd", code)
        _add_money(balance, money)
        _add(balance, "Dt/Dt", day.isoformat())
    for entry in entries:
        _add_entry(statement, entry)


def _add_entry(statement: Any, entry: SimulatedBankEntry) -> None:
    name = entry.name
    node = etree.SubElement(statement, "Ntry")
    _add(node, "NtryRef", name)
    _add_money(node, entry.money)
    _add(node, "Sts/Cd", "BOOK")
    _add(node, "BookgDt/Dt", entry.booked_on.isoformat())
    _add(node, "ValDt/Dt", entry.booked_on.isoformat())
    _add(node, "AcctSvcrRef", name)
    domain = etree.SubElement(etree.SubElement(node, "BkTxCd"), "Domn")
    _add(domain, "Cd", "PMNT")
    codes = etree.SubElement(domain, "Fmly")
    # What comes back belongs to the family of what was sent.
    _add(codes, "Cd", "RCDT" if entry.amount > 0 and not entry.return_code else "ICDT")
    _add(codes, "SubFmlyCd", "RRTN" if entry.return_code else "ESCT")
    details = etree.SubElement(etree.SubElement(node, "NtryDtls"), "TxDtls")
    _add(details, "Refs/EndToEndId", entry.end_to_end_id or "NOTPROVIDED")
    party = "Dbtr" if entry.amount > 0 and not entry.return_code else "Cdtr"
    _add(details, f"RltdPties/{party}/Pty/Nm", entry.counterparty)
    _add(details, "RmtInf/Ustrd", entry.text)
    if entry.return_code:
        _add(details, "RtrInf/Rsn/Cd", entry.return_code)


def _add_money(parent: Any, money: Money) -> None:
    amount = etree.SubElement(parent, "Amt", Ccy=money.currency)
    amount.text = (money if money.amount >= 0 else -money).text
    _add(parent, "CdtDbtInd", "CRDT" if money.amount >= 0 else "DBIT")


def _add(parent: Any, path: str, text: str) -> None:
    for name in path.split("/"):
        parent = etree.SubElement(parent, name)
    parent.text = text
