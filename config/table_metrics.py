"""Metrics that are counts of rows: read by indexes, seldom, and never for long.

Nothing here counts all rows of a table that only grows. Of payments that is what indexes know of,
those that are not final; how many became final is counted when it happens (ledger/states.py).
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Sum
from django.db.models.functions import Abs
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from ledger import sql
from ledger.money import Money
from payments import stats
from payments.probes import Probe
from payments.services.heartbeats import nodes_alive
from reconciliation.models import Discrepancy

logger = logging.getLogger(__name__)

FRESH_SECONDS = 5
PATIENCE_MILLISECONDS = 3_000
STATEMENT_TIMEOUT = "2s"


def read_tables() -> list[Metric]:
    """Every figure there is; a part that takes too long is left out, and said to be."""
    now, metrics, read = timezone.now(), [], dict.fromkeys(PARTS, False)
    try:
        for name, part in PARTS.items():
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
                    metrics += part(now)
                read[name] = True
            except DatabaseError:
                if not connection.is_usable():
                    break
    finally:
        connection.close()  # of this thread
    return [*metrics, _what_was_read(read)]


def _what_was_read(parts: dict[str, bool]) -> Metric:
    read = GaugeMetricFamily(
        "tieout_tables_read", "1 if these figures could be read.", labels=["part"]
    )
    for name, was_read in parts.items():
        read.add_metric([name], was_read)
    return read


def _queues(now: datetime) -> list[Metric]:
    rows = GaugeMetricFamily(
        "tieout_queue_rows", "Rows of work, by what they wait for.", labels=["queue", "state"]
    )
    oldest = GaugeMetricFamily(
        "tieout_queue_oldest_due_seconds",
        "For how long the oldest row has been due that nobody has.",
        labels=["queue"],
    )
    for state in stats.queue_states(now):
        rows.add_metric([state.queue, "due"], state.message_count)
        rows.add_metric([state.queue, "in_flight"], state.in_flight_count)
        rows.add_metric([state.queue, "scheduled"], state.scheduled_count)
        rows.add_metric([state.queue, "parked"], state.parked_count)
        oldest.add_metric([state.queue], state.oldest_age_seconds(now))
    return [rows, oldest]


def _payments(_: datetime) -> list[Metric]:
    labels = ["gateway", "status"]
    by_state = GaugeMetricFamily(
        "tieout_payments_open", "Payments that are not final.", labels=labels
    )
    unknown = GaugeMetricFamily(
        "tieout_payments_unknown",
        "Payments whose gateway was asked and whose outcome nobody knows.",
        labels=["gateway"],
    )
    oldest = GaugeMetricFamily(
        "tieout_payments_unknown_oldest_seconds", "Age of the oldest of them.", labels=["gateway"]
    )
    for row in sql.rows("payments", "count_open_payments"):
        by_state.add_metric([row.gateway, row.status], row.count)
        if row.status == "PROCESSING":
            unknown.add_metric([row.gateway], row.unknown)
            oldest.add_metric([row.gateway], row.unknown_seconds)
    return [by_state, unknown, oldest]


def _workers(_: datetime) -> list[Metric]:
    alive = GaugeMetricFamily("tieout_workers_alive", "Workers that were seen a moment ago.")
    alive.add_metric([], len(nodes_alive()))
    return [alive]


def _reconciliation(_: datetime) -> list[Metric]:
    items = GaugeMetricFamily(
        "tieout_reconciliation_open_items",
        "Discrepancies nobody has closed.",
        labels=["source", "currency"],
    )
    amount = GaugeMetricFamily(
        "tieout_reconciliation_open_amount",
        "The money at stake in them, in major units.",
        labels=["source", "currency"],
    )
    found = Discrepancy.objects.filter(resolved_at=None).order_by()
    for source, currency, count, total in found.values_list("source__code", "currency").annotate(
        count=Count("pk"), total=Sum(Abs("amount"))
    ):
        items.add_metric([source, currency], count)
        amount.add_metric([source, currency], float(Money(total, currency).decimal))
    return [items, amount]


PARTS: dict[str, Callable[[datetime], list[Metric]]] = {
    "queues": _queues,
    "payments": _payments,
    "workers": _workers,
    "reconciliation": _reconciliation,
}


class Recent:
    """The figures of a moment ago; without a database only that they are missing."""

    def __init__(self) -> None:
        self.probe = Probe(read_tables, patience_milliseconds=PATIENCE_MILLISECONDS)
        self.metrics: list[Metric] = []
        self.read_at: float | None = None

    def get(self) -> list[Metric]:
        if self.read_at is None or time.monotonic() - self.read_at > FRESH_SECONDS:
            try:
                self.metrics = self.probe.result()
            except Exception as problem:  # whatever is wrong with it, processes have counted
                logger.warning("metrics.tables_not_read: %r", problem)
                return [_what_was_read(dict.fromkeys(PARTS, False))]
            self.read_at = time.monotonic()
        return self.metrics
