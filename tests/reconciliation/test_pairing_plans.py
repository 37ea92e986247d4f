"""Lines find their payments and refunds without a walk through all there are for each of them."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from ledger import sql
from payments.models import Payment, Refund
from reconciliation.models import Match, Source, StatementLine
from reconciliation.services.runs import reconcile
from tests.factories import SucceededPaymentFactory, SucceededRefundFactory, eur
from tests.support.plans import Node, executed, rows_looked_at
from tests.support.reports import charge, load, report

pytestmark = pytest.mark.django_db

APP = "reconciliation"
PAYMENTS = 4_000
LINES = PAYMENTS + PAYMENTS // 10  # every tenth payment has a refund
NEW = 40
PROCESSES = 3  # each may pass over a table
LATER = datetime(2035, 1, 1, tzinfo=UTC)

COPY_THE_PAYMENT = """
INSERT INTO payments_payment
SELECT copy.*
FROM payments_payment AS payment, generate_series(2, %s) AS n, jsonb_populate_record(
    payment,
    jsonb_build_object(
        'id', nextval('payments_payment_id_seq'), 'public_id', 'pay_' || n,
        'idempotency_key', 'copy-' || n, 'reference', 'ORDER-' || n
    )
) AS copy
"""
COPY_THE_REFUND = """
INSERT INTO payments_refund
SELECT copy.*
FROM payments_refund AS refund
JOIN payments_payment AS payment
    ON payment.id > refund.payment_id AND (payment.id - refund.payment_id) %% %s = 0,
jsonb_populate_record(
    refund,
    jsonb_build_object(
        'id', nextval('payments_refund_id_seq'), 'public_id', 're_' || payment.id,
        'idempotency_key', 'copy-' || payment.id, 'reference', 'REFUND-' || payment.id,
        'payment_id', payment.id
    )
) AS copy
"""


@pytest.fixture
def rows(processor: Source) -> list[dict]:
    """What the processor reports: a line of each refund and payment, as it should be."""
    paid = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-1")
    SucceededRefundFactory(payment=paid, money=eur("10.00"), reference="REFUND-1")
    with connection.cursor() as cursor:
        cursor.execute(COPY_THE_PAYMENT, [PAYMENTS])
        cursor.execute(COPY_THE_REFUND, [10])
    items = [
        *Refund.objects.select_related("merchant"),
        *Payment.objects.select_related("merchant"),
    ]
    assert len(items) == LINES
    return [charge(item, f"txn_{n}") for n, item in enumerate(items)]


def pairing(processor: Source) -> list[Node]:
    """How a run pairs what is open: the nodes of its plan, from the top."""
    source = {"source_id": processor.pk}
    sql.execute(APP, "refresh_statistics")
    sql.execute(APP, "create_findings")
    sql.execute(APP, "name_merchants", **source)
    until = {"as_of": LATER.date(), "end_of_day": LATER}
    scope = {**source, "gateway_id": processor.gateway_id, **until}
    return list(executed(sql.statement(APP, "pair_lines"), scope))


def test_many_lines_at_once_are_paired_in_a_pass_over_each_table(processor, rows):
    load(processor, report(*rows))

    nodes = pairing(processor)

    assert nodes[0]["Actual Rows"] == LINES
    assert max(rows_looked_at(node) for node in nodes) <= PROCESSES * LINES


def test_few_new_lines_look_up_what_they_name_however_much_was_matched_before(processor, rows):
    load(processor, report(*rows[NEW // 2 : -NEW // 2]))
    reconcile()
    assert Match.objects.count() == LINES - NEW
    load(processor, report(*rows), name="today")
    assert StatementLine.objects.count() == LINES

    nodes = pairing(processor)

    assert nodes[0]["Actual Rows"] == NEW
    items = ("payments_payment", "payments_refund")
    looked_at = [rows_looked_at(node) for node in nodes if node.get("Relation Name") in items]
    assert 0 < sum(looked_at) <= 2 * NEW
