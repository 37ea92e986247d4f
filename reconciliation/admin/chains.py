"""From any record to the records it hangs on: its entries, settlement, payout and bank line."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse

from ledger.models import Account, JournalEntry
from payments.models import Dispute, Merchant, Payment, Refund, Transfer
from reconciliation.fee_groups import entry_of, fee_group_of, matches_in
from reconciliation.models import (
    Discrepancy,
    FeeGroup,
    Match,
    ProcessorPayout,
    StatementLine,
    UndoneMatch,
    WriteOff,
)
from settlements.models import Payout, Settlement, SettlementBatch

Subject = Payment | Refund | Dispute
LINKS_MAX = 20
_SUBJECTS = ("payment", "refund", "dispute", "won_dispute", "processor_payout", "payout")


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
    yield from _of_fee(subject)
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
    for match in line.matches.select_related(*_SUBJECTS).order_by("pk")[:LINKS_MAX]:
        yield link_to(subject_of(match), f"by {match.rule}")
    is_payout = line.kind == StatementLine.Kind.PAYOUT
    yield entries_about(f"payout:{line.pk}" if is_payout else line.public_id)
    if line.kind != StatementLine.Kind.ENTRY:
        yield from _of_announcement(line)
    yield link_to(line.file, line.file.name)
    yield from _of_discrepancies(line.discrepancies.all())


@chain_of.register
def _of_match(match: Match) -> Iterator[Link]:
    subject = match.subject
    yield link_to(subject, str(getattr(subject, "money", "")))
    yield link_to(match.line, f"{match.line.net_money} on {match.line.booked_on}")
    if not isinstance(subject, ProcessorPayout | Payout):
        yield entries_about(str(subject.public_id))
        yield from _with_others(fee_group_of(match))


@chain_of.register
def _of_fee_group(group: FeeGroup) -> Iterator[Link]:
    """The entry, and the matches that it stands for."""
    yield link_to(entry_of(group), str(group.money))
    yield link_to(group.run, str(group.run.as_of))
    url = f"{_list_url(Match)}?fee_group={group.public_id}"
    yield Link("Matches", f"{matches_in(group).count()} matches", url, permission=may_view(Match))
    for undone in group.undone_matches.select_related("line__source_account__source")[:LINKS_MAX]:
        yield link_to(undone, f"match_{undone.match_number}")


@chain_of.register
def _of_undone_match(undone: UndoneMatch) -> Iterator[Link]:
    yield link_to(undone.line, f"{undone.line.net_money} on {undone.line.booked_on}")
    yield from _with_others(undone.fee_group)


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
    group = FeeGroup.objects.filter(public_id=entry.reference).first()
    if group is not None:
        yield link_to(group, f"{group.match_count} matches")


def subject_of(match: Match) -> Model:
    """The record of ours that was matched."""
    return match.subject


def matched_line(record: Model | None) -> StatementLine | None:
    """The line that proves a payment, refund, dispute, processor's payout or payout."""
    if record is None:
        return None
    is_reported = isinstance(record, ProcessorPayout)
    name = "processor_payout" if is_reported else str(record._meta.model_name)
    matches = Match.objects.select_related("line__source_account__source")
    match = matches.filter(**{name: record}).first()
    return match.line if match else None


def _of_fee(subject: Subject) -> Iterator[Link]:
    """The processor's fees of it that were posted with those of others; what was undone too."""
    kinds = {Payment: ("payment",), Refund: ("refund",), Dispute: ("dispute", "won_dispute")}
    for kind in kinds[type(subject)]:
        match = Match.objects.filter(**{kind: subject}).select_related("line").first()
        if match is not None:
            yield from _with_others(fee_group_of(match))
        undone = UndoneMatch.objects.filter(kind=kind, subject_id=subject.pk)
        for each in undone.exclude(fee_group=None).select_related("fee_group")[:LINKS_MAX]:
            yield from _with_others(each.fee_group)


def _with_others(group: FeeGroup | None) -> Iterator[Link]:
    if group is not None:
        yield link_to(entry_of(group), f"fees of {group.match_count} matches")
        yield link_to(group, str(group.money))


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
