"""Closing what merchants earned."""

from datetime import date, datetime, time

from django.db import transaction
from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.services.posting import post_all
from settlements.bookkeeping import entry_for_batch
from settlements.locks import lock_settlement_run
from settlements.models import Payout, SettlementBatch


@transaction.atomic
def run_settlement(period: date, *, actor: Actor) -> list[SettlementBatch]:
    """Close one batch per merchant and currency for a business day; returns the new ones.

    Takes everything effective before the day ended in the merchant's zone and not in a batch yet.
    Repeating or racing it changes nothing. A batch that comes out positive, with what was carried,
    is posted as due and gets a payout awaiting approval; the rest is carried forward.
    """
    lock_settlement_run()
    ids = [row.id for row in sql.rows("settlements", "close_batches", period=period)]
    batches = list(
        SettlementBatch.objects.select_related("merchant").filter(pk__in=ids).order_by("pk")
    )
    paying = [batch for batch in batches if batch.payout_amount]
    Payout.objects.bulk_create(
        [
            Payout(
                batch=batch,
                merchant=batch.merchant,
                currency=batch.currency,
                amount=batch.payout_amount,
                requested_by=str(actor),
                created_at=timezone.now(),
            )
            for batch in paying
        ]
    )
    post_all([entry_for_batch(batch, _end_of(batch)) for batch in paying])
    return batches


def _end_of(batch: SettlementBatch) -> datetime:
    """The last moment of the batch's business day in the merchant's zone, in UTC."""
    local = datetime.combine(batch.period, time.max, batch.merchant.zone)
    return local.astimezone(timezone.get_default_timezone())
