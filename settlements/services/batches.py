"""Closing what merchants earned."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.entries import Entry
from ledger.money import Money
from ledger.services.posting import post_all
from payments.models import Merchant
from settlements import progress
from settlements.bookkeeping import (
    entry_for_batch,
    entry_for_fees_converted,
    entry_for_reserve_held,
    entry_for_reserve_released,
)
from settlements.calendar import (
    end_of,
    in_force,
    is_settlement_day,
    newest_period,
    releases_reserve_on,
    takes_until,
)
from settlements.locks import lock_settlement_run
from settlements.models import Payout, ReserveHold, SettlementBatch, SettlementSchedule
from settlements.selectors import schedules_of
from settlements.services.horizon import horizon, move_horizon
from settlements.telling import tell_of_closed, tell_of_payouts


@dataclass(frozen=True, slots=True)
class Closing:
    """A business day at whose end a merchant is settled, and the schedule it goes by."""

    merchant: Merchant
    period: date
    schedule: SettlementSchedule

    @property
    def end(self) -> datetime:
        return end_of(self.schedule, self.period)

    @property
    def last_moment(self) -> datetime:
        return self.end - timedelta(microseconds=1)


def run_settlement(period: date, *, actor: Actor) -> list[SettlementBatch]:
    """Close the business day of every merchant that is settled on it; returns the new batches.

    One batch per merchant and currency takes everything its schedule has it take and no batch has
    taken yet. Repeating or racing it changes nothing. A batch that, with what was carried, comes to
    its minimum or more is posted as due and gets a payout awaiting approval; the rest is carried
    forward. Whether the day is over is the caller's business.
    """
    return _close(
        [
            Closing(merchant, period, schedule)
            for merchant, schedules in _with_schedules()
            if is_settlement_day(schedule := in_force(schedules, period), period)
        ],
        actor,
    )


def settle_due(
    now: datetime, *, since: datetime | None = None, actor: Actor
) -> list[SettlementBatch]:
    """Close the last business day of each merchant that is over by now, as `run_settlement` does.

    With `since`, only days that ended after it. What days before it left open is in its batch too.
    """
    due = periods_due(now)
    return _close([each for each in due if since is None or each.end > since], actor)


def periods_due(now: datetime) -> list[Closing]:
    """The last business day of each merchant that is over by now, whether it is closed or not."""
    return [
        Closing(merchant, period, in_force(schedules, period))
        for merchant, schedules in _with_schedules()
        if (period := newest_period(schedules, now)) is not None
    ]


def _with_schedules() -> list[tuple[Merchant, list[SettlementSchedule]]]:
    merchants = list(Merchant.objects.order_by("pk"))
    schedules = schedules_of(merchants)
    return [(merchant, schedules[merchant.pk]) for merchant in merchants]


@transaction.atomic
def _close(closings: list[Closing], actor: Actor) -> list[SettlementBatch]:
    if not closings:
        return []
    lock_settlement_run()
    progress.begin_run(merchants=len(closings))
    facts = sql.rows("settlements", "close_batches", looked_at=horizon(), **_columns(closings))
    batches = SettlementBatch.objects.in_bulk({fact.batch_id for fact in facts})
    progress.tell_of_batches(batches=len(batches))
    by_merchant = {closing.merchant.pk: closing for closing in closings}
    for batch in batches.values():
        batch.merchant = by_merchant[batch.merchant_id].merchant
    paying = [batch for _, batch in sorted(batches.items()) if batch.payout_amount]
    now = timezone.now()
    payouts = Payout.objects.bulk_create(
        [
            Payout(
                batch=batch,
                merchant=batch.merchant,
                currency=batch.currency,
                amount=batch.payout_amount,
                requested_by=str(actor),
                created_at=now,
            )
            for batch in paying
        ]
    )
    closed = [batch for _, batch in sorted(batches.items())]
    tell_of_closed(closed, at=now)
    tell_of_payouts(payouts, at=now)
    moments = {batch.pk: by_merchant[batch.merchant_id].last_moment for batch in batches.values()}
    holds = ReserveHold.objects.in_bulk({fact.hold_id for fact in facts if fact.hold_id})
    entries = [
        _entry_for(fact, batches[fact.batch_id], holds.get(fact.hold_id), moments[fact.batch_id])
        for fact in facts
    ]
    move_horizon()
    progress.tell_of_entries(entries=sum(entry is not None for entry in entries))
    post_all([entry for entry in entries if entry is not None])
    return closed


def _columns(closings: list[Closing]) -> dict[str, list[Any]]:
    return {
        "merchant_ids": [closing.merchant.pk for closing in closings],
        "periods": [closing.period for closing in closings],
        "untils": [takes_until(closing.schedule, closing.period) for closing in closings],
        "minimums": [json.dumps(closing.schedule.minimum_payouts) for closing in closings],
        "reserve_basis_points": [closing.schedule.reserve_basis_points for closing in closings],
        "release_ons": [
            releases_reserve_on(closing.schedule, closing.period) for closing in closings
        ],
    }


def _entry_for(
    fact: Any, batch: SettlementBatch, hold: ReserveHold | None, at: datetime
) -> Entry | None:
    """What `close_batches.sql` says there is to post; None if it comes to nothing."""
    if hold is not None:
        entry_for = {
            "reserve_held": entry_for_reserve_held,
            "reserve_released": entry_for_reserve_released,
        }[fact.what]
        return entry_for(hold, batch, at)
    if fact.what == "fees_converted":
        booked = Money(fact.paid_amount, fact.paid_currency)
        charged = Money(fact.amount, batch.currency)
        return entry_for_fees_converted(batch, booked, charged, at) if booked or charged else None
    return entry_for_batch(batch, at) if batch.payout_amount else None
