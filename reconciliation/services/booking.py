"""Posting, exactly once, what lines prove: fees, conversions, disputes, payouts, deposits.

The fees of a chunk's matches are one entry for each account and day, all else is one of its own.
"""

from collections import Counter
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from ledger import sql
from ledger.entries import Entry
from ledger.money import Money, exponent_of
from ledger.services.posting import post_all
from payments.bookkeeping import entry_for_dispute_opened, entry_for_dispute_won
from payments.models import Dispute, Merchant
from reconciliation.bookkeeping import (
    entry_for_conversion,
    entry_for_deposit,
    entry_for_merchant_conversion,
    entry_for_payout_paid,
    entry_for_processor_fee,
    entry_for_processor_fees,
    entry_for_processor_payout,
)
from reconciliation.days import start_of
from reconciliation.garbage import rarely_searched
from reconciliation.locks import lock_reconciliation
from reconciliation.models import (
    FeeGroup,
    Match,
    ReconciliationRun,
    SourceAccount,
    StatementLine,
    UndoneMatch,
)

MATCHES_PER_TRANSACTION = 10_000


def book_run(run: ReconciliationRun) -> None:
    """Post the facts of the run's matches in chunks, each a transaction. Resumes on repetition."""
    book_matches(run)
    _book_unmatched_facts()


def book_matches(run: ReconciliationRun) -> None:
    while _book_pairs(run):
        pass
    _book_bank_lines(run)


def posting_key(line: StatementLine, *, undone: int) -> str:
    """What a line proves is posted once for each time that it is matched anew."""
    return _numbered(line.public_id, undone)


def keys_of_postings(match: Match, *, undone: int) -> list[str]:
    """Idempotency keys of what may have been posted for a match.

    Not of a dispute's own entry: the dispute stays, and has a life of its own. `processor_fee` is
    from before fees were posted in groups.
    """
    key = posting_key(match.line, undone=undone)
    if match.processor_payout is not None:
        return [f"deposit:{match.processor_payout.pk}:{key}"]
    if match.payout is not None:
        return [f"payout_paid:{match.payout.public_id}:{key}"]
    return [f"{kind}:{key}" for kind in ("processor_fee", "conversion", "merchant_conversion")]


def _numbered(key: str, undone: int) -> str:
    return f"{key}:{undone + 1}" if undone else key


@rarely_searched()
@transaction.atomic
def _book_pairs(run: ReconciliationRun) -> bool:
    """Post the next chunk of payments, refunds and disputes; whether there was one."""
    lock_reconciliation()
    run.refresh_from_db()
    begun = {"run_id": run.pk, "after": run.posted_through}
    (end,) = sql.rows("reconciliation", "end_of_chunk", limit=MATCHES_PER_TRANSACTION, **begun)
    if end.last_match is None:
        return False
    chunk = {**begun, "through": end.last_match}
    post_all([*_entries_for_fees(run, chunk), *_entries_of_their_own(chunk)])
    run.posted_through = end.last_match
    run.save(update_fields=["posted_through"])
    return True


def _entries_for_fees(run: ReconciliationRun, chunk: dict[str, int]) -> list[Entry]:
    """One for each account and day that has fees in the chunk, with its group."""
    rows = sql.rows("reconciliation", "sum_unposted_fees", **chunk)
    groups = FeeGroup.objects.bulk_create([FeeGroup(run=run, **row._asdict()) for row in rows])
    accounts = SourceAccount.objects.select_related("source__gateway").in_bulk(
        {group.source_account_id for group in groups}
    )
    return [_entry_for_fees(group, accounts[group.source_account_id]) for group in groups]


def _entry_for_fees(group: FeeGroup, account: SourceAccount) -> Entry:
    source = account.source
    assert source.gateway is not None
    return entry_for_processor_fees(
        source.gateway.code,
        Money(group.charged, account.currency),
        Money(group.given_back, account.currency),
        key=f"{account.pk}:{group.booked_on}:{group.first_match}-{group.last_match}",
        reference=group.public_id,
        effective_at=start_of(group.booked_on, source.time_zone),
    )


def _entries_of_their_own(chunk: dict[str, int]) -> list[Entry]:
    rows = sql.rows("reconciliation", "unposted_pairs", **chunk)
    merchants = Merchant.objects.in_bulk({row.merchant_id for row in rows})
    disputes = Dispute.objects.select_related("merchant", "payment__gateway").in_bulk(
        {row.dispute_id for row in rows if row.dispute_id}
    )
    entries: list[Entry] = []
    for row in rows:
        if row.dispute_id:
            entries.append(_entry_for_dispute(row.kind, disputes[row.dispute_id]))
        entries += _entries_for_conversion(row, merchants[row.merchant_id])
    return entries


