"""A bank of our own, with a journal of its own: books deposits and payouts, writes camt.053."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml import etree

from ledger.money import Money
from settlements.models import Payout, SimulatedBankEntry

CAMT_053 = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass(frozen=True, slots=True)
class BankAccount:
    """One of our accounts at the simulated bank; `opening` was there before its first entry."""

    iban: str
    currency: str
    opening: Money


class SimulatedBank:
    """Executes payouts on `day` and states what it booked."""

    def __init__(self, accounts: Sequence[BankAccount], day: date) -> None:
        self.accounts = {account.currency: account for account in accounts}
        self.day = day

    def pay(self, payouts: Sequence[Payout]) -> None:
        """Book a debit per payout, once per payout id."""
        booked = set(
            SimulatedBankEntry.objects.filter(
                end_to_end_id__in=[payout.public_id for payout in payouts]
            ).values_list("end_to_end_id", flat=True)
        )
        for payout in payouts:
            if payout.public_id not in booked:
                self.book(
                    -payout.money,
                    counterparty=payout.merchant.name,
                    end_to_end_id=payout.public_id,
                    text=f"PAYOUT {payout.public_id}",
                )

    def book(self, money: Money, *, counterparty: str, text: str, end_to_end_id: str = "") -> str:
        """Book one entry, a credit if positive, else a debit; returns the bank's id of it."""
        entry = SimulatedBankEntry.objects.create(
            account=self.accounts[money.currency].iban,
            currency=money.currency,
            amount=money.amount,
            booked_on=self.day,
            counterparty=counterparty,
            end_to_end_id=end_to_end_id,
            text=text,
        )
        return entry.name

    def statement(self) -> bytes:
        """The camt.053.001.08 of all accounts: everything booked that no statement showed yet."""
        root = etree.Element("Document", nsmap={None: CAMT_053})
        message = etree.SubElement(root, "BkToCstmrStmt")
        header = etree.SubElement(message, "GrpHdr")
        _add(header, "MsgId", f"SIMBANK-{self.day:%Y%m%d}")
        _add(header, "CreDtTm", f"{self.day.isoformat()}T23:00:00+00:00")
        for account in self.accounts.values():
            self._add_statement(message, account)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)

    def _add_statement(self, message: Any, account: BankAccount) -> None:
        journal = SimulatedBankEntry.objects.filter(account=account.iban)
        stated = sum(journal.exclude(stated_on=None).values_list("amount", flat=True))
        entries = list(journal.filter(stated_on=None))
        opening = account.opening + Money(stated, account.currency)
        closing = sum((entry.money for entry in entries), opening)
        statement = etree.SubElement(message, "Stmt")
        _add(statement, "Id", f"{account.iban}-{self.day:%Y%m%d}")
        _add(statement, "CreDtTm", f"{self.day.isoformat()}T23:00:00+00:00")
        period = etree.SubElement(statement, "FrToDt")
        _add(period, "FrDtTm", f"{self.day.isoformat()}T00:00:00+00:00")
        _add(period, "ToDtTm", f"{self.day.isoformat()}T23:59:59+00:00")
        owner = etree.SubElement(statement, "Acct")
        _add(owner, "Id/IBAN", account.iban)
        _add(owner, "Ccy", account.currency)
        for code, money in (("OPBD", opening), ("CLBD", closing)):
            balance = etree.SubElement(statement, "Bal")
            _add(balance, "Tp/CdOrPrtry/Cd", code)
            _add_money(balance, money)
            _add(balance, "Dt/Dt", self.day.isoformat())
        for entry in entries:
            _add_entry(statement, entry)
        journal.filter(pk__in=[entry.pk for entry in entries]).update(stated_on=self.day)


def _add_entry(statement: Any, entry: SimulatedBankEntry) -> None:
    name = entry.name
    node = etree.SubElement(statement, "Ntry")
    _add(node, "NtryRef", name)
    _add_money(node, entry.money)
    _add(node, "Sts/Cd", "BOOK")
    _add(node, "BookgDt/Dt", entry.booked_on.isoformat())
    _add(node, "ValDt/Dt", entry.booked_on.isoformat())
    _add(node, "AcctSvcrRef", name)
    family = "RCDT" if entry.amount > 0 else "ICDT"
    domain = etree.SubElement(etree.SubElement(node, "BkTxCd"), "Domn")
    _add(domain, "Cd", "PMNT")
    codes = etree.SubElement(domain, "Fmly")
    _add(codes, "Cd", family)
    _add(codes, "SubFmlyCd", "ESCT")
    details = etree.SubElement(etree.SubElement(node, "NtryDtls"), "TxDtls")
    _add(details, "Refs/EndToEndId", entry.end_to_end_id or "NOTPROVIDED")
    party = "Dbtr" if entry.amount > 0 else "Cdtr"
    _add(details, f"RltdPties/{party}/Pty/Nm", entry.counterparty)
    _add(details, "RmtInf/Ustrd", entry.text)


def _add_money(parent: Any, money: Money) -> None:
    amount = etree.SubElement(parent, "Amt", Ccy=money.currency)
    amount.text = (money if money.amount >= 0 else -money).text
    _add(parent, "CdtDbtInd", "CRDT" if money.amount >= 0 else "DBIT")


def _add(parent: Any, path: str, text: str) -> None:
    for name in path.split("/"):
        parent = etree.SubElement(parent, name)
    parent.text = text
