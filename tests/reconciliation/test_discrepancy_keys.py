"""What discrepancies point at exists and stays, though most keys are not enforced row by row."""

import pytest
from django.db import IntegrityError, connection, transaction

from reconciliation.models import Discrepancy
from reconciliation.services.runs import reconcile
from tests.factories import GatewayFactory, SucceededPaymentFactory, eur
from tests.support.reports import charge, define_sources, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def discrepancy() -> Discrepancy:
    """The line of a payment that is missing in our books; it has no match."""
    GatewayFactory()
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    line = charge(payment, "txn_1") | {"payment_metadata[reference]": "UNKNOWN-0001"}
    load(define_sources()[0], report(line))
    reconcile()
    return Discrepancy.objects.get(type=Discrepancy.Type.ORPHAN_LINE)


def refused(statement: str) -> str:
    """The constraint that refuses it."""
    with (
        pytest.raises(IntegrityError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    return caught.value.__cause__.diag.constraint_name


KEYS = ["source_id", "payment_id", "refund_id", "line_id", "opened_by_id"]


@pytest.mark.parametrize("column", KEYS)
def test_a_discrepancy_is_about_something_there_is(discrepancy: Discrepancy, column: str) -> None:
    others = ", ".join(key for key in KEYS if key != column)
    copied = f"""
    INSERT INTO reconciliation_discrepancy (
        public_id, key, type, status, reference, currency, amount, expected, actual, since,
        {others}, {column}
    )
    SELECT public_id || 'x', key || 'x', type, status, reference, currency, amount, expected,
           actual, since, {others}, 987654321
    FROM reconciliation_discrepancy
    """

    assert refused(copied) == "reconciliation_discrepancy_about_something"


@pytest.mark.parametrize("column", [*KEYS, "resolved_by_id"])
def test_a_discrepancy_stays_about_something(discrepancy: Discrepancy, column: str) -> None:
    changed = f"UPDATE reconciliation_discrepancy SET {column} = 987654321"

    assert refused(changed) == "reconciliation_discrepancy_about_something"


@pytest.mark.parametrize(
    "table", ["reconciliation_reconciliationrun", "reconciliation_statementline"]
)
def test_what_a_discrepancy_is_about_is_not_deleted(discrepancy: Discrepancy, table: str) -> None:
    assert refused(f"DELETE FROM {table}") == "reconciliation_keep_what_is_used"


def test_a_source_that_has_discrepancies_keeps_its_key(discrepancy: Discrepancy) -> None:
    assert refused("UPDATE reconciliation_source SET id = 987654321") == "ledger_append_only"