def _entry_for_dispute(kind: str, dispute: Dispute) -> Entry:
    """What the gateway told before is posted by then: it is the same entry."""
    if kind != Match.Kind.WON_DISPUTE:
        return entry_for_dispute_opened(dispute)
    assert dispute.won_at is not None  # by constraint: its line won it
    return entry_for_dispute_won(dispute, dispute.won_at)


def _entries_for_conversion(row: Any, merchant: Merchant) -> list[Entry]:
    """What the processor converted, and what it is to the merchant; none if it did not."""
    sold = _sold(row)
    if sold is None:
        return []
    at = _start_of(row.booked_on, row.zone)
    key = _numbered(f"stl_{row.line_id}", row.undone_count)
    bought = Money(row.gross, row.line_currency)
    entries = [
        entry_for_conversion(
            row.gateway, sold, bought, key=key, reference=row.subject, effective_at=at
        )
    ]
    if (sold.amount > 0) == (row.amount > 0):
        agreed = _at_rate(sold, row.reference_rate, bought)
        entries.append(
            entry_for_merchant_conversion(
                merchant, sold, agreed, bought, key=key, reference=row.subject, effective_at=at
            )
        )
    return entries


@lru_cache(maxsize=1_024)
def _start_of(day: date, zone: str) -> datetime:
    return start_of(day, ZoneInfo(zone))


def _sold(row: Any) -> Money | None:
    """What the processor converted away: the payer's amount, if we booked it in that currency."""
    if row.line_currency == row.currency:
        return None
    if row.presentment_amount is None:
        return Money(row.amount, row.currency)
    if row.presentment_currency != row.currency or not row.presentment_amount:
        return None
    return Money(row.presentment_amount, row.currency)


def _at_rate(sold: Money, rate: Decimal | None, bought: Money) -> Money:
    """`sold` at the reference rate, rounded half up; what was bought if there is no rate."""
    if rate is None:
        return bought
    unit = Decimal(1).scaleb(-exponent_of(bought.currency))
    return Money.exactly((sold.decimal * rate).quantize(unit, ROUND_HALF_UP), bought.currency)


@transaction.atomic
def _book_bank_lines(run: ReconciliationRun) -> None:
    """Post the run's deposits and paid payouts. Repeating it is harmless: lines are the keys."""
    matches = Match.objects.select_related(
        "payout",
        "processor_payout__source_account__source__gateway",
        "line__source_account__source",
        "line__source_account__ledger_account",
    ).filter(run=run, kind__in=[Match.Kind.DEPOSIT, Match.Kind.PAYOUT])
    listed = list(matches.order_by("pk"))
    undone = Counter(
        UndoneMatch.objects.filter(line__in={match.line_id for match in listed}).values_list(
            "line_id", "kind", "subject_id"
        )
    )
    post_all(
        [
            _entry_for_bank_part(match, undone=undone[match.line_id, match.kind, match.subject.pk])
            for match in listed
        ]
    )


def _entry_for_bank_part(match: Match, *, undone: int) -> Entry:
    line, account = match.line, match.line.source_account
    bank_account = account.ledger_account.ref
    at = start_of(line.booked_on, account.source.time_zone)
    money = Money(match.amount, account.currency)
    common: dict[str, Any] = {"reference": line.public_id, "effective_at": at}
    if match.payout is not None:
        key = f"{match.payout.public_id}:{posting_key(line, undone=undone)}"
        return entry_for_payout_paid(bank_account, -money, key=key, **common)
    payout = match.processor_payout
    assert payout is not None
    gateway = payout.source_account.source.gateway
    assert gateway is not None
    key = f"{payout.pk}:{posting_key(line, undone=undone)}"
    return entry_for_deposit(bank_account, gateway.code, money, key=key, **common)


@transaction.atomic
def _book_unmatched_facts() -> None:
    """Post what needs no counterpart: payout rows, and fees the processor charges by themselves.

    Lines are taken until their entry exists, so a crash before the post loses nothing.
    """
    lines = StatementLine.objects.select_related("source_account__source__gateway").filter(
        kind__in=[StatementLine.Kind.PAYOUT, StatementLine.Kind.FEE], is_booked=False
    )
    taken = list(lines.order_by("pk"))
    post_all([_entry_for_fact(line) for line in taken if line.net])
    StatementLine.objects.filter(pk__in=[line.pk for line in taken]).update(is_booked=True)


def _entry_for_fact(line: StatementLine) -> Entry:
    source = line.source_account.source
    assert source.gateway is not None
    at = start_of(line.booked_on, source.time_zone)
    if line.kind == StatementLine.Kind.FEE:
        return entry_for_processor_fee(
            source.gateway.code,
            -line.net_money,
            key=line.public_id,
            reference=line.public_id,
            effective_at=at,
        )
    return entry_for_processor_payout(
        source.gateway.code,
        -line.net_money,
        key=line.public_id,
        reference=f"payout:{line.pk}",
        effective_at=at,
    )
