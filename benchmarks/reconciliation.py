"""A whole reconciliation run against one hash join of the same rows."""

import csv
import io
import resource
import time
from datetime import UTC, datetime, timedelta

from django.db import connection

from ledger.actors import Actor
from payments.gateways.simulated_report import COLUMNS
from payments.services.gateways import define_gateway
from payments.services.imports import import_payments
from reconciliation.models import Source
from reconciliation.services.imports import import_statement
from reconciliation.services.runs import reconcile
from reconciliation.services.sources import SourceTerms, define_source

PAYMENTS = 50_000
PAYMENT_COLUMNS = (
    "payment_id,merchant,type,amount,currency,reference,created_at,psp,status,expected_fee,"
    "fee_currency,expected_settlement_date"
).split(",")
START = datetime(2026, 3, 17, tzinfo=UTC)
ACTOR = Actor.system("bench")


def run() -> None:
    """Import PAYMENTS payments and their report, match and post them; print seconds and ratios."""
    define_gateway("bench")
    source = define_source(
        "bench",
        SourceTerms(
            kind=Source.Kind.PROCESSOR_REPORT,
            formats=("stripe.payout_reconciliation",),
            gateway="bench",
        ),
    )
    payments, report = _files()
    load = _timed(lambda: import_payments(payments, actor=ACTOR))
    parse = _timed(
        lambda: import_statement(source, io.BytesIO(report), name="bench.csv", actor=ACTOR)
    )
    matched = _timed(reconcile)
    joined = min(_timed(_hash_join) for _ in range(3))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"reconciliation of {PAYMENTS} lines: payments in {load:.1f} s, report in {parse:.1f} s,"
        f" matched and posted in {matched:.1f} s = {matched / joined:.0f} x the hash join,"
        f" peak {peak} MB"
    )


def _timed(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _files() -> tuple[io.StringIO, bytes]:
    payments, report = io.StringIO(newline=""), io.StringIO(newline="")
    ours = csv.writer(payments)
    ours.writerow(PAYMENT_COLUMNS)
    theirs = csv.DictWriter(report, COLUMNS, restval="")
    theirs.writeheader()
    for n in range(PAYMENTS):
        at = START + timedelta(seconds=n % 86_000)
        reference = f"REF-{n:012d}"
        known = (f"P{n}", f"M{n % 100}", "payment", "50.00", "EUR", reference, at.isoformat())
        ours.writerow((*known, "bench", "captured", "0.95", "EUR", "2026-03-18"))
        theirs.writerow(
            {
                "balance_transaction_id": f"txn_{n}",
                "created_utc": f"{at:%Y-%m-%d %H:%M:%S}",
                "available_on_utc": "2026-03-18 00:00:00",
                "currency": "eur",
                "gross": "50.00",
                "fee": "0.95",
                "net": "49.05",
                "reporting_category": "charge",
                "payment_metadata[reference]": reference,
                "connected_account": f"M{n % 100}",
            }
        )
    payments.seek(0)
    return payments, report.getvalue().encode()


def _hash_join() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM payments_payment AS payment"
            " JOIN reconciliation_statementline AS line USING (reference)"
            " WHERE line.gross = payment.amount"
        )
        assert cursor.fetchone() == (PAYMENTS,)
