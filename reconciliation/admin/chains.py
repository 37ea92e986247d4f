"""From any record to the records it hangs on: its entries, settlement, payout and bank line."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse

from ledger.models import Account, JournalEntry
from payments.models import Dispute, Merchant, Payment, Refund, Transfer
from reconciliation.models import (
    Discrepancy,
    Match,
    MatchLine,
    ProcessorPayout,
    StatementLine,
    WriteOff,
)
from settlements.models import Payout, Settlement, SettlementBatch

Subject = Payment | Refund | Dispute
LINKS_MAX = 20
_SUBJECTS = tuple(
    f"match__{name}" for name in ("payment", "refund", "dispute", "processor_payout", "payout")
)


@dataclass(frozen=True, slots=True)
class Link:
    """A record of the chain; without `url` it is not there (yet). For whom has the permission."""

    label: str
    text: str
    url: str = ""
    detail: str = ""
    permission: str = ""


def chain_for(user: Any, record: object) -> list[Link]:
    """The links of a record that the person may follow."""
    found = chain_of(record)
    return [each for each in found if not each.permission or user.has_perm(each.permission)]


@singledispatch
def chain_of(record: object) -> Iterator[Link]:
    """The links of a record, in the order in which money moves; none for most kinds."""
    yield from ()


@chain_of.register(Payment)
@chain_of.register(Refund)
@chain_of.register(Dispute)
def _of_subject(subject: Subject) -> Iterator[Link]:
    yield link_to(subject, f"{subject.money} {subject.status}")
    yield entries_about(subject.public_id)
    yield from _of_report(matched_line(subject))
    yield from _of_settlement(subject)
    yield from _of_discrepancies(subject.discrepancies.all())


@chain_of.register
def _of_transfer(transfer: Transfer) -> Iterator[Link]:
    yield entries_about(transfer.public_id)
    for account in (transfer.source_account, transfer.destination_account):
        yield link_to(account, account.currency)


@chain_of.register
def _of_batch(batch: SettlementBatch) -> Iterator[Link]:
    url = f"{_list_url(Settlement)}?q={batch.public_id}"
    yield Link("Earned", f"{batch.line_count} lines", url, permission=may_view(Settlement))
    yield entries_about(batch.public_id)
    yield from _of_payouts(batch)


@chain_of.register
def _of_payout(payout: Payout) -> Iterator[Link]:
    yield link_to(payout.batch, f"{payout.batch.period} {payout.batch.status}")
    yield entries_about(payout.public_id)
    for attempt in payout.attempts.select_related("file"):
        yield link_to(attempt.file, attempt.file.status)
    yield at_the_bank("Payout at the bank", matched_line(payout))


@chain_of.register
def _of_line(line: StatementLine) -> Iterator[Link]:
    yield link_to(line, f"{line.net_money} on {line.booked_on}")
    for part in MatchLine.objects.filter(line=line).select_related(*_SUBJECTS)[:LINKS_MAX]:
        yield link_to(subject_of(part.match), f"by {part.match.rule}")
    is_payout = line.kind == StatementLine.Kind.PAYOUT
    yield entries_about(f"payout:{line.pk}" if is_payout else line.public_id)
    if line.kind != StatementLine.Kind.ENTRY:
        yield from _of_announcement(line)
    yield link_to(line.file, line.file.name)
    yield from _of_discrepancies(line.discrepancies.all())


@chain_of.register
def _of_processor_payout(payout: ProcessorPayout) -> Iterator[Link]:
    yield link_to(payout.line, f"{payout.money} on {payout.line.booked_on}")
    yield entries_about(f"payout:{payout.line_id}")
    yield at_the_bank("Deposit at the bank", matched_line(payout))
    yield from _of_discrepancies(payout.discrepancies.all())


@chain_of.register
def _of_write_off(write_off: WriteOff) -> Iterator[Link]:
    yield link_to(write_off.discrepancy, str(write_off.discrepancy.money))
    entry = JournalEntry.objects.filter(public_id=write_off.journal_entry).first()
    yield link_to(entry, entry.kind) if entry else Link("Journal", "nothing posted")


@chain_of.register
def _of_merchant(merchant: Merchant) -> Iterator[Link]:
    """What it owns, and lists of what is its own."""
    accounts = Account.objects.filter(owner=merchant.public_id).select_related("balance")
    for account in accounts.order_by("code")[:LINKS_MAX]:
        yield link_to(account, str(account.balance.money))
    for model in (Payment, SettlementBatch, Payout):
        name = str(model._meta.verbose_name_plural)
        url = f"{_list_url(model)}?q={merchant.code}"
        yield Link("List", name, url, permission=may_view(model))


@chain_of.register
def _of_entry(entry: JournalEntry) -> Iterator[Link]:
    for other in (entry.reverses, entry.reversed_by):
        if other is not None:
            yield link_to(other, other.kind)


def subject_of(match: Match) -> Model:
    """The record of ours that was matched."""
    subjects = (match.payment, match.refund, match.dispute, match.processor_payout, match.payout)
    return next(subject for subject in subjects if subject)


def matched_line(record: Model | None) -> StatementLine | None:
    """The first line that proves a payment, refund, dispute, processor's payout or payout."""
    if record is None:
        return None
    name = "processor_payout" if isinstance(record, ProcessorPayout) else record._meta.model_name
    part = (
        MatchLine.objects.filter(**{f"match__{name}": record})
        .select_related("line__source_account__source")
        .first()
    )
    return part.line if part else None


