"""Events about settlements and payouts, told by the services that make them true."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import prefetch_related_objects

from payments.events import Fact, tell
from settlements.models import Payout, SettlementBatch
from settlements.representations import represent_batch, represent_payout

_NAMES = {Payout.Status.PENDING_APPROVAL: "created"}


def tell_of_closed(batches: Sequence[SettlementBatch], *, at: datetime) -> None:
    """The batches are closed, and their payouts written down."""
    prefetch_related_objects(batches, "payouts")
    facts = [
        Fact("settlement.closed", batch.public_id, batch.merchant_id, represent_batch(batch))
        for batch in batches
    ]
    tell(facts, at=at)


def tell_of_payouts(payouts: Sequence[Payout], *, at: datetime) -> None:
    """The payouts, locked or new, have come to their status."""
    facts = [
        Fact(
            f"payout.{_NAMES.get(Payout.Status(payout.status), payout.status.lower())}",
            payout.public_id,
            payout.merchant_id,
            represent_payout(payout),
        )
        for payout in payouts
    ]
    tell(facts, at=at)
