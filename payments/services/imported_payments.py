"""Payments of another system, written down and posted."""

from collections.abc import Sequence

from ledger import sql
from ledger.entries import Entry
from ledger.ids import new_ids
from payments.bookkeeping import entry_for_payment
from payments.history import HistoryRow
from payments.models import Payment
from payments.services.fees import FeePlans
from payments.services.imported_rows import Chunk, post_rows

ROWS_PER_STATEMENT = 1_000

Price = tuple[int, int | None]  # our fee, minor units, and the plan it comes from


def load_payments(chunk: Chunk) -> list[HistoryRow]:
    """Load those rows that are new and return them; raises RowRefused for the first bad one."""
    found = sql.rows("payments", "find_imported_payments", **chunk.keys())
    new = chunk.new_rows({row.position: row.request_digest for row in found})
    public_ids = new_ids("pay", len(new))
    prices = _prices(chunk, new)
    entries: list[tuple[HistoryRow, Entry]] = []
    with chunk.refusing_duplicates(Payment, new), sql.pipeline() as send:
        for start in range(0, len(new), ROWS_PER_STATEMENT):
            part = slice(start, start + ROWS_PER_STATEMENT)
            send(
                "payments",
                "import_payments",
                public_ids=public_ids[part],
                gateway_ids=[chunk.gateways[row.gateway].pk for row in new[part]],
                external_ids=[row.external_id for row in new[part]],
                fees=[fee for fee, _ in prices[part]],
                fee_plan_ids=[plan_id for _, plan_id in prices[part]],
                settled=[row.is_settled for row in new[part]],
                **chunk.columns(new[part]),
            )
            # While the database writes these, their entries are made.
            entries += _entries(chunk, new[part], public_ids[part], prices[part])
    post_rows(entries)
    return new


def _prices(chunk: Chunk, rows: Sequence[HistoryRow]) -> list[Price]:
    """By the plan of the payment's day; who settled elsewhere was charged elsewhere."""
    plans = FeePlans(chunk.merchants.values())
    prices: list[Price] = []
    for row in rows:
        plan = None
        if not row.is_settled:
            merchant, day = chunk.merchants[row.merchant], row.effective_at.date()
            plan = plans.plan_for(merchant, row.money.currency, on=day)
        prices.append((0, None) if plan is None else (plan.fee_for(row.money).amount, plan.pk))
    return prices


def _entries(
    chunk: Chunk, rows: Sequence[HistoryRow], public_ids: Sequence[str], prices: Sequence[Price]
) -> list[tuple[HistoryRow, Entry]]:
    entries = []
    for row, public_id, (fee, _) in zip(rows, public_ids, prices, strict=True):
        if row.is_settled:
            continue
        payment = chunk.payment_of(row)
        payment.public_id = public_id
        payment.currency = row.money.currency
        payment.amount_captured = row.money.amount
        payment.fee = fee
        entries.append((row, entry_for_payment(payment, row.effective_at)))
    return entries
