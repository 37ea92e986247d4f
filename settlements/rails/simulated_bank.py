"""A bank of our own, with a journal of its own: carries out orders, books deposits, states both."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml import etree

from ledger.errors import Invalid
from ledger.money import Money
from settlements.models import SimulatedBankEntry
from settlements.rails.safe_xml import child, children, read_message, text
from settlements.rails.simulated_statement import statement_of

PAIN_002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"


@dataclass(frozen=True, slots=True)
class BankAccount:
    """One of our accounts at the simulated bank; `opening` was there before its first entry."""

    iban: str
    currency: str
    opening: Money


class OrderRefused(Invalid):
    """Its control values contradict its transfers, or its account is not kept here."""

    code = "order_refused"


class SimulatedBank:
    """Executes payment orders on `day` and states what it booked."""

    def __init__(self, accounts: Sequence[BankAccount], day: date) -> None:
        self.accounts = {account.currency: account for account in accounts}
        self.day = day

    def take(self, order: bytes, *, refused: Collection[str] = (), code: str = "AC04") -> bytes:
        """Carry out a pain.001, once per end-to-end id; returns the pain.002 that answers it.

        Transfers whose end-to-end id is in `refused` are not booked and are RJCT for `code`.
        Raises OrderRefused.
        """
        message = read_message(order, "CstmrCdtTrfInitn")
        transfers = _checked_transfers(message, [each.iban for each in self.accounts.values()])
        known = set(
            SimulatedBankEntry.objects.filter(
                amount__lt=0, end_to_end_id__in=transfers
            ).values_list("end_to_end_id", flat=True)
        )
        for name, (money, creditor, remittance) in transfers.items():
            if name not in known | set(refused):
                self.book(-money, counterparty=creditor, end_to_end_id=name, text=remittance)
        return _status_report(
            message,
            {name: "RJCT" if name in refused else "ACSC" for name in transfers},
            code,
            self.day,
        )

    def give_back(self, end_to_end_id: str, code: str) -> str:
        """The creditor's bank sends a booked transfer back, for an ISO 20022 reason code.

        Returns the bank's id of the credit.
        """
        debit = SimulatedBankEntry.objects.get(end_to_end_id=end_to_end_id, amount__lt=0)
        return self.book(
            -debit.money,
            counterparty=debit.counterparty,
            end_to_end_id=end_to_end_id,
            text=f"RETURN {code} {debit.text}",
            return_code=code,
        )

    def book(
        self,
        money: Money,
        *,
        counterparty: str,
        text: str,
        end_to_end_id: str = "",
        return_code: str = "",
    ) -> str:
        """Book one entry, a credit if positive, else a debit; returns the bank's id of it."""
        entry = SimulatedBankEntry.objects.create(
            account=self.accounts[money.currency].iban,
            currency=money.currency,
            amount=money.amount,
            booked_on=self.day,
            counterparty=counterparty,
            end_to_end_id=end_to_end_id,
            text=text,
            return_code=return_code,
        )
        return entry.name

    def statement(self) -> bytes:
        """The camt.053.001.08 of all accounts: everything booked that no statement showed yet."""
        parts = []
        for account in self.accounts.values():
            journal = SimulatedBankEntry.objects.filter(account=account.iban)
            stated = sum(journal.exclude(stated_on=None).values_list("amount", flat=True))
            entries = list(journal.filter(stated_on=None))
            opening = account.opening + Money(stated, account.currency)
            parts.append((account.iban, opening, entries))
            journal.filter(pk__in=[entry.pk for entry in entries]).update(stated_on=self.day)
        return statement_of(self.day, parts)


Transfers = dict[str, tuple[Money, str, str]]


def _checked_transfers(message: Any, own_ibans: Collection[str]) -> Transfers:
    """Money, creditor and text by end-to-end id, if counts and sums are what they should be."""
    transfers: Transfers = {}
    for block in children(message, "PmtInf"):
        iban = text(block, "DbtrAcct/Id/IBAN")
        if iban not in own_ibans:
            raise OrderRefused(f"{iban} is no account of yours here.")
        for node in children(block, "CdtTrfTxInf"):
            amount = child(node, "Amt/InstdAmt")
            money = Money.of(amount.text, amount.get("Ccy"))
            named = text(node, "Cdtr/Nm"), text(node, "RmtInf/Ustrd")
            transfers[text(node, "PmtId/EndToEndId")] = (money, *named)
    total = sum((money.decimal for money, _, _ in transfers.values()), start=0)
    if text(message, "GrpHdr/NbOfTxs") != str(len(transfers)):
        raise OrderRefused("NbOfTxs is not the number of transfers.")
    if text(message, "GrpHdr/CtrlSum") != str(total):
        raise OrderRefused("CtrlSum is not what the transfers add up to.")
    return transfers


def _status_report(message: Any, statuses: dict[str, str], code: str, day: date) -> bytes:
    values = set(statuses.values())
    overall = "ACCP" if values == {"ACSC"} else "RJCT" if values == {"RJCT"} else "PART"
    original = text(message, "GrpHdr/MsgId")
    root = etree.Element("Document", nsmap={None: PAIN_002})
    report = etree.SubElement(root, "CstmrPmtStsRpt")
    _add(report, "GrpHdr/MsgId", f"SIM{original}"[:35])
    _add(child(report, "GrpHdr"), "CreDtTm", f"{day.isoformat()}T12:00:00Z")
    group = etree.SubElement(report, "OrgnlGrpInfAndSts")
    _add(group, "OrgnlMsgId", original)
    _add(group, "OrgnlMsgNmId", "pain.001.001.09")
    _add(group, "GrpSts", overall)
    block = etree.SubElement(report, "OrgnlPmtInfAndSts")
    _add(block, "OrgnlPmtInfId", text(message, "PmtInf/PmtInfId"))
    _add(block, "PmtInfSts", overall)
    for name, status in statuses.items():
        node = etree.SubElement(block, "TxInfAndSts")
        _add(node, "OrgnlEndToEndId", name)
        _add(node, "TxSts", status)
        if status == "RJCT":
            why = etree.SubElement(node, "StsRsnInf")
            _add(why, "Rsn/Cd", code)
            _add(why, "AddtlInf", "The simulated bank was told to refuse it.")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add(parent: Any, path: str, words: str) -> None:
    for name in path.split("/"):
        parent = etree.SubElement(parent, name)
    parent.text = words