def _of_report(line: StatementLine | None) -> Iterator[Link]:
    """What a processor reports of it, and the payout that it came with."""
    if line is None:
        yield Link("Statement line", "not reported yet")
        return
    yield link_to(line, f"{line.net_money} on {line.booked_on}")
    yield from _of_announcement(line)


def _of_announcement(line: StatementLine) -> Iterator[Link]:
    announced = announced_by(line)
    if announced is not None:
        yield link_to(announced, f"{announced.money} due {announced.due_on}")
        yield at_the_bank("Deposit at the bank", matched_line(announced))


def announced_by(line: StatementLine | None) -> ProcessorPayout | None:
    """The processor's payout that a line of its report belongs to."""
    if line is None or not line.payout_id:
        return None
    return ProcessorPayout.objects.filter(
        external_id=line.payout_id, source_account=line.source_account_id
    ).first()


def _of_settlement(subject: Subject) -> Iterator[Link]:
    name = str(subject._meta.model_name)
    settled = Settlement.objects.filter(**{name: subject}).select_related("batch").first()
    if settled is None:
        yield Link("Settlement", "not settled yet")
        return
    batch = settled.batch
    yield link_to(batch, f"{batch.period} {batch.currency} {batch.status}")
    yield from _of_payouts(batch)


def _of_payouts(batch: SettlementBatch) -> Iterator[Link]:
    payout: Payout | None = batch.latest_payout
    if payout is None:
        yield Link("Payout", "none for this batch")
        return
    yield link_to(payout, f"{payout.money} {payout.status}")
    yield at_the_bank("Payout at the bank", matched_line(payout))


def _of_discrepancies(found: QuerySet[Discrepancy]) -> Iterator[Link]:
    for each in found[:LINKS_MAX]:
        kind = each.type.replace("_", " ")
        yield Link("Discrepancy", kind, url_of(each), each.status, may_view(each))


def entries_about(reference: str) -> Link:
    count = JournalEntry.objects.filter(reference=reference).count()
    if not count:
        return Link("Journal", "nothing posted")
    url = f"{_list_url(JournalEntry)}?q={reference}"
    return Link("Journal", f"{count} entries", url, permission=may_view(JournalEntry))


def at_the_bank(label: str, line: StatementLine | None) -> Link:
    if line is None:
        return Link(label, "not there yet")
    detail = f"{line.net_money} on {line.booked_on}"
    return Link(label, line.public_id, url_of(line), detail, may_view(line))


def link_to(record: Model, detail: str) -> Link:
    label = str(record._meta.verbose_name).capitalize()
    return Link(label, str(record), url_of(record), detail, may_view(record))


def may_view(record: Model | type[Model]) -> str:
    return f"{record._meta.app_label}.view_{record._meta.model_name}"


def url_of(record: Any) -> str:
    name = f"{record._meta.app_label}_{record._meta.model_name}"
    return reverse(f"admin:{name}_change", args=[record.pk])


def _list_url(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
