"""Where a settlement run begins to look, so that it need not read every payment there ever was."""

from datetime import timedelta

from django.db.models import Max
from django.utils import timezone

from ledger import sql
from payments.models import Payment
from settlements.models import SettlementHorizon

# Ids are taken before they can be seen. No transaction lasts that long: what was there then and is
# not to be seen now will never be.
COMMITTED_AFTER = timedelta(days=1)


def horizon() -> int:
    """The id up to which no payment has to be looked at."""
    known = SettlementHorizon.objects.first()
    return known.through if known else 0


def move_horizon() -> None:
    """Look no more at payments that are in a batch or came to nothing, up to the first other one.

    Within the run's lock and transaction, behind what it settles.
    """
    now = timezone.now()
    known = SettlementHorizon.objects.first()
    if known is not None and now < known.seen_at + COMMITTED_AFTER:
        return
    through = 0
    if known is not None:
        (row,) = sql.rows("settlements", "find_horizon", after=known.through, last=known.seen)
        through = row.through
    newest = Payment.objects.aggregate(newest=Max("pk"))["newest"] or 0
    SettlementHorizon.objects.update_or_create(
        pk=1, defaults={"through": through, "seen": newest, "seen_at": now}
    )
