"""By how much one discrepancy keeps our books and a statement apart, and on which account."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, Sum

from ledger.entries import AccountRef, Direction
from ledger.models import Posting
from ledger.money import Money
from reconciliation.bookkeeping import deposits_in_transit
from reconciliation.models import Discrepancy, MatchLine, ProcessorPayout, StatementLine

Types = Discrepancy.Type
# The line itself is what is off; whatever else it may be about has, or lacks, lines of its own.
ABOUT_A_LINE = {
    Types.ORPHAN_LINE,
    Types.DUPLICATE_LINE,
    Types.DEPOSIT_OVER,
    Types.DEPOSIT_DUPLICATE,
    Types.PAYOUT_RETURNED,
    Types.UNEXPLAINED_BANK_LINE,
}
# Processor and bank disagree; each of them agrees with our books of itself.
ABOUT_MONEY_IN_TRANSIT = {Types.DEPOSIT_SHORT, Types.DEPOSIT_MISSING}
# What happened is posted as it happened: nothing keeps the books and the statement apart.
POSTED_AS_REPORTED = {Types.FEE_MISMATCH, Types.FX_RATE_DEVIATION, Types.LATE_SETTLEMENT}


@dataclass(frozen=True, slots=True)
class OpenAmount:
    """`effect` is book minus statement. An entry under `reference` is set against it."""

    account: AccountRef
    reference: str
    effect: Money


def open_amounts(discrepancy: Discrepancy) -> list[OpenAmount]:
    """What a discrepancy leaves open, by account, as of now; empty if nothing is off by itself.

    Computed like the tie-out (`sql/tie_out.sql`), for the one matter the discrepancy is about.
    """
    kind = discrepancy.type
    if kind in POSTED_AS_REPORTED:
        return []
    if kind in ABOUT_MONEY_IN_TRANSIT:
        found = _in_transit(discrepancy)
    elif kind in ABOUT_A_LINE:
        found = [_of_line(discrepancy.line)] if discrepancy.line else []
    else:
        found = _of_subject(discrepancy)
    return [each for each in found if each.effect]


def _of_line(line: StatementLine) -> OpenAmount:
    account = line.source_account
    booked = _booked(account.ledger_account.ref, [line.public_id])
    # A matched line of a processor counts with what it was matched to, one of a bank by itself.
    is_elsewhere = line.kind != StatementLine.Kind.ENTRY and line.match_lines.exists()
    stated = 0 if is_elsewhere else line.net
    effect = Money(booked - stated, account.currency)
    return OpenAmount(account.ledger_account.ref, line.public_id, effect)


def _of_subject(discrepancy: Discrepancy) -> list[OpenAmount]:
    """Of a payment or refund, on every account of the source it may be off on."""
    subject = discrepancy.refund or discrepancy.payment
    if subject is None:
        return []
    matched = (
        Q(match_lines__match__refund=discrepancy.refund_id)
        if discrepancy.refund
        else Q(match_lines__match__payment=discrepancy.payment_id)
    )
    found = []
    for account in discrepancy.source.accounts.select_related("ledger_account").order_by("pk"):
        ref = account.ledger_account.ref
        stated = account.lines.filter(matched).aggregate(net=Sum("net"))["net"] or 0
        effect = Money(_booked(ref, [subject.public_id]) - stated, account.currency)
        found.append(OpenAmount(ref, subject.public_id, effect))
    return found


def _in_transit(discrepancy: Discrepancy) -> list[OpenAmount]:
    """What a processor says it sent, less what arrived of it."""
    payout = discrepancy.processor_payout
    if payout is None:
        return []
    gateway = payout.source_account.source.gateway
    assert gateway is not None
    payouts = [payout]
    if discrepancy.line is not None:  # several may have arrived as this one deposit
        sent = ProcessorPayout.objects.filter(match__lines__line=discrepancy.line)
        payouts = list(sent.order_by("pk").distinct())
    ref = deposits_in_transit(gateway.code, payout.currency)
    arrived = MatchLine.objects.filter(match__processor_payout__in=payouts)
    effect = _booked(ref, [_matter_of(each) for each in payouts]) - (
        arrived.aggregate(total=Sum("amount"))["total"] or 0
    )
    return [OpenAmount(ref, _matter_of(payout), Money(effect, payout.currency))]


def _matter_of(payout: ProcessorPayout) -> str:
    return f"payout:{payout.line_id}"


def _booked(account: AccountRef, references: Iterable[str]) -> int:
    """Debits minus credits under the references, minor units."""
    sums = Posting.objects.filter(
        account__owner=account.owner,
        account__code=account.code,
        entry__reference__in=list(references),
    ).aggregate(
        debits=Sum("amount", filter=Q(direction=Direction.DEBIT)),
        credits=Sum("amount", filter=Q(direction=Direction.CREDIT)),
    )
    return (sums["debits"] or 0) - (sums["credits"] or 0)
